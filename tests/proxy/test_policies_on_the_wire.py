"""Several policies on a route, methods and hosts with a star in routes, own pages and diagnostics, as a client sees."""

from __future__ import annotations

import pytest

from tests.proxy.bench import Bench
from tests.support.upstream import OK

CONFIG = """
admin: 127.0.0.1:0
public_origins: [https://api.example, https://other.example:8443]
upstreams: {{up: "{upstream}"}}
policies:
  staff: {{allow_origins: ["https://staff.example"], allow_credentials: true, timing: true, preflight_status: 200}}
  public: {{allow_origins: ["*"]}}
  strict: {{allow_origins: ["https://app.example"], on_refused: reject}}
  open: {{allow_origins: ["*"], websockets: any}}
  shut: {{allow_origins: ["https://app.example"], websockets: off}}
  told: {{allow_origins: ["https://app.example"], allow_headers: [X-A], diagnostics: true}}
routes:
  - {{path: /both, upstream: up, policy: [staff, public]}}
  - {{path: /strict, upstream: up, policy: strict}}
  - {{path: /public, upstream: up, policy: public}}
  - {{path: /open, upstream: up, policy: open}}
  - {{path: /mixed, upstream: up, policy: [shut, open]}}
  - {{path: /told, upstream: up, policy: told}}
  - {{path: /by, methods: [GET], upstream: up, policy: public}}
  - {{path: /by, methods: [POST, OPTIONS], upstream: up, policy: strict}}
  - {{path: /star, host: "*.star.example", upstream: up, policy: public}}
log: {{format: json}}
"""

STAFF, APP, EVIL, OWN = "https://staff.example", "https://app.example", "https://evil.example", "https://api.example"


def request(method: str, path: str, *lines: str, host: str = "h") -> bytes:
    """Write a request."""
    return "".join(f"{line}\r\n" for line in (f"{method} {path} HTTP/1.1", f"Host: {host}", *lines, "")).encode()


def preflight(path: str, origin: str, method: str, *lines: str) -> bytes:
    """Write a preflight."""
    return request("OPTIONS", path, f"Origin: {origin}", f"Access-Control-Request-Method: {method}", *lines)


STAR = [b"Access-Control-Allow-Origin: *", b"Vary: Origin"]


@pytest.mark.parametrize(
    ("origin", "cors"),
    [
        (
            STAFF,
            [
                b"Access-Control-Allow-Credentials: true",
                b"Access-Control-Allow-Origin: https://staff.example",
                b"Timing-Allow-Origin: https://staff.example",
                b"Vary: Origin",
            ],
        ),
        (EVIL, [b"Access-Control-Allow-Origin: *", b"Timing-Allow-Origin: https://up.example", b"Vary: Origin"]),
        (None, [b"Timing-Allow-Origin: https://up.example", b"Vary: Origin"]),
    ],
)
def test_of_several_policies_the_first_whose_origins_pass_decides(
    bench: Bench, origin: str | None, cors: list[bytes]
) -> None:
    """The grant, the credentials and whose Timing-Allow-Origin it is are that policy's; Vary is there in every case."""
    bench.answering(b"HTTP/1.1 200 OK\r\nTiming-Allow-Origin: https://up.example\r\nContent-Length: 0\r\n\r\n")
    response = bench.ask(request("GET", "/both", *([f"Origin: {origin}"] if origin else [])))
    wanted = {line for line in response.lines if line.lower().startswith(b"timing")} | set(response.cors)
    assert sorted(wanted) == cors


def test_the_status_of_a_preflight_is_that_of_the_policy_that_decides(bench: Bench) -> None:
    """200 for staff, 204 for everyone else; nothing reaches the upstream."""
    assert bench.ask(preflight("/both", STAFF, "GET")).status == 200
    assert bench.ask(preflight("/both", EVIL, "GET")).status == 204
    assert bench.requests == []


@pytest.mark.parametrize(
    ("origin", "status", "cors", "log"),
    [(OWN, 200, [b"Vary: Origin"], "none"), (EVIL, 403, [b"Vary: Origin"], "refused")],
)
def test_an_own_page_passes_where_strangers_are_rejected(
    bench: Bench, origin: str, status: int, cors: list[bytes], log: str
) -> None:
    """`public_origins` says who is an own page; its request is no CORS request, and Vary stays."""
    response = bench.ask(
        request("POST", "/strict", f"Origin: {origin}", f"X-Request-Id: own-{log}", "Content-Length: 0")
    )
    assert (response.status, response.cors) == (status, cors)
    assert bench.logged(f"own-{log}")["cors"] == log
    assert len(bench.requests) == (status == 200)


def test_a_refused_head_has_no_content(bench: Bench) -> None:
    """The text that GET gets is announced and not sent, or the client would read it as its next response."""
    fields = (f"Origin: {EVIL}", "X-Request-Id: refused-head")
    with bench.client() as client:
        client.send(request("HEAD", "/strict", *fields) + request("GET", "/strict", f"Origin: {EVIL}"))
        head, response = client.read_head(), client.read_response()
    assert (head.status, response.status) == (403, 403)
    assert int(head.values(b"Content-Length")[0]) > 0
    assert bench.logged("refused-head")["bytes_out"] == 0


def test_the_log_counts_the_text_of_a_refusal(bench: Bench) -> None:
    """`bytes_out` is the content, whoever wrote it."""
    response = bench.ask(request("GET", "/strict", f"Origin: {EVIL}", "X-Request-Id: refused-get"))
    assert bench.logged("refused-get")["bytes_out"] == len(response.body) > 0


def test_a_rejected_page_is_told_the_key(bench: Bench) -> None:
    """Whoever runs the proxy reads what would let their own page pass."""
    assert b"name its origin under public_origins" in bench.ask(request("GET", "/strict", f"Origin: {EVIL}")).body


