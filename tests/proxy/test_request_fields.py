"""Field lines on their way to the upstream: what is for one hop goes, what the proxy says is added, the rest stays.

The numbers are those of docs/http.md.
"""

from __future__ import annotations

import pytest

from tests.proxy.bench import Bench
from tests.proxy.wire import EndedError

CONFIG = """
admin: 127.0.0.1:0
upstreams:
  up: {{url: "{upstream}"}}
  client: {{url: "{upstream}", host: client}}
  literal: {{url: "{upstream}", host: legacy.example}}
  bare: {{url: "{upstream}", origin: remove}}
  own: {{url: "{upstream}", origin: upstream}}
policies:
  app: {{allow_origins: ["https://app.example"], allow_credentials: true}}
  strict: {{allow_origins: ["https://app.example"], on_refused: reject}}
routes:
  - {{path: /, upstream: up, policy: app}}
  - {{path: /client, upstream: client}}
  - {{path: /literal, upstream: literal}}
  - {{path: /bare, upstream: bare, policy: app}}
  - {{path: /own, upstream: own, policy: app}}
  - {{path: /strict, upstream: up, policy: strict}}
limits: {{max_body: 1MiB}}
log: {{format: json}}
"""


def forwarded(bench: Bench, *lines: bytes, path: bytes = b"/", method: bytes = b"GET") -> list[bytes]:
    """Send a request with these lines; return the lines that reached the upstream, but for what the proxy adds."""
    request = b"%b %b HTTP/1.1\r\nHost: h\r\n" % (method, path) + b"".join(line + b"\r\n" for line in lines) + b"\r\n"
    assert bench.ask(request).status == 200
    own = (b"Host:", b"X-Forwarded-", b"Forwarded: for=127.0.0.1;", b"X-Request-Id:", b"Via:")
    return [line for line in bench.request.head.split(b"\r\n")[1:] if line and not line.startswith(own)]


KEPT = [
    pytest.param([b"X-A: 1", b"X-A: 2"], id="http-40 a line twice, in order"),
    pytest.param([b"X-A: 1", b"x-a: 2", b"X-B: 3", b"X-a: 4"], id="http-40 names in several spellings"),
    pytest.param([b"Cookie: a=1", b"cookie: b=2"], id="http-40 cookies on two lines"),
    pytest.param([b"X-A: a\xe4\xff\x80b", b"Cookie: \xc3\xa4=\xe4"], id="http-11 bytes above ASCII"),
    pytest.param([b"Authorization: Basic dTpw"], id="http-50 credentials"),
    pytest.param([b'X-A: a, "b, c";d', b"X-Empty:"], id="lists, quotes and empty values"),
    pytest.param([b"Accept-Encoding: gzip, br"], id="http-55 what the client can decode"),
    pytest.param([b"Trailers: x"], id="http-54 a name that only looks like a hop's"),
    pytest.param([b"Cache-Control: no-cache", b"Pragma: no-cache", b'If-None-Match: "x"'], id="conditions"),
]


@pytest.mark.parametrize("lines", KEPT)
def test_lines_go_on_as_they_came(bench: Bench, lines: list[bytes]) -> None:
    """Order, spelling, repetition and bytes stay; nothing is invented (http-41)."""
    assert forwarded(bench, *lines) == [line if line != b"X-Empty:" else b"X-Empty: " for line in lines]


STRIPPED = [
    pytest.param([b"Connection: close, X-Secret", b"X-Secret: 1"], id="http-37 what Connection names"),
    pytest.param([b"Connection:", b"Connection: X-A", b"X-A: 1"], id="http-38 a second Connection line"),
    pytest.param([b"Connection: x-a", b"X-A: 1", b"x-A: 2"], id="http-37 named in another letter case, twice there"),
    pytest.param([b"Keep-Alive: timeout=5"], id="http-37 Keep-Alive"),
    pytest.param([b"Proxy-Connection: keep-alive"], id="http-37 Proxy-Connection"),
    pytest.param([b"Proxy-Authorization: Basic dTpw"], id="http-37 Proxy-Authorization"),
    pytest.param([b"TE: gzip"], id="http-37 TE other than trailers"),
    pytest.param([b"Trailer: X-T"], id="http-37 Trailer"),
    pytest.param([b"Upgrade: foo", b"Connection: upgrade"], id="http-97 an unknown protocol"),
    pytest.param(
        [b"Upgrade: h2c", b"Connection: Upgrade, HTTP2-Settings", b"HTTP2-Settings: AAMAAABk"], id="http-97 h2c"
    ),
    pytest.param([b"X_Forwarded_For: 1.2.3.4"], id="http-44 an underscore twin"),
    pytest.param([b"x-forwarded_host: evil"], id="http-44 a mixed twin"),
    pytest.param([b"Content_Length: 5", b"content_length: 6"], id="http-44 a twin of a length"),
    pytest.param([b"Transfer_Encoding: chunked"], id="http-44 a twin of a coding"),
    pytest.param([b"Forwarded: for=1.2.3.4"], id="http-43 Forwarded of a stranger"),
]


