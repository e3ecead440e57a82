"""Request targets: byte for byte to the configured upstream, or refused; never another reading, never another host.

The numbers are those of docs/http.md.
"""

from __future__ import annotations

import pytest

from tests.proxy.bench import Bench

CONFIG = """
admin: 127.0.0.1:0
upstreams:
  up: {{url: "{upstream}"}}
  base: {{url: "{upstream}/base/"}}
  query: {{url: "{upstream}/base?s=t"}}
policies:
  app: {{allow_origins: ["https://app.example"]}}
routes:
  - {{path: /, upstream: up, policy: app}}
  - {{path: /api, upstream: up}}
  - {{path: /admin, upstream: up}}
  - {{path: /public, upstream: up, policy: app}}
  - {{path: /based, upstream: base, strip_prefix: true}}
  - {{path: /queried, upstream: query}}
  - {{path: /exact, exact: true, upstream: up}}
log: {{format: json}}
"""


def get(target: bytes, host: bytes = b"h", method: bytes = b"GET") -> bytes:
    """Write a request for `target`."""
    return b"%b %b HTTP/1.1\r\nHost: %b\r\n\r\n" % (method, target, host)


UNCHANGED = [
    pytest.param(b"/a%2Fb/%zz?q=a+b%20c&&e=%", id="http-21 escapes, broken ones included"),
    pytest.param(b"/%e4%C3%a4?%2f=%2F", id="http-21 the letter case of escapes"),
    pytest.param(b"/a/../b", id="http-21 dot segments that change no route"),
    pytest.param(b"/a/%2e%2e/c//d/", id="http-21 escaped dot segments and empty segments"),
    pytest.param(b"/a?/../../x", id="http-21 dot segments in a query"),
    pytest.param(b"/a?", id="http-22 an empty query"),
    pytest.param(b"/a??", id="http-22 a query of a question mark"),
    pytest.param(b"//evil.example/x", id="http-23 what looks like a host"),
    pytest.param(b"//", id="http-23 two slashes"),
    pytest.param(b"/\\evil.example", id="http-23 a backslash"),
    pytest.param(b"/a\\b|{}^\"<>`'", id="http-30 what a URL should not have"),
    pytest.param(b"/a;x=1,2!$&'()*+@:~", id="http-30 sub-delims"),
    pytest.param(b"/http://other/x", id="http-23 a URL in the path"),
    pytest.param(b"/" + b"a" * 16_000, id="http-21 a long path"),
]


@pytest.mark.parametrize("target", UNCHANGED)
def test_targets_go_through_byte_for_byte(bench: Bench, target: bytes) -> None:
    """What the client wrote is what the upstream reads."""
    assert bench.ask(get(target)).status == 200
    assert bench.request.line == b"GET %b HTTP/1.1" % target


REFUSED = [
    pytest.param(get(b"http://other:81/p"), 400, id="http-24 a target of another host"),
    pytest.param(get(b"http://h:81/p"), 400, id="http-24 a target of another port"),
    pytest.param(get(b"http://h:0/p"), 400, id="http-24 port 0, which is no default"),
    pytest.param(get(b"/", host=b"h:99999"), 400, id="http-13 a port that is none"),
    pytest.param(get(b"http://h:65536/p"), 400, id="http-24 a port that is none"),
    pytest.param(get(b"http://h:65536/p", host=b"h:65536"), 400, id="http-24 a port that is none, in both"),
    pytest.param(get(b"http://h:443/p"), 400, id="http-24 the default port of another scheme"),
    pytest.param(get(b"http://h/p", host=b"h:443"), 400, id="http-24 a Host with another scheme's default port"),
    pytest.param(get(b"http://u:p@h/x"), 400, id="http-25 user information"),
    pytest.param(get(b"ftp://h/x"), 400, id="http-24 another scheme"),
    pytest.param(get(b"http:///x"), 400, id="http-24 no host"),
    pytest.param(get(b"http://h\\@other/x"), 400, id="http-24 a backslash in the host"),
    pytest.param(get(b"/a#frag"), 400, id="http-28 a fragment"),
    pytest.param(get(b"/a b"), 400, id="http-29 a space"),
    pytest.param(get(b"/\xe4"), 400, id="http-29 a byte above ASCII"),
    pytest.param(get(b"/a\x01"), 400, id="http-29 a control character"),
    pytest.param(get(b"abc"), 400, id="http-29 no slash"),
    pytest.param(get(b"?a=1"), 400, id="http-29 a query alone"),
    pytest.param(get(b"*"), 400, id="http-29 a star for GET"),
    pytest.param(get(b"h:443", method=b"CONNECT"), 405, id="http-27 CONNECT"),
    pytest.param(get(b"/", method=b"CONNECT"), 405, id="http-27 CONNECT to a path"),
    pytest.param(get(b"/", method=b"TRACE"), 405, id="http-51 TRACE"),
    pytest.param(get(b"/", method=b"FOO"), 501, id="http-35 an unknown method"),
    pytest.param(get(b"/", method=b"get"), 501, id="http-35 a method in lower case"),
    pytest.param(get(b"/", method=b"Get"), 501, id="http-36 a method in mixed case"),
]


