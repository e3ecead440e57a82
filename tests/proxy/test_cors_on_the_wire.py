"""What CORS does to messages on their way: the upstream's fields go, the policy's come, preflights go no further.

What is granted and why is the core's business and tested there; the numbers are those of docs/http.md.
"""

from __future__ import annotations

import pytest

from tests.proxy.bench import Bench
from tests.proxy.wire import ask

FRESH = True

CONFIG = """
admin: 127.0.0.1:0
upstreams: {{up: "{upstream}"}}
policies:
  app: {{allow_origins: ["https://app.example"], allow_credentials: true, expose_headers: [ETag],
        allow_methods: [PUT], allow_headers: [X-A]}}
  all: {{allow_origins: ["*"]}}
  named: {{allow_origins: ["https://app.example"], allow_credentials: true, expose_headers: ["*"]}}
  timed: {{allow_origins: ["https://app.example"], timing: true}}
  listed: {{allow_origins: ["https://app.example"], timing: [https://t.example, https://u.example]}}
  shadow: {{allow_origins: ["https://app.example"], mode: shadow}}
  old: {{allow_origins: ["https://app.example"], preflight_status: 200}}
routes:
  - {{path: /, upstream: up, policy: app}}
  - {{path: /all, upstream: up, policy: all}}
  - {{path: /named, upstream: up, policy: named}}
  - {{path: /timed, upstream: up, policy: timed}}
  - {{path: /listed, upstream: up, policy: listed}}
  - {{path: /shadow, upstream: up, policy: shadow}}
  - {{path: /old, upstream: up, policy: old}}
  - {{path: /bare, upstream: up}}
log: {{format: json}}
"""

APP = b"https://app.example"
EVIL = b"https://evil.example"

UPSTREAM_S_OWN = (
    b"Access-Control-Allow-Origin: *",
    b"access-control-allow-origin: https://evil.example",
    b"ACCESS-CONTROL-ALLOW-CREDENTIALS: true",
    b"Access-Control-Allow-Methods: *",
    b"Access-Control-Allow-Headers: *",
    b"Access-Control-Expose-Headers: *",
    b"Access-Control-Max-Age: 1",
    b"Access-Control-Allow-Private-Network: true",
    b"Access-Control-Whatever-Comes-Next: 1",
)

GRANTED = [
    b"Access-Control-Allow-Credentials: true",
    b"Access-Control-Allow-Origin: https://app.example",
    b"Access-Control-Expose-Headers: ETag",
    b"Vary: Origin",
]


def actual(path: bytes = b"/", origin: bytes | None = APP, method: bytes = b"GET") -> bytes:
    """Write an actual request, or one without Origin."""
    line = b"" if origin is None else b"Origin: " + origin + b"\r\n"
    return b"%b %b HTTP/1.1\r\nHost: h\r\n%b\r\n" % (method, path, line)


def preflight(path: bytes = b"/", origin: bytes = APP, method: bytes = b"GET", names: bytes = b"") -> bytes:
    """Write a CORS-preflight request."""
    lines = [
        b"OPTIONS %b HTTP/1.1" % path,
        b"Host: h",
        b"Origin: " + origin,
        b"Access-Control-Request-Method: " + method,
        *([b"Access-Control-Request-Headers: " + names] if names else []),
    ]
    return b"\r\n".join(lines) + b"\r\n\r\n"


@pytest.mark.parametrize("status", [b"200 OK", b"204 x", b"301 x", b"304 x", b"401 x", b"404 x", b"500 x", b"503 x"])
@pytest.mark.parametrize(
    ("path", "origin", "cors"),
    [
        pytest.param(b"/", APP, GRANTED, id="granted"),
        pytest.param(b"/", EVIL, [b"Vary: Origin"], id="refused"),
        pytest.param(b"/", None, [b"Vary: Origin"], id="no Origin"),
        pytest.param(b"/all", EVIL, [b"Access-Control-Allow-Origin: *"], id="everyone"),
        pytest.param(b"/all", None, [b"Access-Control-Allow-Origin: *"], id="everyone, no Origin"),
        pytest.param(b"/bare", APP, [], id="no policy"),
    ],
)
def test_http_105_the_policy_s_fields_and_no_others(
    bench: Bench, path: bytes, origin: bytes | None, cors: list[bytes], status: bytes
) -> None:
    """http-105, http-107: whatever the status, whatever the upstream sent, in whatever spelling."""
    lines = b"".join(line + b"\r\n" for line in UPSTREAM_S_OWN)
    length = b"" if status[:3] in {b"204", b"304"} else b"Content-Length: 0\r\n"
    bench.answering(b"HTTP/1.1 " + status + b"\r\n" + lines + length + b"\r\n")
    response = bench.ask(actual(path, origin))
    assert response.status == int(status[:3])
    assert response.cors == cors