@pytest.mark.parametrize("lines", STRIPPED)
def test_lines_for_one_hop_stay_here(bench: Bench, lines: list[bytes]) -> None:
    """The upstream sees none of these lines."""
    assert forwarded(bench, *lines, b"X-Last: 1") == [b"X-Last: 1"]


def test_http_37_trailers_alone_is_said_to_the_upstream(bench: Bench) -> None:
    """http-37, http-70: `TE: trailers` is said anew for the next hop."""
    assert forwarded(bench, b"TE: trailers", b"Connection: TE") == [b"Connection: TE", b"TE: trailers"]


def test_http_39_connection_cannot_take_away_what_the_proxy_says(bench: Bench) -> None:
    """http-39: fields of the proxy's own, and those without which the request would be another, survive."""
    response = bench.ask(
        b"POST / HTTP/1.1\r\nHost: h\r\nOrigin: https://app.example\r\nCookie: a=b\r\nContent-Length: 2\r\n"
        b"Connection: X-Forwarded-For, Host, Origin, Content-Length, Via, X-Request-Id, Cookie\r\n\r\nok"
    )
    assert response.status == 200
    assert response.values(b"Access-Control-Allow-Origin") == [b"https://app.example"]
    request = bench.request
    for name, values in (
        (b"X-Forwarded-For", [b"127.0.0.1"]),
        (b"Origin", [b"https://app.example"]),
        (b"Content-Length", [b"2"]),
        (b"Cookie", [b"a=b"]),
    ):
        assert request.values(name) == values
    assert [len(request.values(name)) for name in (b"Host", b"Via", b"X-Request-Id")] == [1, 1, 1]
    assert request.body == b"ok"


@pytest.mark.parametrize(
    ("path", "host"), [(b"/", None), (b"/client", b"H.example:81"), (b"/literal", b"legacy.example")]
)
def test_http_42_one_host_first(bench: Bench, path: bytes, host: bytes | None) -> None:
    """http-42: the upstream's host, the client's or a literal, on one line, and that line comes first."""
    bench.ask(b"GET %b HTTP/1.1\r\nX-A: 1\r\nhost: H.example:81\r\n\r\n" % path)
    assert bench.request.fields[0] == (b"Host", host or b"127.0.0.1:%d" % bench.upstream.port)
    assert len(bench.request.values(b"Host")) == 1


def test_http_12_a_request_of_http_1_0_without_host(bench: Bench) -> None:
    """http-42: HTTP/1.0 knows no Host; the upstream is sent one all the same, and is asked in HTTP/1.1."""
    assert bench.ask(b"GET / HTTP/1.0\r\n\r\n").status == 200
    assert bench.request.line == b"GET / HTTP/1.1"
    assert bench.request.values(b"Host") == [b"127.0.0.1:%d" % bench.upstream.port]


def test_http_43_a_stranger_s_word_about_other_hops(bench: Bench) -> None:
    """http-43: for an untrusted peer the upstream gets only what the proxy itself sees."""
    bench.ask(
        b"GET / HTTP/1.1\r\nHost: h:81\r\nX-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: https\r\n"
        b"X-Forwarded-Host: evil\r\nX-Forwarded-Port: 1\r\nX-Forwarded-Prefix: /evil\r\n\r\n"
    )
    assert {name: value for name, value in bench.request.fields if name.startswith(b"X-Forwarded-")} == {
        b"X-Forwarded-For": b"127.0.0.1",
        b"X-Forwarded-Proto": b"http",
        b"X-Forwarded-Host": b"h:81",
        b"X-Forwarded-Port": b"81",
    }


def test_http_45_two_origins(bench: Bench) -> None:
    """http-45: two Origin lines match nothing; a preflight with two of either line is 400."""
    origin = b"Origin: https://app.example\r\n"
    method = b"Access-Control-Request-Method: PUT\r\n"
    twice = bench.ask(b"GET / HTTP/1.1\r\nHost: h\r\n" + origin + origin + b"\r\n")
    assert (twice.status, twice.cors) == (200, [b"Vary: Origin"])
    for lines in (origin + origin + method, origin + method + method):
        assert bench.ask(b"OPTIONS / HTTP/1.1\r\nHost: h\r\n" + lines + b"\r\n").status == 400
    assert len(bench.requests) == 1


@pytest.mark.parametrize("name", [b"Content-Type", b"User-Agent"])
def test_http_46_a_single_field_twice(bench: Bench, name: bytes) -> None:
    """http-46: two lines of a field that has one value are refused."""
    assert bench.ask(b"GET / HTTP/1.1\r\nHost: h\r\n%b: a\r\n%b: b\r\n\r\n" % (name, name)).status == 400
    assert bench.connections == []


