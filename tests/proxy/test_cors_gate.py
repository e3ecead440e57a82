"""What the gate puts on a response, as finished bytes: the grant, the answer to a preflight, and what it remembers."""

from __future__ import annotations

from typing import Any

import pytest

from corsproxy.cors import Kind, Reason
from corsproxy.proxy.cors_gate import CorsGate
from corsproxy.settings import PolicySettings
from tests.cors.tables import policy

APP = b"https://app.example"
OWN = b"https://own.example"
EVIL = b"https://evil.example"

ORIGIN_LINE = b"Access-Control-Allow-Origin: https://app.example\r\n"
VARY = b"Vary: Origin\r\n"


def gate(*origins: str, **keys: Any) -> CorsGate:
    """Return the gate of one policy; `mode` and `preflight_status` are its settings, the rest is CORS."""
    return CorsGate((settings(*origins, **keys),), frozenset({OWN}))


def settings(*origins: str, mode: Any = "enforce", preflight_status: int = 204, **keys: Any) -> PolicySettings:
    """Return a policy as the data path has it."""
    return PolicySettings("p", policy(*origins, **keys), mode=mode, preflight_status=preflight_status)


NAMED: dict[str, Any] = {
    "allow_methods": ("PUT",),
    "allow_headers": ("X-A",),
    "expose_headers": ("ETag",),
    "allow_credentials": True,
}
NAMED_GATE = gate(APP.decode(), **NAMED)
STARRED_NAMES = gate(APP.decode(), allow_credentials=True, expose_headers=("*",))
EVERYONE = gate("*")
NO_POLICY = CorsGate(())
OLD = gate(APP.decode(), preflight_status=200)
DIAGNOSED = gate(APP.decode(), diagnostics=True, preflight_status=200)
BEHIND = CorsGate((settings(APP.decode()), settings("https://b.example", preflight_status=200, timing=True)))
MIXED = CorsGate((settings(APP.decode()), settings("https://b.example", mode="shadow")))

GRANT = b"Access-Control-Allow-Origin: https://app.example\r\nAccess-Control-Allow-Credentials: true\r\n"

ACTUAL = [
    pytest.param(NAMED_GATE, (APP,), GRANT + b"Access-Control-Expose-Headers: ETag\r\n", True, id="granted"),
    pytest.param(NAMED_GATE, (EVIL,), b"", True, id="refused"),
    pytest.param(NAMED_GATE, (), b"", True, id="no Origin"),
    pytest.param(NAMED_GATE, (APP, APP), b"", True, id="two lines of Origin"),
    pytest.param(EVERYONE, (EVIL,), b"Access-Control-Allow-Origin: *\r\n", False, id="everyone"),
    pytest.param(EVERYONE, (), b"Access-Control-Allow-Origin: *\r\n", False, id="everyone, no Origin"),
    pytest.param(NO_POLICY, (APP,), b"", False, id="no policy"),
    pytest.param(BEHIND, (APP,), ORIGIN_LINE, True, id="the first of two policies"),
]


@pytest.mark.parametrize(("cors_gate", "origins", "block", "varies"), ACTUAL)
def test_what_an_actual_request_gets(
    cors_gate: CorsGate, origins: tuple[bytes, ...], block: bytes, varies: bool
) -> None:
    """The finished lines and Vary are the same when decided and when remembered."""
    for _ in range(2):
        grant = cors_gate.actual("GET", origins)
        assert (grant.block, grant.varies) == (block, varies)
        assert (grant.status, grant.answer, grant.body) == (0, b"", b"")


SAFELISTED, MAX_AGE = b"Access-Control-Allow-Methods: GET, HEAD, POST\r\n", b"Access-Control-Max-Age: 600\r\n"
NO_CONTENT, OK, FORBIDDEN = (
    b"HTTP/1.1 204 No Content\r\n",
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 403 Forbidden\r\n",
)
TEXT = b"Content-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\n"
NOTHING = b"Content-Length: 0\r\n"
WHOLE = (
    NO_CONTENT,
    *GRANT.splitlines(keepends=True),
    b"Access-Control-Allow-Methods: PUT\r\n",
    b"Access-Control-Allow-Headers: X-A\r\n",
    MAX_AGE,
    VARY,
)

