"""Fields that the configuration sets and removes, on the wire: in every message of the upstream's and in no other."""

from __future__ import annotations

import pytest

from tests.proxy.bench import Bench

CONFIG = """
admin: 127.0.0.1:0
upstreams:
  edited:
    url: "{upstream}"
    request_headers:
      set: {{X-Api-Key: s3cret, X-Forwarded-Proto: https, Cookie: own=1, Via: 1.1 mine}}
      remove: [X-Debug, X-Request-Id, user-agent]
    response_headers:
      set: {{Cross-Origin-Resource-Policy: cross-origin, X-Naive: ü}}
      remove: [WWW-Authenticate, server, Via]
policies:
  app: {{allow_origins: ["https://app.example"], allow_credentials: true, expose_headers: ["*"]}}
  closed: {{allow_origins: ["https://app.example"], on_refused: reject}}
routes:
  - {{path: /, upstream: edited, policy: app}}
  - {{path: /closed, upstream: edited, policy: closed}}
log: {{format: json}}
"""


def test_what_the_upstream_is_sent(bench: Bench) -> None:
    """Every line of a name goes, in any letter case, the proxy's own too; what is set is there once."""
    bench.ask(
        b"GET / HTTP/1.1\r\nHost: a.example\r\nx-api-key: guess\r\nX-API-KEY: guess\r\nCookie: a=1\r\ncookie: b=2\r\n"
        b"X-DEBUG: 1\r\nUser-Agent: x\r\nX-Other: y\r\n\r\n"
    )
    request = bench.request
    assert request.values(b"X-Api-Key") == [b"s3cret"]
    assert request.values(b"X-Forwarded-Proto") == [b"https"]
    assert request.values(b"X-Forwarded-For") == [b"127.0.0.1"]
    assert request.values(b"Forwarded") == []  # it would say http, and some believe it first
    assert request.values(b"Cookie") == [b"own=1"]
    assert request.values(b"Via") == [b"1.1 mine"]
    for name in (b"X-Debug", b"X-Request-Id", b"User-Agent"):
        assert request.values(name) == []
    assert request.values(b"X-Other") == [b"y"]


@pytest.mark.parametrize(
    "line", [b"X_Api_Key: guess", b"x-api_key: guess", b"X_DEBUG: 1", b"X_Request_Id: 1", b"User_Agent: x"]
)
def test_no_spelling_with_underscores_slips_past_what_is_set_or_removed(bench: Bench, line: bytes) -> None:
    """A CGI or WSGI server reads `X_Api_Key` and `X-Api-Key` as one variable: a client could write the key itself."""
    bench.ask(b"GET / HTTP/1.1\r\nHost: a.example\r\n" + line + b"\r\nX_Other: y\r\n\r\n")
    assert bench.request.values(line.partition(b":")[0]) == []
    assert bench.request.values(b"X-Api-Key") == [b"s3cret"]
    assert bench.request.values(b"X_Other") == [b"y"]


ANSWERS = {
    "200": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n%bok",
    "304": b"HTTP/1.1 304 Not Modified\r\n%b",
    "401": b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n%b",
    "302": b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n%b",
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n%b2\r\nok\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_what_the_client_gets_of_the_upstreams_answers(bench: Bench, answer: bytes) -> None:
    """In final responses of every kind."""
    fields = (
        b"www-authenticate: Basic\r\nWWW-Authenticate: Negotiate\r\nServer: old\r\ncross-origin-resource-policy: x\r\n"
    )
    bench.answering(answer % (fields + b"X-Kept: 1\r\n\r\n"))
    response = bench.ask(b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n")
    for name in (b"WWW-Authenticate", b"Server", b"Via"):
        assert response.values(name) == []
    assert response.values(b"Cross-Origin-Resource-Policy") == [b"cross-origin"]
    assert response.values(b"X-Naive") == ["ü".encode()]
    assert response.values(b"X-Kept") == [b"1"]


def test_the_names_that_a_page_may_read_are_those_that_are_there(bench: Bench) -> None:
    """What is set is exposed under `expose_headers: ["*"]` with credentials, what is removed is not."""
    bench.answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nServer: old\r\nX-Kept: 1\r\n\r\n")
    response = bench.ask(b"GET / HTTP/1.1\r\nHost: a.example\r\nOrigin: https://app.example\r\n\r\n")
    (exposed,) = response.values(b"Access-Control-Expose-Headers")
    assert exposed.split(b", ") == [b"X-Kept", b"Date", b"Vary", b"Cross-Origin-Resource-Policy", b"X-Naive"]


def test_interim_responses_are_edited(bench: Bench) -> None:
    """A 103 as the final response."""
    bench.answering(
        b"HTTP/1.1 103 Early Hints\r\nServer: old\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    )
    with bench.client() as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n")
        head = client.read_until(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 103 ")
    assert b"Server" not in head
    assert b"Link: </a>\r\nCross-Origin-Resource-Policy: cross-origin\r\n" in head


def test_a_removed_field_does_not_come_as_a_trailer(bench: Bench) -> None:
    """Behind the content it would be read all the same."""
    bench.answering(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Server, X-T\r\n\r\n"
        b"1\r\na\r\n0\r\nServer: old\r\nX-T: 1\r\n\r\n"
    )
    with bench.client() as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a.example\r\nTE: trailers\r\nConnection: TE\r\n\r\n")
        client.read_until(b"\r\n\r\n")
        rest = client.read_until(b"\r\n\r\n")
    assert b"X-T: 1" in rest
    assert b"old" not in rest


def test_the_answer_to_an_upgrade_is_edited(bench: Bench) -> None:
    """A 101 is the upstream's answer too."""
    bench.answering(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nServer: old\r\n\r\n"
    )
    with bench.client() as client:
        client.send(
            b"GET / HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        head = client.read_until(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101 ")
    assert b"old" not in head
    assert b"Cross-Origin-Resource-Policy: cross-origin\r\n" in head
    assert bench.request.values(b"X-Api-Key") == [b"s3cret"]


def test_the_proxys_own_answers_are_not_edited(bench: Bench) -> None:
    """Neither a refusal nor a preflight."""
    refused = bench.ask(b"GET /closed HTTP/1.1\r\nHost: a.example\r\nOrigin: https://evil.example\r\n\r\n")
    preflight = bench.ask(
        b"OPTIONS / HTTP/1.1\r\nHost: a.example\r\nOrigin: https://app.example\r\n"
        b"Access-Control-Request-Method: GET\r\n\r\n"
    )
    assert (refused.status, preflight.status) == (403, 204)
    for response in (refused, preflight):
        assert response.values(b"Cross-Origin-Resource-Policy") == []
    assert bench.requests == []


def test_a_value_is_not_in_the_log(bench: Bench) -> None:
    """Nor on standard error, nor in the metrics."""
    bench.ask(b"GET / HTTP/1.1\r\nHost: a.example\r\nX-Request-Id: seen\r\n\r\n")
    bench.logged("seen")
    assert bench.proxy.stdout is not None
    assert "s3cret" not in bench.proxy.stdout.text + bench.proxy.stderr.text
