"""Explain: route, policy, deciding line, answers, verdict for each credentials mode, as text and as JSON."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from corsproxy.config import ConfigError, load_file, load_text
from corsproxy.errors import UsageError
from corsproxy.tools.explain import Question, ask, explain, judge
from tests.tools.explained import FILE, PAGE, explained, file_fixture, text_of

__all__ = ["file_fixture"]

REASONS: list[tuple[str, str, dict[str, Any], str | None, str, int]] = [
    ("a granted GET", "/orders", {}, None, "policies.app.allow_origins[0]", 7),
    (
        "a GET granted by a pattern",
        "/orders",
        {"origin": "https://a.example.org"},
        None,
        "policies.app.allow_origins[1]",
        8,
    ),
    (
        "a granted PUT with credentials",
        "/orders",
        {"method": "PUT", "credentials": True},
        None,
        "policies.app.allow_origins[0]",
        7,
    ),
    ("a granted GET of everybody", "/open", {"origin": "null"}, None, "policies.open.allow_origins[0]", 14),
    (
        "another origin",
        "/orders",
        {"origin": "https://b.example"},
        "origin_not_allowed",
        "policies.app.allow_origins",
        6,
    ),
    (
        "an origin in upper case",
        "/orders",
        {"origin": "https://APP.example.com"},
        "origin_malformed",
        "policies.app.allow_origins",
        6,
    ),
    ("an origin with a path", "/orders", {"origin": f"{PAGE}/"}, "origin_malformed", "policies.app.allow_origins", 6),
    ("another method", "/orders", {"method": "DELETE"}, "method_not_allowed", "policies.app.allow_methods", 9),
    ("a method where the default holds", "/open", {"method": "DELETE"}, "method_not_allowed", "policies.open", 14),
    ("credentials where they are not", "/open", {"credentials": True}, "credentials_not_allowed", "policies.open", 14),
    ("no policy", "/bare", {}, "no_policy", "routes[5]", 23),
    ("no route", "/nowhere", {}, "no_route", "routes", 17),
    ("no Origin", "/orders", {"origin": None}, None, "routes[0]", 18),
    ("no Origin and no route", "/nowhere", {"origin": None}, "no_route", "routes", 17),
]


@pytest.mark.parametrize(
    ("path", "options", "reason", "place", "line"), [pytest.param(*rest, id=name) for name, *rest in REASONS]
)
def test_reason_and_deciding_line(
    file: Path, path: str, options: dict[str, Any], reason: str | None, place: str, line: int
) -> None:
    """The reason is the proxy's own, the line is the one a person would change, the exit status follows."""
    status, found = explained(file, path, **options)
    assert (status, found["verdict"]["allowed"]) == ((0, True) if reason is None else (1, False))
    assert (found["reason"], found["verdict"]["reason"]) == (reason, reason)
    decided = found["decided_by"]
    assert (decided["path"], decided["line"], decided["file"]) == (place, line, str(file))
    assert decided["text"] == FILE.splitlines()[line - 1].strip()
    assert (found["change"] is None) == (reason is None or reason == "origin_malformed")


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        (("Content-Type",), None),
        (("content-type: application/json", "Accept"), None),
        (("X-Request-Id",), "headers_not_allowed"),
        (("Content-Type", "X-Request-Id"), "headers_not_allowed"),
        (("Cookie",), None),
    ],
)
def test_headers(file: Path, headers: tuple[str, ...], reason: str | None) -> None:
    """Names are enough; a value may be given; what the browser drops needs no permission."""
    assert explained(file, "/orders", *headers)[1]["reason"] == reason


@pytest.mark.parametrize(
    ("header", "kind"),
    [("Content-Type", "preflight"), ("Content-Type: text/plain", "actual"), ("Accept", "actual"), ("Range", "actual")],
)
def test_kind(file: Path, header: str, kind: str) -> None:
    """A name without a value gets its usual value: Content-Type is JSON."""
    assert explained(file, "/orders", header)[1]["kind"] == kind