VARY = [
    pytest.param([b"Vary: Accept-Encoding"], [b"Vary: Accept-Encoding, Origin"], id="one line"),
    pytest.param([b"Vary: Origin"], [b"Vary: Origin"], id="Origin already"),
    pytest.param([b"vary: accept, ORIGIN"], [b"vary: accept, ORIGIN"], id="Origin already, in another letter case"),
    pytest.param([b"Vary: *"], [b"Vary: *"], id="a star"),
    pytest.param([b"Vary: A", b"Vary: B"], [b"Vary: A", b"Vary: B, Origin"], id="two lines"),
    pytest.param([b"Vary: Origin", b"Vary: B"], [b"Vary: B", b"Vary: Origin"], id="Origin on the first of two"),
    pytest.param([b"Vary:"], [b"Vary: Origin"], id="an empty line"),
    pytest.param([b"Vary: Accept,, Origin"], [b"Vary: Accept,, Origin"], id="Origin behind an empty member"),
    pytest.param([b"Vary: Accept, ,"], [b"Vary: Accept, Origin"], id="empty members at the end"),
    pytest.param([b"Vary: ,"], [b"Vary: Origin"], id="empty members alone"),
    pytest.param([b"Vary: X-Origin"], [b"Vary: X-Origin, Origin"], id="a name that only ends like it"),
]


@pytest.mark.parametrize(("lines", "expected"), VARY)
def test_http_105_vary_is_merged(bench: Bench, lines: list[bytes], expected: list[bytes]) -> None:
    """http-105: no line is lost, none is doubled."""
    fields = b"".join(line + b"\r\n" for line in lines)
    bench.answering(b"HTTP/1.1 200 OK\r\n" + fields + b"Content-Length: 0\r\n\r\n")
    response = bench.ask(actual())
    assert [line for line in response.cors if line.lower().startswith(b"vary")] == expected
    everyone = bench.ask(actual(b"/all"))
    assert sorted(line for line in everyone.lines if line.lower().startswith(b"vary")) == sorted(
        line if line != b"Vary:" else b"Vary: " for line in lines
    )


WHOLE_GRANT = [
    b"Access-Control-Allow-Credentials: true",
    b"Access-Control-Allow-Headers: X-A",
    b"Access-Control-Allow-Methods: PUT",
    b"Access-Control-Allow-Origin: https://app.example",
    b"Access-Control-Max-Age: 600",
    b"Vary: Origin",
]
SAFELISTED, MAX_AGE = b"Access-Control-Allow-Methods: GET, HEAD, POST", b"Access-Control-Max-Age: 600"
FOR_OLD = [SAFELISTED, b"Access-Control-Allow-Origin: https://app.example", MAX_AGE, b"Vary: Origin"]
FOR_ALL = [SAFELISTED, b"Access-Control-Allow-Origin: *", MAX_AGE]

PREFLIGHTS = [
    pytest.param(preflight(), 204, WHOLE_GRANT, id="granted"),
    pytest.param(preflight(method=b"PUT"), 204, WHOLE_GRANT, id="granted, a method"),
    pytest.param(preflight(names=b"x-a"), 204, WHOLE_GRANT, id="granted, a header"),
    pytest.param(preflight(origin=EVIL), 403, [b"Vary: Origin"], id="refused, the origin"),
    pytest.param(preflight(origin=b"null"), 403, [b"Vary: Origin"], id="refused, null"),
    pytest.param(preflight(method=b"DELETE"), 403, [b"Vary: Origin"], id="refused, the method"),
    pytest.param(preflight(method=b"TRACE"), 403, [b"Vary: Origin"], id="refused, a forbidden method"),
    pytest.param(preflight(names=b"x-a,x-b"), 403, [b"Vary: Origin"], id="refused, a header"),
    pytest.param(preflight(b"/old"), 200, FOR_OLD, id="granted, to an old client"),
    pytest.param(preflight(b"/all", EVIL), 204, FOR_ALL, id="everyone"),
    pytest.param(preflight(b"/all", EVIL, b"DELETE"), 403, [], id="everyone, but not this method"),
    pytest.param(preflight(b"/bare"), 403, [], id="no policy"),
]