@pytest.mark.parametrize(("request_bytes", "status"), REFUSED)
def test_targets_and_methods_that_are_refused(bench: Bench, request_bytes: bytes, status: int) -> None:
    """The upstream sees nothing of them."""
    response = bench.ask(request_bytes)
    assert response.status == status
    # RFC 9110 section 15.5.6: a 405 must say what is allowed.
    allowed = [b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"] if status == 405 else []
    assert response.values(b"Allow") == allowed
    assert b"evil" not in response.body
    assert bench.connections == []


def test_http_24_an_absolute_target_of_the_own_host(bench: Bench) -> None:
    """http-24: routed by its path and sent on in origin-form."""
    assert bench.ask(get(b"http://H:80/p?q", host=b"h:80")).status == 200
    assert bench.ask(get(b"http://h?q")).status == 200
    assert [request.line for request in bench.requests] == [b"GET /p?q HTTP/1.1", b"GET /?q HTTP/1.1"]


@pytest.mark.parametrize(
    ("target", "host"),
    [
        (b"http://h:80/p", b"h"),
        (b"http://h/p", b"h:80"),
        (b"http://h:/p", b"h"),
        (b"http://h/p", b"h:"),
        (b"http://h:/p", b"h:80"),
        (b"HTTP://H:080/p", b"h"),
        (b"https://h:443/p", b"h"),
        (b"https://h/p", b"h:443"),
        (b"http://[::1]:80/p", b"[::1]:"),
    ],
)
def test_http_24_a_default_port_is_no_other_host(bench: Bench, target: bytes, host: bytes) -> None:
    """http-24: a default port may be written, left out or empty, in the target as in `Host`."""
    assert bench.ask(get(target, host=host)).status == 200
    assert bench.request.line == b"GET /p HTTP/1.1"


def test_http_24_an_empty_port_is_none(bench: Bench) -> None:
    """http-24: `Host: a:` is `a`, for the upstream too."""
    assert bench.ask(get(b"/p", host=b"a:")).status == 200
    assert bench.request.values(b"X-Forwarded-Host") == [b"a"]


def test_http_26_options_star(bench: Bench) -> None:
    """http-26: about the server as a whole, which is this one: answered here, granting nothing."""
    preflight = (
        b"OPTIONS * HTTP/1.1\r\nHost: h\r\nOrigin: https://app.example\r\nAccess-Control-Request-Method: PUT\r\n\r\n"
    )
    for request in (get(b"*", method=b"OPTIONS"), preflight):
        response = bench.ask(request)
        assert response.status == 204
        assert response.values(b"Allow") != []
        assert response.values(b"Content-Length") == []
        assert response.values(b"Access-Control-Allow-Origin") == []
    assert bench.connections == []


def test_http_27_connect_ends_the_connection(bench: Bench) -> None:
    """http-27: what comes behind it is not read as requests."""
    with bench.client() as client:
        client.send(get(b"h:443", method=b"CONNECT") + get(b"/evil"))
        response = client.read_response()
        assert (response.status, response.values(b"Connection")) == (405, [b"close"])
        assert client.read_to_end() == b""
    assert bench.connections == []


AMBIGUOUS = [
    b"/public/../admin",
    b"/public/%2e%2e/admin",
    b"/public/%2E./admin",
    b"/public/%252e%252e/admin",
    b"/public%2f..%2fadmin",
    b"/public/..%2fadmin",
    b"/public/..%5cadmin",
    b"/public/..\\admin",
    b"/public/./../admin",
    b"//admin",
    b"/%61dmin",
    b"/%2561dmin",
    b"/%25%36%31dmin",
    b"/x/../public",
    b"/public/..",
    b"/public/.%2e/",
    b"\\admin".replace(b"\\", b"/\\"),
    b"/%2fadmin",
    b"/./admin",
    b"/%2e/admin",
]


@pytest.mark.parametrize("path", AMBIGUOUS)
def test_http_32_two_readings_with_two_routes(bench: Bench, path: bytes) -> None:
    """http-32: a path that another server would read as another route's is refused."""
    response = bench.ask(get(path))
    assert response.status == 400
    assert response.cors == []
    assert bench.connections == []


ROUTED = [
    (b"/api", "/api"),
    (b"/api/", "/api"),
    (b"/api/x", "/api"),
    (b"/apix", "/"),
    (b"/API", "/"),
    (b"/api;x", "/"),
    (b"/admin/", "/admin"),
    (b"/public/a/../b", "/public"),
    (b"/public/%2e/b", "/public"),
    (b"/public//b", "/public"),
    (b"/exact", "/exact"),
    (b"/exact/", "/"),
    (b"/exact/x", "/"),
    (b"/x%2fpublic", "/"),
]


def test_http_33_whole_segments_match(bench: Bench) -> None:
    """http-32, http-33: `/api` is `/api` and what lies below it, never `/apix`; letter case counts."""
    found = []
    for number, (path, _) in enumerate(ROUTED):
        bench.ask(b"GET %b HTTP/1.1\r\nHost: h\r\nX-Request-Id: routed-%d\r\n\r\n" % (path, number))
        found.append((path, bench.logged(f"routed-{number}")["route"]))
    assert found == ROUTED


JOINED = [
    pytest.param(b"/based/x", b"/base/x", id="http-34 one slash between base and path"),
    pytest.param(b"/based", b"/base/", id="http-34 the route itself"),
    pytest.param(b"/based/", b"/base/", id="http-34 the route with a slash"),
    pytest.param(b"/based//x", b"/base//x", id="http-34 a slash of the client's own"),
    pytest.param(b"/based?", b"/base/?", id="http-22 an empty query behind a base"),
    pytest.param(b"/based/%0d%0aX:y", b"/base/%0d%0aX:y", id="http-31 escapes are never decoded into the target"),
    pytest.param(b"/based/%20%3f%23", b"/base/%20%3f%23", id="http-31 nor a space, a question mark, a hash"),
    pytest.param(b"/queried/x?u=e", b"/base/queried/x?s=t&u=e", id="http-34 the base query first"),
    pytest.param(b"/queried/x", b"/base/queried/x?s=t", id="http-34 the base query alone"),
    pytest.param(b"/queried/x?", b"/base/queried/x?s=t", id="http-34 nothing behind the base query"),
]


@pytest.mark.parametrize(("path", "target"), JOINED)
def test_base_path_and_base_query(bench: Bench, path: bytes, target: bytes) -> None:
    """The upstream's base is put before path and query, nothing else changes."""
    assert bench.ask(get(path)).status == 200
    assert bench.request.line == b"GET %b HTTP/1.1" % target


@pytest.mark.parametrize("path", [b"/based/../x", b"/based/..", b"/based/%2e%2e/%2e%2e/etc", b"/queried/../../x"])
def test_http_34_nobody_leaves_the_base_path(bench: Bench, path: bytes) -> None:
    """http-32: dot segments cannot lead above what a route serves."""
    assert bench.ask(get(path)).status == 400
    assert bench.connections == []


@pytest.mark.parametrize(
    "method", [b"GET", b"PURGE", b"QUERY", b"PROPFIND", b"REPORT", b"MKCOL", b"SEARCH", b"LINK", b"M-SEARCH"]
)
def test_http_35_registered_methods_pass(bench: Bench, method: bytes) -> None:
    """http-35, http-36: a method goes on as it was written."""
    assert bench.ask(get(b"/", method=method)).status == 200
    assert bench.request.line == method + b" / HTTP/1.1"