@pytest.mark.parametrize(
    ("host", "location"),
    [
        ("api.example", b"https://api.example/x"),
        ("API.example:443", b"https://api.example/x"),
        ("other.example:8443", b"https://other.example:8443/x"),
        ("other.example", b"https://api.example/x"),
        ("evil.example", b"https://api.example/x"),
    ],
)
def test_redirects_lead_to_a_public_origin(bench: Bench, host: str, location: bytes) -> None:
    """The one with the request's host and port, whatever the scheme; else the first: Host is not trusted."""
    bench.answering(f"HTTP/1.1 302 x\r\nLocation: {bench.upstream.url}/x\r\nContent-Length: 0\r\n\r\n".encode())
    response = bench.ask(request("GET", "/public", host=host))
    assert b"Location: " + location in response.lines


UPGRADE = (
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)


@pytest.mark.parametrize(
    ("path", "origin", "passes"),
    [
        ("/public", EVIL, False),
        ("/public", OWN, True),
        ("/public", "http://h", False),  # the Host, but public_origins says who is an own page
        ("/public", None, True),
        ("/open", EVIL, True),
        ("/mixed", APP, False),
        ("/mixed", EVIL, True),
        ("/both", STAFF, True),
        ("/both", EVIL, False),
    ],
)
def test_a_star_names_nobody_for_websockets(bench: Bench, path: str, origin: str | None, passes: bool) -> None:
    """The first policy that names the origin decides, `*` not counted; else the last one's `websockets`."""
    bench.answering(OK)  # a server that declines: what passes reaches it
    lines = [f"Origin: {origin}"] if origin else []
    response = bench.ask(request("GET", path, *UPGRADE, *lines))
    assert (response.status, len(bench.requests)) == ((200, 1) if passes else (403, 0))


def test_a_refused_websocket_names_the_key_and_is_logged_as_refused(bench: Bench) -> None:
    """Under a star the response is granted, the WebSocket is not."""
    response = bench.ask(request("GET", "/public", *UPGRADE, f"Origin: {EVIL}", "X-Request-Id: star"))
    assert b"origin_not_allowed" in response.body
    assert b"'websockets: any'" in response.body
    line = bench.logged("star")
    assert (line["cors"], line["reason"]) == ("refused", "origin_not_allowed")


@pytest.mark.parametrize(
    ("message", "status", "acao"),
    [
        (request("GET", "/by/x", f"Origin: {EVIL}"), 200, b"*"),
        (request("HEAD", "/by/x", f"Origin: {EVIL}"), 200, b"*"),
        (request("POST", "/by/x", f"Origin: {EVIL}", "Content-Length: 0"), 403, None),
        (request("POST", "/by/x", f"Origin: {APP}", "Content-Length: 0"), 200, b"https://app.example"),
        (preflight("/by/x", EVIL, "GET"), 204, b"*"),
        (preflight("/by/x", EVIL, "POST"), 403, None),
        (preflight("/by/x", APP, "POST"), 204, b"https://app.example"),
        (request("OPTIONS", "/by/x", f"Origin: {APP}"), 200, b"https://app.example"),
        (request("PUT", "/by/x", f"Origin: {APP}", "Content-Length: 0"), 405, None),
        (request("PUT", "/by/x", "Content-Length: 0"), 405, None),
        (preflight("/by/x", APP, "PUT"), 405, None),
        (preflight("/by/x", APP, "patch"), 405, None),
    ],
)
def test_a_route_takes_its_methods_alone(bench: Bench, message: bytes, status: int, acao: bytes | None) -> None:
    """A preflight is matched by the method it asks for; what no route takes is 405 with Allow, without a grant."""
    bench.answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    response = bench.ask(message)
    assert response.status == status
    found = [line.partition(b": ")[2] for line in response.cors if line.lower().startswith(b"access-control-allow-o")]
    assert found == ([acao] if acao else [])
    if status == 405:
        assert b"Allow: GET, HEAD, POST, OPTIONS" in response.lines
        assert bench.requests == []


def test_a_405_is_logged_with_its_reason(bench: Bench) -> None:
    """A preflight and an actual request are refused as `no_route`."""
    bench.ask(preflight("/by", APP, "PUT", "X-Request-Id: method-1"))
    line = bench.logged("method-1")
    assert (line["status"], line["cors"], line["reason"]) == (405, "preflight_refused", "no_route")


def test_a_host_with_a_star_is_any_host_under_it(bench: Bench) -> None:
    """One or more labels before it, never the domain itself."""
    for host, status in (("a.star.example", 200), ("A.b.STAR.example:80", 200), ("star.example", 404), ("h", 404)):
        assert bench.ask(request("GET", "/star", host=host)).status == status


def test_diagnostics_answer_a_refused_preflight_for_the_console(bench: Bench) -> None:
    """The rest of the grant with the policy's status; in the log it stays refused."""
    response = bench.ask(
        preflight("/told", APP, "PUT", "Access-Control-Request-Headers: x-a,x-b", "X-Request-Id: told-1")
    )
    assert (response.status, response.body) == (204, b"")
    assert response.cors == [
        b"Access-Control-Allow-Headers: X-A",
        b"Access-Control-Allow-Methods: GET, HEAD, POST",
        b"Access-Control-Allow-Origin: https://app.example",
        b"Access-Control-Max-Age: 600",
        b"Vary: Origin",
    ]
    line = bench.logged("told-1")
    assert (line["cors"], line["reason"]) == ("preflight_refused", "method_not_allowed")
    assert bench.ask(preflight("/told", EVIL, "PUT")).status == 403