@pytest.mark.parametrize(("request_bytes", "status", "cors"), PREFLIGHTS)
def test_http_106_preflights_go_no_further(bench: Bench, request_bytes: bytes, status: int, cors: list[bytes]) -> None:
    """http-106: the answer has exactly these fields, also when remembered, and the upstream sees nothing."""
    with bench.client() as client:
        for _ in range(2):
            client.send(request_bytes)
            response = client.read_response()
            assert (response.status, response.cors) == (status, cors)
            assert bool(response.body) == (status >= 400)
    assert bench.connections == []


@pytest.mark.parametrize(
    "lines",
    [b"", b"Origin: https://app.example\r\n", b"Access-Control-Request-Method: PUT\r\n"],
    ids=["bare", "Origin alone", "the method alone"],
)
def test_http_106_any_other_options_is_forwarded(bench: Bench, lines: bytes) -> None:
    """http-106: an OPTIONS that is no preflight is the upstream's to answer."""
    assert bench.ask(b"OPTIONS / HTTP/1.1\r\nHost: h\r\n" + lines + b"\r\n").status == 200
    assert bench.request.line == b"OPTIONS / HTTP/1.1"


def test_http_106_a_preflight_with_content(bench: Bench) -> None:
    """http-106: unused content does not become the next request."""
    with bench.client() as client:
        client.send(preflight().replace(b"\r\n\r\n", b"\r\nContent-Length: 36\r\n\r\n") + actual(b"/evil")[:36])
        assert client.read_response().status == 204
        client.send(actual(b"/next"))
        client.read_response()
    assert b"/evil" not in b"".join(request.line for request in bench.requests)


def test_names_are_listed_where_credentials_forbid_a_star(bench: Bench) -> None:
    """http-105: `expose_headers: ["*"]` with credentials lists the names of that very response."""
    bench.answering(b"HTTP/1.1 200 OK\r\nX-Total: 1\r\nETag: x\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n")
    (value,) = bench.ask(actual(b"/named")).values(b"Access-Control-Expose-Headers")
    names = {name.strip().lower() for name in value.split(b",")}
    assert {b"x-total", b"etag"} <= names
    assert not names & {b"set-cookie", b"*"}


@pytest.mark.parametrize(
    "framing", [b"Content-Length: 0\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"], ids=["length", "chunks"]
)
def test_every_name_that_the_client_sees_is_listed(bench: Bench, framing: bytes) -> None:
    """As a star would do without credentials: the proxy's own Via and Date included, and nothing that is not there."""
    bench.answering(b"HTTP/1.1 200 OK\r\nX-Total: 1\r\nCache-Control: no-store\r\nSet-Cookie: a=b\r\n" + framing)
    response = bench.ask(actual(b"/named"))
    (value,) = response.values(b"Access-Control-Expose-Headers")
    names = {line.partition(b":")[0].lower() for line in response.lines}
    seen = {name for name in names if not name.startswith(b"access-control-")}
    free = {b"cache-control", b"content-length", b"set-cookie"}
    assert {name.strip().lower() for name in value.split(b",")} == seen - free
    assert {b"via", b"date", b"vary", b"x-total"} <= seen


@pytest.mark.parametrize("method", [b"FOO", b"patch", b"GETX", b"PLAY"])
@pytest.mark.parametrize(
    ("path", "origin", "cors"),
    [
        pytest.param(b"/", APP, GRANTED, id="granted"),
        pytest.param(b"/", EVIL, [b"Vary: Origin"], id="refused"),
        pytest.param(b"/", None, [b"Vary: Origin"], id="no Origin"),
        pytest.param(b"/all", EVIL, [b"Access-Control-Allow-Origin: *"], id="everyone"),
        pytest.param(b"/bare", APP, [], id="no policy"),
    ],
)
def test_http_35_the_501_carries_the_grant(
    bench: Bench, method: bytes, path: bytes, origin: bytes | None, cors: list[bytes]
) -> None:
    """http-35: a page reads that the method is not known; its preflight is refused."""
    response = bench.ask(actual(path, origin, method))
    assert (response.status, response.cors, response.values(b"Connection")) == (501, cors, [b"close"])
    assert bench.ask(preflight(path, APP, method)).status == 403
    assert bench.requests == []