PREFLIGHTS = [
    pytest.param(NAMED_GATE, APP, b"PUT", (b"x-a",), WHOLE, None, id="granted"),
    pytest.param(NAMED_GATE, APP, b"GET", (), WHOLE, None, id="granted, nothing asked for"),
    pytest.param(NAMED_GATE, EVIL, b"PUT", (), (FORBIDDEN, VARY), Reason.ORIGIN_NOT_ALLOWED, id="refused, the origin"),
    pytest.param(NAMED_GATE, b"x", b"PUT", (), (FORBIDDEN, VARY), Reason.ORIGIN_MALFORMED, id="refused, no origin"),
    pytest.param(
        NAMED_GATE, APP, b"DELETE", (), (FORBIDDEN, VARY), Reason.METHOD_NOT_ALLOWED, id="refused, the method"
    ),
    pytest.param(
        NAMED_GATE, APP, b"PUT", (b"x-a", b"x-b"), (FORBIDDEN, VARY), Reason.HEADERS_NOT_ALLOWED, id="refused, a header"
    ),
    pytest.param(
        EVERYONE,
        EVIL,
        b"GET",
        (),
        (NO_CONTENT, b"Access-Control-Allow-Origin: *\r\n", SAFELISTED, MAX_AGE),
        None,
        id="everyone",
    ),
    pytest.param(EVERYONE, EVIL, b"PUT", (), (FORBIDDEN,), Reason.METHOD_NOT_ALLOWED, id="everyone, another method"),
    pytest.param(NO_POLICY, APP, b"GET", (), (FORBIDDEN,), Reason.NO_POLICY, id="no policy"),
    pytest.param(
        OLD, APP, b"GET", (), (OK, ORIGIN_LINE, SAFELISTED, MAX_AGE, VARY, NOTHING), None, id="200 for old clients"
    ),
    pytest.param(
        DIAGNOSED,
        APP,
        b"DELETE",
        (),
        (OK, ORIGIN_LINE, SAFELISTED, MAX_AGE, VARY, NOTHING),
        Reason.METHOD_NOT_ALLOWED,
        id="refused, and the browser names what",
    ),
    pytest.param(
        BEHIND,
        b"https://b.example",
        b"GET",
        (),
        (OK, b"Access-Control-Allow-Origin: https://b.example\r\n", SAFELISTED, MAX_AGE, VARY, NOTHING),
        None,
        id="the status of the policy that decides",
    ),
]


@pytest.mark.parametrize(("cors_gate", "origin", "method", "headers", "lines", "reason"), PREFLIGHTS)
def test_what_a_preflight_is_answered(
    cors_gate: CorsGate,
    origin: bytes,
    method: bytes,
    headers: tuple[bytes, ...],
    lines: tuple[bytes, ...],
    reason: Reason | None,
) -> None:
    """The whole head, line for line, and the reason in the text, when decided and when remembered."""
    for _ in range(2):
        grant = cors_gate.preflight(origin, method, headers)
        said = grant.answer.splitlines(keepends=True)
        expected = [*lines, *(TEXT % len(grant.body)).splitlines(keepends=True)] if grant.body else list(lines)
        assert said[0] == lines[0]
        assert sorted(said) == sorted(expected)
        assert grant.decision.kind is Kind.PREFLIGHT
        assert grant.decision.reason is reason
        assert (grant.status, grant.varies) == (int(lines[0].split()[1]), VARY in lines)
        assert bool(grant.body) == (grant.status == 403)
        if grant.body:
            assert reason is not None
            assert grant.body.startswith(f"preflight refused: {reason.value}: ".encode())
            assert grant.body.endswith(b"\n")


