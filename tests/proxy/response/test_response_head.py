"""The head of a response as the client gets it, line for line, from what the upstream said and what was granted."""

from __future__ import annotations

from typing import Any

import pytest

from corsproxy.proxy.cors_gate import CorsGate, Grant
from corsproxy.proxy.fields.edits import FieldEditor
from corsproxy.proxy.fields.lines import FieldLine
from corsproxy.proxy.fields.names import RESPONSE_FIELDS
from corsproxy.proxy.response.head import (
    ResponseRules,
    client_head,
    client_trailers,
    interim_head,
    switching_head,
)
from corsproxy.proxy.upstream.head import Framing, ResponseHead
from corsproxy.settings import FieldEdits, PolicySettings
from tests.cors.tables import policy
from tests.proxy.messages import spellings

DATE = b"Date: Sun, 06 Nov 1994 08:49:37 GMT"
ACAO = b"Access-Control-Allow-Origin: https://app.example"
FRAMING = b"Connection: close\r\n"

PLAIN = ResponseRules(enforces=True, redirects=None, cookies=None, edits=None)
SHADOW = ResponseRules(enforces=False, redirects=None, cookies=None, edits=None)


def edits(*removed: str, **written: str) -> ResponseRules:
    """Return the rules of a route that removes and sets these; `_` stands for a hyphen."""
    pairs = tuple((name.replace("_", "-"), value) for name, value in written.items())
    editor = FieldEditor.compile(FieldEdits(pairs, removed), folds=False)
    return ResponseRules(enforces=True, redirects=None, cookies=None, edits=editor)


def grant(*origins: str, **keys: Any) -> Grant:
    """Return what a policy of these origins grants a page of app.example."""
    return CorsGate((PolicySettings("p", policy(*origins, **keys)),)).actual("GET", (b"https://app.example",))


NONE = CorsGate(()).actual("GET", ())
NAMED = grant("https://app.example")
EVERYONE = grant("*")
REFUSED = grant("https://other.example")
TIMED = grant("https://app.example", timing=True)
STARRED = grant("https://app.example", allow_credentials=True, expose_headers=("*",))
STARRED_LINES = [ACAO, b"Access-Control-Allow-Credentials: true"]


def head(*lines: bytes, status: int = 200, framing: Framing = Framing.LENGTH) -> ResponseHead:
    """Return an upstream's head of these lines, `name: value`."""
    made = ResponseHead()
    made.status, made.framing = status, framing
    pairs = [line.split(b": ", 1) for line in lines]
    made.fields = [FieldLine(RESPONSE_FIELDS[name], name, value) for name, value in pairs]
    return made


def written(
    response: ResponseHead,
    granted: Grant = NONE,
    rules: ResponseRules = PLAIN,
    *,
    client_host: bytes = b"proxy.example",
    trailers: bool = False,
) -> list[bytes]:
    """Return the client's lines, the status line first."""
    parts = client_head(
        response,
        granted,
        rules,
        proxy_origin=b"https://proxy.example",
        client_host=client_host,
        via=b"Via: 1.1 x\r\n",
        framing=FRAMING,
        trailers=trailers,
    )
    whole = b"".join(parts)
    assert whole.endswith(b"\r\n")
    return whole.split(b"\r\n")[:-1]


def middle(response: ResponseHead, granted: Grant = NONE, rules: ResponseRules = PLAIN, **options: Any) -> list[bytes]:
    """Return the lines between Date, which is first, and Via."""
    lines = written(response, granted, rules, **options)
    assert lines[1] == DATE
    assert lines[-2:] == [b"Via: 1.1 x", b"Connection: close"]
    return lines[2:-2]