@pytest.mark.parametrize(
    ("request_head", "status"),
    [
        (b"POST /strict HTTP/1.1\r\nHost: h\r\nOrigin: https://evil.example\r\n", 403),
        (b"POST /public/../strict HTTP/1.1\r\nHost: h\r\n", 400),
    ],
)
def test_http_47_no_continue_before_a_refusal(bench: Bench, request_head: bytes, status: int) -> None:
    """http-47: a request that is refused here gets its final status at once, and the connection ends."""
    with bench.client() as client:
        client.send(request_head + b"Content-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        assert client.read_head().status == status
    assert bench.connections == []


def test_http_47_a_client_of_http_1_0_gets_no_interim_response(bench: Bench) -> None:
    """http-47: HTTP/1.0 knows no 100; the content is simply awaited."""
    with bench.client() as client:
        client.send(b"POST / HTTP/1.0\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\nok")
        assert client.read_head().status == 200


def test_http_48_another_expectation(bench: Bench) -> None:
    """http-48: an unknown expectation is 417, with the grant, and is not forwarded."""
    response = bench.ask(b"GET / HTTP/1.1\r\nHost: h\r\nOrigin: https://app.example\r\nExpect: foo\r\n\r\n")
    assert response.status == 417
    assert response.values(b"Access-Control-Allow-Origin") == [b"https://app.example"]
    assert bench.connections == []


def test_http_49_cookies_of_one_client_are_never_another_s(bench: Bench) -> None:
    """http-49: nothing that an upstream sets is remembered here."""
    bench.answering(b"HTTP/1.1 200 OK\r\nSet-Cookie: session=alice\r\nContent-Length: 0\r\n\r\n")
    assert bench.ask(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").values(b"Set-Cookie") == [b"session=alice"]
    bench.ask(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    assert [request.values(b"Cookie") for request in bench.requests] == [[], []]
    assert len(bench.connections) == 1


def test_http_51_max_forwards(bench: Bench) -> None:
    """http-51: on OPTIONS it is counted down, and 0 is answered here."""
    options = b"OPTIONS / HTTP/1.1\r\nHost: h\r\nMax-Forwards: %d\r\n\r\n"
    here = bench.ask(options % 0)
    assert (here.status, here.values(b"Allow") != []) == (204, True)
    assert bench.connections == []
    bench.ask(options % 7)
    assert bench.request.values(b"Max-Forwards") == [b"6"]


def test_http_52_via_both_ways(bench: Bench) -> None:
    """http-52: Via tells each side the version of the other, after the existing entries."""
    bench.answering(b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\nVia: 1.1 a\r\n\r\n")
    response = bench.ask(b"GET / HTTP/1.1\r\nHost: h\r\nVia: 1.0 b\r\n\r\n")
    before, own = bench.request.values(b"Via")
    assert before == b"1.0 b"
    assert own.startswith(b"1.1 corsproxy-")
    assert response.values(b"Via") == [b"1.1 a", b"1.0 " + own[4:]]


def test_http_52_a_request_that_goes_in_circles(bench: Bench) -> None:
    """http-52: the third time round it is 508, on one line or on several."""
    bench.ask(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    (own,) = bench.request.values(b"Via")
    for lines in (b"Via: %b\r\n" % own * 3, b"Via: %b, %b,%b\r\n" % (own, own, own)):
        assert bench.ask(b"GET / HTTP/1.1\r\nHost: h\r\n" + lines + b"\r\n").status == 508
    assert bench.ask(b"GET / HTTP/1.1\r\nHost: h\r\n" + b"Via: %b\r\n" % own * 2 + b"\r\n").status == 200
    assert len(bench.requests) == 2


@pytest.mark.parametrize(("path", "origins"), [(b"/", [b"https://app.example"]), (b"/bare", []), (b"/own", None)])
def test_http_108_what_the_upstream_sees_of_the_origin(bench: Bench, path: bytes, origins: list[bytes] | None) -> None:
    """http-108: Origin is forwarded, removed or the upstream's own; the decision is made from the client's."""
    response = bench.ask(b"GET %b HTTP/1.1\r\nHost: h\r\nOrigin: https://app.example\r\n\r\n" % path)
    assert response.values(b"Access-Control-Allow-Origin") == [b"https://app.example"]
    expected = [b"http://127.0.0.1:%d" % bench.upstream.port] if origins is None else origins
    assert bench.request.values(b"Origin") == expected


def test_a_refused_actual_request_is_not_forwarded(bench: Bench) -> None:
    """`on_refused: reject` is 403 and the upstream is not asked; content behind it ends the connection."""
    with bench.client() as client:
        client.send(
            b"POST /strict HTTP/1.1\r\nHost: h\r\nOrigin: https://evil.example\r\nContent-Length: 900000\r\n\r\nabc"
        )
        response = client.read_response()
        assert (response.status, response.values(b"Connection")) == (403, [b"close"])
        client.finish_sending()
        with pytest.raises(EndedError):
            client.read_exactly(1)
    assert bench.connections == []