def test_what_is_remembered_is_of_the_very_request() -> None:
    """Neither another origin, method or list of names nor several lines of Origin find what was kept."""
    cors_gate = gate(APP.decode(), **NAMED)
    asked = [(APP, b"PUT", (b"x-a",)), (EVIL, b"PUT", (b"x-a",)), (APP, b"DELETE", (b"x-a",)), (APP, b"PUT", (b"x-b",))]
    statuses = [204, 403, 403, 403]
    for _ in range(2):
        assert [cors_gate.preflight(*key).status for key in asked] == statuses
        assert [cors_gate.actual("GET", origins).decision.granted for origins in ((APP,), (APP, APP), (EVIL,), ())] == [
            True,
            False,
            False,
            False,
        ]


def test_a_decision_is_made_once() -> None:
    """What was decided is found again, byte for byte, unless its key is longer than any page's."""
    cors_gate = gate("https://*.example")
    short, long = b"https://a.example", b"https://" + b"a." * 60 + b"a" * 60 + b".example:1"
    assert cors_gate.actual("GET", (short,)) is cors_gate.actual("GET", (short,))
    assert cors_gate.actual("GET", ()) is cors_gate.actual("POST", ())
    assert cors_gate.actual("GET", (short, short)) is not cors_gate.actual("GET", (short, short))
    assert cors_gate.preflight(short, b"GET", ()) is cors_gate.preflight(short, b"GET", ())
    assert cors_gate.preflight(short, b"GET", ()) is not cors_gate.preflight(short, b"GET", (b"",) * 2)
    names = [b"x" * (256 - len(short) - 3), b"x" * (257 - len(short) - 3)]
    kept, decided = ([cors_gate.preflight(short, b"GET", (name,)) for _ in range(2)] for name in names)
    assert kept[0] is kept[1]
    assert decided[0] is not decided[1]
    lengths = [long + b"1" * (256 - len(long)), long + b"1" * (257 - len(long))]
    kept, decided = ([cors_gate.actual("GET", (origin,)) for _ in range(2)] for origin in lengths)
    assert kept[0] is kept[1]
    assert decided[0] is not decided[1]


def test_the_proxy_s_own_page_is_no_cors_request() -> None:
    """Unless the policy names it; and Vary stays."""
    own = gate(APP.decode()).actual("POST", (OWN,))
    assert (own.decision.kind, own.block, own.varies) == (Kind.NONE, b"", True)
    named = gate(OWN.decode()).actual("POST", (OWN,))
    assert named.block == b"Access-Control-Allow-Origin: " + OWN + b"\r\n"


@pytest.mark.parametrize(
    ("cors_gate", "origin", "owns"),
    [
        pytest.param(gate(APP.decode(), timing=True), APP, True, id="the policy's"),
        pytest.param(gate(APP.decode(), timing=True), EVIL, True, id="the policy's, refused"),
        pytest.param(gate(APP.decode()), APP, False, id="the upstream's"),
        pytest.param(BEHIND, APP, False, id="the first of two, which leaves it alone"),
        pytest.param(BEHIND, b"https://b.example", True, id="the second, which does not"),
        pytest.param(NO_POLICY, APP, False, id="no policy"),
    ],
)
def test_whose_timing_allow_origin_is(cors_gate: CorsGate, origin: bytes, owns: bool) -> None:
    """It is that of the policy that decides."""
    assert cors_gate.actual("GET", (origin,)).owns_timing is owns


def test_names_are_listed_later() -> None:
    """A star for exposed names needs the response, if credentials forbid it."""
    assert STARRED_NAMES.actual("GET", (APP,)).exposes_all_names
    assert not STARRED_NAMES.actual("GET", (EVIL,)).exposes_all_names
    assert not NAMED_GATE.actual("GET", (APP,)).exposes_all_names


def test_shadow_mode() -> None:
    """One policy that only watches makes the route watch; a route without any enforces."""
    assert [each.enforces for each in (NAMED_GATE, NO_POLICY, gate("*", mode="shadow"), MIXED)] == [
        True,
        True,
        False,
        False,
    ]