KEPT = [
    b"X-A: b",
    b"Content-Length: 3",
    b"Content-Type: text/plain",
    b"Set-Cookie: a=b; Domain=up.example",
    b"Location: http://up.example/",
    b"Content-Location: /a",
    b"Refresh: 5",
    b"Link: </a>; rel=next",
    b"Timing-Allow-Origin: *",
    b"WWW-Authenticate: Basic",
    b"ETag: x",
    b"Server: a",
    b"Via: 1.0 up",
    b"Vary: Accept",
]

GONE = [
    b"Access-Control-Allow-Origin: *",
    b"Access-Control-Allow-Credentials: true",
    b"Access-Control-Expose-Headers: *",
    b"Access-Control-Anything: 1",
    b"Connection: close",
    b"Keep-Alive: timeout=5",
    b"Proxy-Connection: close",
    b"Proxy-Authenticate: Basic",
    b"Proxy-Authentication-Info: a",
    b"TE: trailers",
    b"Trailer: X-A",
    b"Transfer-Encoding: chunked",
    b"Upgrade: h2c",
]


@pytest.mark.parametrize("line", KEPT)
def test_a_line_that_goes_on(line: bytes) -> None:
    """Byte for byte and in its place, in any letter case of its name."""
    for spelt in spellings(line):
        assert middle(head(DATE, b"X-1: 1", spelt, b"X-2: 2")) == [b"X-1: 1", spelt, b"X-2: 2"]


@pytest.mark.parametrize("line", GONE)
def test_a_line_that_stops_here(line: bytes) -> None:
    """It is for one hop, or the policy's to write, in any letter case of its name."""
    for spelt in spellings(line):
        assert middle(head(DATE, b"X-1: 1", spelt, b"X-2: 2")) == [b"X-1: 1", b"X-2: 2"]