def test_timing_allow_origin(bench: Bench) -> None:
    """http-105: left alone, or, with `timing`, the policy's own."""
    bench.answering(b"HTTP/1.1 200 OK\r\nTiming-Allow-Origin: *\r\nContent-Length: 0\r\n\r\n")
    assert bench.ask(actual()).values(b"Timing-Allow-Origin") == [b"*"]
    assert bench.ask(actual(b"/timed")).values(b"Timing-Allow-Origin") == [APP]
    assert bench.ask(actual(b"/timed", EVIL)).values(b"Timing-Allow-Origin") == []
    assert bench.ask(b"GET /timed HTTP/1.1\r\nHost: h\r\n\r\n").values(b"Timing-Allow-Origin") == [APP]
    for request in (actual(b"/listed"), actual(b"/listed", EVIL), b"GET /listed HTTP/1.1\r\nHost: h\r\n\r\n"):
        response = bench.ask(request)
        assert response.values(b"Timing-Allow-Origin") == [b"https://t.example, https://u.example"]
        assert response.values(b"Vary") == ([b"Origin"] if response.cors else [])


def test_shadow_mode_changes_nothing(bench: Bench) -> None:
    """`mode: shadow`: the upstream's fields stay, nothing is added, preflights are forwarded."""
    bench.answering(b"HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\nContent-Length: 0\r\n\r\n")
    for request in (actual(b"/shadow"), actual(b"/shadow", EVIL), preflight(b"/shadow", EVIL)):
        assert bench.ask(request).cors == [b"Access-Control-Allow-Origin: *"]
    assert len(bench.requests) == 3


def test_shadow_mode_grants_nothing_on_the_proxys_own_answers(bench: Bench) -> None:
    """`mode: shadow`: a 501 of the proxy's own carries no more than an upstream's response would."""
    response = bench.ask(actual(b"/shadow", method=b"FOO"))
    assert (response.status, response.cors) == (501, [])


def test_several_origins_match_nothing(bench: Bench) -> None:
    """An actual request with two Origin lines is forwarded as it is, without a grant; only a preflight is refused."""
    request = actual().replace(b"\r\n\r\n", b"\r\nOrigin: " + APP + b"\r\nX-Request-Id: two-origins\r\n\r\n")
    response = bench.ask(request)
    assert (response.status, response.cors) == (200, [b"Vary: Origin"])
    assert bench.request.values(b"Origin") == [APP, APP]
    line = bench.logged("two-origins")
    assert (line["cors"], line["reason"]) == ("refused", "origin_malformed")
    assert bench.ask(request.replace(b"GET", b"OPTIONS")).status == 400
    assert len(bench.requests) == 1


def test_the_log_has_every_requested_header(bench: Bench) -> None:
    """Several lines of Access-Control-Request-Headers are shown joined, as they are decided on."""
    request = preflight(names=b"x-a").replace(
        b"\r\n\r\n", b"\r\nAccess-Control-Request-Headers: x-b\r\nX-Request-Id: two-lines\r\n\r\n"
    )
    assert bench.ask(request).status == 403
    assert bench.logged("two-lines")["requested_headers"] == "x-a, x-b"


def test_http_103_the_admin_listener_is_apart(bench: Bench) -> None:
    """http-103: its paths are the upstream's on the proxied port, and it says nothing of CORS."""
    for path in (b"/metrics", b"/healthz", b"/readyz"):
        assert bench.ask(actual(path)).body == b"ok"
    assert [request.line.split()[1] for request in bench.requests] == [b"/metrics", b"/healthz", b"/readyz"]
    response = ask(bench.proxy.admin, actual(b"/healthz").replace(b"Host: h", b"Host: localhost"))
    assert (response.status, response.cors) == (200, [])