def test_answers_as_the_client_sees_them(file: Path) -> None:
    """Both answers are complete: every CORS field and Vary, in order, and the preflight's own status."""
    _, found = explained(file, "/orders", "Content-Type", method="PUT", credentials=True)
    assert found["preflight"] == {
        "status": 200,
        "headers": [
            ["Access-Control-Allow-Origin", PAGE],
            ["Access-Control-Allow-Credentials", "true"],
            ["Access-Control-Allow-Methods", "GET, PUT"],
            ["Access-Control-Allow-Headers", "Content-Type"],
            ["Access-Control-Max-Age", "600"],
            ["Vary", "Origin"],
        ],
    }
    assert found["response"] == {
        "status": 200,
        "headers": [
            ["Access-Control-Allow-Origin", PAGE],
            ["Access-Control-Allow-Credentials", "true"],
            ["Access-Control-Expose-Headers", "(the names of that response)"],
            ["Vary", "Origin"],
        ],
    }


def test_no_preflight_where_a_browser_sends_none(file: Path) -> None:
    """A plain GET has no preflight, and a response for everyone has no Vary."""
    _, found = explained(file, "/open")
    assert found["preflight"] is None
    assert found["response"]["headers"] == [
        ["Access-Control-Allow-Origin", "*"],
        ["Access-Control-Expose-Headers", "ETag"],
        ["Timing-Allow-Origin", "*"],
    ]


def test_refused_answers_have_vary_alone(file: Path) -> None:
    """A refused preflight is 403; a refused request is forwarded, or 403 where the policy rejects."""
    _, found = explained(file, "/orders", origin="https://b.example", method="PUT")
    assert found["preflight"] == {"status": 403, "headers": [["Vary", "Origin"]]}
    assert found["response"] == {"status": 200, "headers": [["Vary", "Origin"]]}
    _, found = explained(file, "/orders/7/invoice", origin="https://b.example")
    assert found["response"] == {"status": 403, "headers": [["Vary", "Origin"]]}


def test_a_verdict_for_each_credentials_mode(file: Path) -> None:
    """The requested mode decides; the other mode is reported too."""
    _, found = explained(file, "/open")
    assert {mode: verdict["allowed"] for mode, verdict in found["verdicts"].items()} == {"omit": True, "include": False}
    assert found["verdicts"]["include"]["reason"] == "credentials_not_allowed"


@pytest.mark.parametrize(("path", "reason"), [("/bare", "no_policy"), ("/nowhere", "no_route")])
def test_a_missing_route_or_policy_fails_in_both_modes(file: Path, path: str, reason: str) -> None:
    """Without a policy or a route both verdicts have that reason, not the browser's."""
    _, found = explained(file, path)
    assert {verdict["reason"] for verdict in found["verdicts"].values()} == {reason}


def test_explain_gives_what_the_command_prints(file: Path) -> None:
    """With a loaded configuration it returns the object of `--format json`."""
    question = ask("/orders", origin=PAGE, method="DELETE", headers=(), credentials=True, host=None)
    assert (
        explain(load_file(str(file), {}), question, {})
        == explained(file, "/orders", method="DELETE", credentials=True)[1]
    )


def test_shadow_mode_is_remarked_on(file: Path) -> None:
    """A policy in shadow mode decides nothing yet."""
    assert any("shadow" in remark for remark in explained(file, "/trial")[1]["remarks"])


def test_text_for_people(file: Path) -> None:
    """The verdict comes first, then why, then the patch."""
    text = text_of(file, "/orders", method="DELETE", headers=("X-A",))
    first, *_ = text.splitlines()
    assert first == (
        f"DELETE /orders asked by {PAGE}: refused: method_not_allowed: allow_methods of policy app does not name DELETE"
    )
    assert f"decided   {file}:9: allow_methods: [GET, PUT]\n" in text
    assert "preflight-needed: yes: method DELETE is not CORS-safelisted" in text
    assert "credentials omitted: refused" in text
    assert "\n+    allow_methods: [GET, PUT, DELETE]\n" in text
    assert text_of(file, "/orders").splitlines()[0] == f"GET /orders asked by {PAGE}: allowed"