ROWS: list[Any] = [
    pytest.param((b"X-A: b",), NAMED, PLAIN, [b"X-A: b", b"Vary: Origin", ACAO], id="granted"),
    pytest.param((b"X-A: b",), REFUSED, PLAIN, [b"X-A: b", b"Vary: Origin"], id="refused"),
    pytest.param((), EVERYONE, PLAIN, [b"Access-Control-Allow-Origin: *"], id="everyone"),
    pytest.param((), NONE, PLAIN, [], id="no policy"),
    pytest.param((), NAMED, SHADOW, [], id="only watched"),
    pytest.param(
        (b"Access-Control-Max-Age: 1",), NAMED, SHADOW, [b"Access-Control-Max-Age: 1"], id="only watched, its own"
    ),
    pytest.param((b"Vary: A",), NAMED, PLAIN, [b"Vary: A, Origin", ACAO], id="Vary"),
    pytest.param((b"vary: A, ORIGIN",), NAMED, PLAIN, [b"vary: A, ORIGIN", ACAO], id="Vary that has it"),
    pytest.param((b"Vary: *",), NAMED, PLAIN, [b"Vary: *", ACAO], id="Vary with a star"),
    pytest.param((b"Vary: ",), NAMED, PLAIN, [b"Vary: Origin", ACAO], id="Vary that is empty"),
    pytest.param(
        (b"Vary: A", b"X: 1", b"Vary: B"), NAMED, PLAIN, [b"Vary: A", b"X: 1", b"Vary: B, Origin", ACAO], id="two Vary"
    ),
    pytest.param(
        (b"Vary: Origin", b"Vary: B"),
        NAMED,
        PLAIN,
        [b"Vary: Origin", b"Vary: B", ACAO],
        id="two Vary, the first has it",
    ),
    pytest.param(
        (b"Vary: A, origin2",), NAMED, PLAIN, [b"Vary: A, origin2, Origin", ACAO], id="a name that begins like it"
    ),
    pytest.param((b"Vary: A",), EVERYONE, PLAIN, [b"Vary: A", b"Access-Control-Allow-Origin: *"], id="Vary, everyone"),
    pytest.param((b"Vary: A",), NAMED, SHADOW, [b"Vary: A"], id="Vary, only watched"),
    pytest.param(
        (b"Timing-Allow-Origin: *",),
        TIMED,
        PLAIN,
        [b"Vary: Origin", ACAO, b"Timing-Allow-Origin: https://app.example"],
        id="timing is the policy's",
    ),
    pytest.param(
        (b"Timing-Allow-Origin: *",),
        NAMED,
        PLAIN,
        [b"Timing-Allow-Origin: *", b"Vary: Origin", ACAO],
        id="timing is the upstream's",
    ),
    pytest.param((b"Timing-Allow-Origin: *",), TIMED, SHADOW, [b"Timing-Allow-Origin: *"], id="timing, only watched"),
    pytest.param((b"X-A: b", b"X-B: b", b"Connection: x-a"), NONE, PLAIN, [b"X-B: b"], id="what Connection names"),
    pytest.param(
        (b"X-A: b", b"X-B: b", b"Connection: close", b"Connection: X-A, x-b"),
        NONE,
        PLAIN,
        [],
        id="what the second Connection names",
    ),
    pytest.param(
        (
            b"Connection: content-length, content-type, location, set-cookie, vary",
            b"Content-Length: 3",
            b"Content-Type: a",
            b"Location: /",
            b"Set-Cookie: a",
            b"Vary: A",
        ),
        NAMED,
        PLAIN,
        [b"Content-Length: 3", b"Content-Type: a", b"Location: /", b"Set-Cookie: a", b"Vary: A, Origin", ACAO],
        id="what no option takes away",
    ),
    pytest.param((b"X-A: b", b"x-b: c"), NONE, edits("X-B", X_A="n", X_C="m"), [b"X-A: n", b"X-C: m"], id="edited"),
    pytest.param(
        (b"X-A: b",), NAMED, edits(X_C="m"), [b"X-A: b", b"Vary: Origin", b"X-C: m", ACAO], id="edited and granted"
    ),
    pytest.param(
        (b"X-A: b", b"Set-Cookie: a", b"ETag: c", b"Cache-Control: d"),
        STARRED,
        PLAIN,
        [
            b"X-A: b",
            b"Set-Cookie: a",
            b"ETag: c",
            b"Cache-Control: d",
            b"Vary: Origin",
            *STARRED_LINES,
            b"Access-Control-Expose-Headers: Date, X-A, ETag, Vary, Via, Connection",
        ],
        id="names listed",
    ),
    pytest.param(
        (b"X-A: b",),
        STARRED,
        edits("X-A", "Vary", X_C="m"),
        [b"X-C: m", *STARRED_LINES, b"Access-Control-Expose-Headers: Date, X-C, Via, Connection"],
        id="names listed, edited",
    ),
]


@pytest.mark.parametrize(("lines", "granted", "rules", "expected"), ROWS)
def test_what_the_client_gets(
    lines: tuple[bytes, ...], granted: Grant, rules: ResponseRules, expected: list[bytes]
) -> None:
    """Between Date and Via: nothing missing, nothing more, in this order."""
    found = middle(head(DATE, *lines), granted, rules)
    assert [_as_set(line) for line in found] == [_as_set(line) for line in expected]


def _as_set(line: bytes) -> object:
    """Return a list of exposed names without its order and letter case, any other line as it is."""
    name, _, value = line.partition(b": ")
    return frozenset(value.lower().split(b", ")) if name == b"Access-Control-Expose-Headers" else line


@pytest.mark.parametrize(
    ("status", "framing", "kept"),
    [
        (200, Framing.LENGTH, True),
        (304, Framing.NONE, True),
        (204, Framing.NONE, False),
        (205, Framing.LENGTH, False),
        (200, Framing.CHUNKED, False),
        (200, Framing.CLOSE, False),
    ],
)
def test_where_content_length_stays(status: int, framing: Framing, kept: bool) -> None:
    """RFC 9110 section 8.6: it is sent if it is correct, and never if it is not allowed."""
    lines = middle(head(DATE, b"Content-Length: 3", status=status, framing=framing))
    assert lines == ([b"Content-Length: 3"] if kept else [])