@pytest.mark.parametrize(
    ("path", "options", "says"),
    [
        ("orders", {}, "write '/orders'"),
        ("/orders", {"method": "GE T"}, "invalid method"),
        ("/orders", {"host": "a b"}, "invalid host"),
        ("/orders", {"headers": ("X A",)}, "invalid header"),
        ("/orders", {"headers": ("X-A: 1\nB: 2",)}, "one line"),
        ("/orders", {"origin": "https://a\r\nX: y"}, "no header can"),
        ("/orders", {"origin": "https://\x1b[31m.example"}, "no header can"),
        ("/orders", {"origin": "https://\udcff.example"}, "no header can"),
        ("/orders", {"origin": ""}, "leave it out for a request without Origin"),
        ("/orders", {"host": "a:99999"}, "at most 65535"),
        ("http://[bad/orders", {}, "invalid URL"),
        ("http://a b/orders", {}, "invalid URL"),
        ("http://a:99999/orders", {}, "invalid URL"),
        ("ftp://a/orders", {}, "expected an http or https URL, or its path alone"),
    ],
)
def test_usage(file: Path, path: str, options: dict[str, Any], says: str) -> None:
    """A request that none can make is a mistake of the user."""
    with pytest.raises(UsageError, match=says):
        text_of(file, path, **options)


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("HTTP://u@API.example/orders?x#y", "GET /orders at API.example asked by "),
        ("/caf\u00e9 \udcff", "GET /caf%C3%A9%20%FF asked by "),
    ],
)
def test_a_path_is_asked_as_a_browser_would_send_it(file: Path, path: str, asked: str) -> None:
    """A URL in any case, characters beyond ASCII, and bytes that are none."""
    assert text_of(file, path).startswith(asked)


def test_a_missing_file_is_a_config_error(tmp_path: Path) -> None:
    """No file, no explanation, and no traceback."""
    with pytest.raises(ConfigError):
        text_of(tmp_path / "none.yaml", "/")


ORIGINS = [
    PAGE,
    "https://a.example.org",
    "https://b.example",
    "null",
    "https://APP.example.com",
    "http://app.example.com",
]
METHODS = ["GET", "HEAD", "POST", "PUT", "put", "PATCH", "patch", "DELETE", "OPTIONS"]
HEADERS = [(), ("Content-Type",), ("Accept",), ("Authorization",), ("Content-Type", "X-A")]


@pytest.mark.parametrize("path", ["/orders", "/open", "/orders/1/invoice", "/bare"])
def test_proxy_and_browser_agree(path: str) -> None:
    """The proxy's decision and the browser's verdict agree in every combination."""
    loaded = load_text(FILE, "corsproxy.yaml", {})
    for origin, method, names in product(ORIGINS, METHODS, HEADERS):
        headers = tuple((name, "application/json" if name == "Content-Type" else "1") for name in names)
        question = Question(path, origin, method, headers)
        judgement = judge(loaded, question)
        assert judgement.is_allowed is judgement.decision.granted, question
        assert (judgement.reason is None) is judgement.is_allowed, question


def test_a_field_value_in_the_deciding_line_is_hidden(file: Path) -> None:
    """Where the whole file is one line, or the route's line holds it."""
    file.write_text(
        "{upstreams: {a: {url: 'http://127.0.0.1', request_headers: {set: {X-Api-Key: s3cret}}}}, "
        "routes: [{path: /, upstream: a}]}"
    )
    _, found = explained(file, "/")
    assert "******" in found["decided_by"]["text"]
    assert "s3cret" not in json.dumps(found) + text_of(file, "/")