def test_a_missing_date_is_added() -> None:
    """RFC 9110 section 6.6.1: once, at the end of what the upstream said."""
    _, one, date, *rest = written(head(b"X-A: b"))
    assert one == b"X-A: b"
    assert date.startswith(b"Date: ")
    assert date.endswith(b" GMT")
    assert rest == [b"Via: 1.1 x", b"Connection: close"]


def test_the_status_line() -> None:
    """The upstream's own phrase, even none."""
    response = head(DATE, status=418)
    for reason in (b"", b"I'm a teapot", b"\xe4 b"):
        response.reason = reason
        assert written(response)[0] == b"HTTP/1.1 418 " + reason


def test_a_426_keeps_its_upgrade() -> None:
    """RFC 9110 section 7.8: and Connection says so; nothing of it where there is none, or the status is another."""
    line = b"Upgrade: TLS/1.0"
    assert written(head(DATE, line, status=426))[2:] == [
        line,
        b"Via: 1.1 x",
        b"Connection: Upgrade",
        b"Connection: close",
    ]
    assert written(head(DATE, status=426))[2:] == [b"Via: 1.1 x", b"Connection: close"]


def test_trailer_is_announced_to_who_takes_it() -> None:
    """The field goes with the trailer fields, and names those alone that go."""
    assert middle(head(DATE, b"Trailer: X-A"), trailers=True) == [b"Trailer: X-A"]
    line = b"Trailer: X-A ,, X-B,\tVary, Access-Control-Allow-Origin, Content-Length,etag"
    assert middle(head(DATE, line), trailers=True) == [b"Trailer: X-A, X-B, etag"]
    assert middle(head(DATE, line), NONE, edits("x-b"), trailers=True) == [b"Trailer: X-A, etag"]


def test_an_edit_of_the_proxy_s_own_via() -> None:
    """`remove: [Via]` covers both."""
    assert written(head(DATE, b"Via: 1.0 up"), NONE, edits("via"))[1:] == [DATE, b"Connection: close"]


def test_interim_responses() -> None:
    """Hop-by-hop fields, cookies and CORS fields stay here; edits hold."""
    lines = (b"Link: </a>", b"X-A: b", DATE, b"Access-Control-Allow-Origin: *", b"Connection: close", b"Vary: A")
    early = head(*lines, status=103)
    early.reason = b"Early Hints"
    front = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n"
    assert interim_head(early, PLAIN, b"", b"") == front + b"X-A: b\r\n" + DATE + b"\r\n\r\n"
    assert interim_head(early, edits("Date", X_A="n"), b"", b"") == front + b"X-A: n\r\n\r\n"


def test_switching_protocols() -> None:
    """The 101 keeps what the two sides have agreed on, and says again what it switches to."""
    lines = (b"Sec-WebSocket-Accept: a", b"Set-Cookie: b", b"Vary: c", DATE, b"Link: </d>", b"Content-Length: 0")
    response = head(*lines, b"Connection: Upgrade", b"Upgrade: other", b"Access-Control-Allow-Origin: *", status=101)
    kept = b"".join(line + b"\r\n" for line in lines[:-1])
    end = b"Connection: Upgrade\r\nUpgrade: websocket\r\nVia: 1.1 x\r\n\r\n"
    assert switching_head(response, b"websocket", PLAIN, b"Via: 1.1 x\r\n") == b"HTTP/1.1 101 \r\n" + kept + end


def test_trailer_fields() -> None:
    """What is removed from the head does not come behind the content."""
    trailers = [(b"X-A", b"1"), (b"x-b", b"2")]
    assert list(client_trailers(trailers, PLAIN)) == trailers
    assert list(client_trailers(trailers, edits("X-B"))) == [(b"X-A", b"1")]
