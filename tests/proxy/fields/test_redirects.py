"""Location, Content-Location, Refresh and Link, row by row beside what nginx and Node's http-proxy make of the same.

The columns of the two were measured: nginx 1.22.1 (`proxy_pass http://localhost/base/;` in `location /app/`, with the
default `proxy_redirect`) and http-proxy 1.18.1 (target `http://localhost/base`, `autoRewrite: true`), asked as
`http://proxy.test/app/...`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corsproxy.proxy.fields.redirects import RedirectRewriter
from corsproxy.settings import Upstream
from tests.proxy.fields.rows import Row, kept

PROXY = b"http://proxy.test"
BASED = Upstream(name="legacy", scheme="http", host="localhost", port=80, base_path="/base")
REWRITER = RedirectRewriter.compile(BASED, "/app")

PORT = "nginx compares text: a default port that is written is another text"
CASE = "nginx compares text: scheme and host know no letter case (RFC 3986 section 6.2.2.1)"
NODE_PATH = "http-proxy changes the host and leaves the path, so base and prefix are lost"
WHOLE_BASE = "nginx was told `/base/`, and does not see that `/base` is the same place"
OUTSIDE = "http-proxy changes the host whatever the path; there is no way through the proxy to it"
NO_ORIGIN = "nginx and http-proxy look at absolute URLs only; a browser would ask the proxy for the upstream's path"
SCHEME = "http-proxy does not compare schemes; https on that host is another origin"
USER_INFO = "http-proxy does not see the user name; it makes the address another one than the upstream's"
BACKSLASH = "http-proxy reads as WHATWG's URL does; an address that two recipients read differently is left alone"
NETWORK_PATH = "nginx and http-proxy do not know references without a scheme"
LIST = "http-proxy serializes the rest of the line anew; only the front is ours"
REFRESH = (
    "nginx makes it a path, which old browsers do not take in Refresh, and sees only lower-case `url=` and no quotes"
)
ONLY_LOCATION = "nginx knows Location and Refresh, http-proxy Location alone"


LOCATIONS = [
    # The upstream's own origin, below its base path.
    Row(b"http://localhost/base/y", b"http://proxy.test/app/y", None, b"http://proxy.test/base/y", NODE_PATH),
    Row(b"http://localhost/base/", b"http://proxy.test/app/", None, b"http://proxy.test/base/", NODE_PATH),
    Row(
        b"http://localhost/base",
        b"http://proxy.test/app",
        b"http://localhost/base",
        b"http://proxy.test/base",
        WHOLE_BASE,
    ),
    Row(
        b"http://localhost/base?q=1",
        b"http://proxy.test/app?q=1",
        b"http://localhost/base?q=1",
        b"http://proxy.test/base?q=1",
        WHOLE_BASE,
    ),
    Row(
        b"http://localhost/base#f",
        b"http://proxy.test/app#f",
        b"http://localhost/base#f",
        b"http://proxy.test/base#f",
        WHOLE_BASE,
    ),
    Row(
        b"http://localhost/base/y?u=http://localhost/base/z#f",
        b"http://proxy.test/app/y?u=http://localhost/base/z#f",
        None,
        b"http://proxy.test/base/y?u=http://localhost/base/z#f",
        NODE_PATH,
    ),
    Row(
        b"http://localhost:80/base/y",
        b"http://proxy.test/app/y",
        b"http://localhost:80/base/y",
        b"http://localhost:80/base/y",
        PORT,
    ),
    Row(
        b"http://localhost:/base/y",
        b"http://proxy.test/app/y",
        b"http://localhost:/base/y",
        b"http://proxy.test/base/y",
        PORT,
    ),
    Row(
        b"http://localhost:080/base/y",
        b"http://proxy.test/app/y",
        b"http://localhost:080/base/y",
        b"http://localhost:080/base/y",
        PORT,
    ),
    Row(
        b"HTTP://LOCALHOST/base/y",
        b"http://proxy.test/app/y",
        b"HTTP://LOCALHOST/base/y",
        b"http://proxy.test/base/y",
        CASE,
    ),
    Row(
        b"http://Localhost/base/y",
        b"http://proxy.test/app/y",
        b"http://Localhost/base/y",
        b"http://proxy.test/base/y",
        CASE,
    ),
    Row(
        b"http://localhost/base/y, http://localhost/base/z",
        b"http://proxy.test/app/y, http://localhost/base/z",
        None,
        b"http://proxy.test/base/y,%20http://localhost/base/z",
        LIST,
    ),
    # The upstream's own origin, outside its base path.
    kept(b"http://localhost/basement", None, b"http://proxy.test/basement", OUTSIDE),
    kept(b"http://localhost/other", None, b"http://proxy.test/other", OUTSIDE),
    kept(b"http://localhost", None, b"http://proxy.test/", OUTSIDE),
    kept(b"http://localhost/", None, b"http://proxy.test/", OUTSIDE),
    kept(b"http://localhost/BASE/y", None, b"http://proxy.test/BASE/y", OUTSIDE),
    # Other origins.
    kept(b"http://other.test/base/y"),
    kept(b"http://proxy.test/base/y"),
    kept(b"http://localhost:8000/base/y"),
    kept(b"https://localhost/base/y", None, b"https://proxy.test/base/y", SCHEME),
    kept(b"http://localhost.evil.test/base/y"),
    kept(b"http://localhost./base/y"),
    kept(b"http://[::1]/base/y"),
    kept(b"http://localhost@evil.test/base/y"),
    kept(b"http://user@localhost/base/y", None, b"http://user@proxy.test/base/y", USER_INFO),
    kept(b"http://localhost\\@evil.test/base/y", None, b"http://proxy.test/@evil.test/base/y", BACKSLASH),
    # Without a scheme.
    Row(b"//localhost/base/y", b"http://proxy.test/app/y", b"//localhost/base/y", b"//localhost/base/y", NETWORK_PATH),
    kept(b"//other.test/base/y"),
    # Without an origin.
    Row(b"/base/y", b"/app/y", b"/base/y", b"/base/y", NO_ORIGIN),
    Row(b"/base", b"/app", b"/base", b"/base", NO_ORIGIN),
    Row(b"/base/", b"/app/", b"/base/", b"/base/", NO_ORIGIN),
    Row(b"/base?q", b"/app?q", b"/base?q", b"/base?q", NO_ORIGIN),
    Row(b"/base/a/../y", b"/app/a/../y", b"/base/a/../y", b"/base/a/../y", NO_ORIGIN),
    Row(b"/base//evil.test/y", b"/app//evil.test/y", b"/base//evil.test/y", b"/base//evil.test/y", NO_ORIGIN),
    Row(b"/base/caf\xc3\xa9", b"/app/caf\xc3\xa9", b"/base/caf\xc3\xa9", b"/base/caf\xc3\xa9", NO_ORIGIN),
    Row(b"/base/\xe9 x", b"/app/\xe9 x", b"/base/\xe9 x", b"/base/\xe9 x", NO_ORIGIN),
    Row(b"/base/%zz%2f", b"/app/%zz%2f", b"/base/%zz%2f", b"/base/%zz%2f", NO_ORIGIN),
    Row(b'/base/"<>', b'/app/"<>', b'/base/"<>', b'/base/"<>', NO_ORIGIN),
    kept(b"/other"),
    kept(b"/basement"),
    kept(b"/"),
    kept(b"/base/../other"),
    kept(b"/base/./../other"),
    kept(b"/base/%2E/a/%2e%2e/..\\other"),
    Row(b"/base/./y", b"/app/./y", b"/base/./y", b"/base/./y", NO_ORIGIN),
    kept(b"/base/%2e%2E/other"),
    kept(b"/base/..\\other"),
    kept(b"/\\evil.test/base"),
    # Relative: they mean the same on both sides.
    kept(b"y"),
    kept(b"../y"),
    kept(b"base/y"),
    kept(b"?q=1"),
    kept(b"#f"),
    kept(b""),
    # Not http, or not quite.
    kept(b"mailto:a@b"),
    kept(b"javascript:alert(1)"),
    kept(b"http:/base/y"),
    kept(b"http:base/y"),
]

REFRESHES = [
    Row(
        b"5; url=http://localhost/base/y",
        b"5; url=http://proxy.test/app/y",
        b"5; url=/app/y",
        b"5; url=http://localhost/base/y",
        REFRESH,
    ),
    Row(b"0;URL=/base/y", b"0;URL=/app/y", b"0;URL=/base/y", b"0;URL=/base/y", REFRESH),
    Row(
        b'0;url="http://localhost/base/y"',
        b'0;url="http://proxy.test/app/y"',
        b'0;url="http://localhost/base/y"',
        b'0;url="http://localhost/base/y"',
        REFRESH,
    ),
    Row(
        b"0; url = '/base/y' ; more",
        b"0; url = '/app/y' ; more",
        b"0; url = '/base/y' ; more",
        b"0; url = '/base/y' ; more",
        REFRESH,
    ),
    Row(b"3,url=/base/y", b"3,url=/app/y", b"3,url=/base/y", b"3,url=/base/y", REFRESH),
    Row(b"3 /base/y", b"3 /app/y", b"3 /base/y", b"3 /base/y", REFRESH),
    Row(b"3;/base/y", b"3;/app/y", b"3;/base/y", b"3;/base/y", REFRESH),
    Row(
        b"1.5; url=/base/y?url=/base/z",
        b"1.5; url=/app/y?url=/base/z",
        b"1.5; url=/base/y?url=/base/z",
        b"1.5; url=/base/y?url=/base/z",
        REFRESH,
    ),
    Row(b'0;url="/base/y', b'0;url="/app/y', b'0;url="/base/y', b'0;url="/base/y', REFRESH),
    kept(b"5"),
    kept(b"5;"),
    kept(b"5; url="),
    kept(b"5; url=y"),
    kept(b"url=/base/y"),
    kept(b"5; url=http://other.test/base/y"),
]

CONTENT_LOCATIONS = [
    Row(
        b"http://localhost/base/y",
        b"http://proxy.test/app/y",
        b"http://localhost/base/y",
        b"http://localhost/base/y",
        ONLY_LOCATION,
    ),
    Row(b"/base/y", b"/app/y", b"/base/y", b"/base/y", ONLY_LOCATION),
    kept(b"y"),
]

LINKS = [
    Row(
        b'<http://localhost/base/y?page=2>; rel="next", </base/y?page=9>; rel=last',
        b'<http://proxy.test/app/y?page=2>; rel="next", </app/y?page=9>; rel=last',
        b'<http://localhost/base/y?page=2>; rel="next", </base/y?page=9>; rel=last',
        b'<http://localhost/base/y?page=2>; rel="next", </base/y?page=9>; rel=last',
        ONLY_LOCATION,
    ),
    Row(
        b'</base/a,b>; title="see </base/x>, \\"</base/z>"; rel=next,</base/c>',
        b'</app/a,b>; title="see </base/x>, \\"</base/z>"; rel=next,</app/c>',
        b'</base/a,b>; title="see </base/x>, \\"</base/z>"; rel=next,</base/c>',
        b'</base/a,b>; title="see </base/x>, \\"</base/z>"; rel=next,</base/c>',
        ONLY_LOCATION,
    ),
    kept(b"<https://elsewhere.test/base/y>; rel=next"),
    kept(b"</other>; rel=next"),
    kept(b"<y?page=2>; rel=next"),
    kept(b"/base/y; rel=next"),
    kept(b"</base/y; rel=next"),
    kept(b'"</base/y>; rel=next'),
    kept(b""),
]

TABLE = [
    pytest.param(name, row, id=f"{name.decode()}: {row.value.decode('latin-1') or 'empty'}")
    for name, rows in (
        (b"location", LOCATIONS),
        (b"refresh", REFRESHES),
        (b"content-location", CONTENT_LOCATIONS),
        (b"link", LINKS),
    )
    for row in rows
]


@pytest.mark.parametrize(("name", "row"), TABLE)
def test_a_reference_is_turned_back_only_where_it_is_the_upstreams_own(name: bytes, row: Row) -> None:
    """Each line comes out as the table says."""
    assert REWRITER.rewrite(name, row.value, PROXY) == row.ours


@pytest.mark.parametrize(("name", "row"), TABLE)
def test_every_difference_from_nginx_and_http_proxy_is_named(name: bytes, row: Row) -> None:
    """A row gives a reason exactly where one of the two answers otherwise."""
    assert row.differs == bool(row.why)


OTHER_SETTINGS = [
    (
        "an alias",
        {"aliases": ("http://b.corp:8000",)},
        "/app",
        b"http://B.corp:8000/y",
        b"https://p",
        b"https://p/app/y",
    ),
    ("an alias of https", {"aliases": ("https://b.corp",)}, "", b"https://b.corp:443/y", b"http://p", b"http://p/y"),
    ("an alias, plain", {"aliases": ("https://b.corp",)}, "", b"http://b.corp/y", b"http://p", None),
    ("an alias, another port", {"aliases": ("https://b.corp",)}, "", b"https://b.corp:8443/y", b"http://p", None),
    ("an alias, IPv6", {"aliases": ("http://[::1]:81",)}, "", b"http://[0::1]:81/y", b"http://p", b"http://p/y"),
    (
        "an alias, outside of the base path",
        {"aliases": ("https://b.corp",), "base_path": "/base"},
        "",
        b"https://b.corp/y",
        b"http://p",
        None,
    ),
    (
        "an alias, below the base path",
        {"aliases": ("https://b.corp",), "base_path": "/base"},
        "/app",
        b"https://b.corp/base/y",
        b"http://p",
        b"http://p/app/y",
    ),
    ("no base, no prefix", {}, "", b"http://localhost/y", b"https://p", b"https://p/y"),
    ("no base, no prefix, no path", {}, "", b"http://localhost", b"https://p", b"https://p"),
    ("no base, no prefix, only a query", {}, "", b"http://localhost?q", b"https://p", b"https://p?q"),
    ("no base, no prefix, a path alone", {}, "", b"/y", b"https://p", b"/y"),
    ("a prefix alone", {}, "/app", b"/", b"https://p", b"/app/"),
    ("a prefix alone, what a browser reads as a host", {}, "/app", b"/\\evil.test/y", b"https://p", None),
    ("a prefix alone, the same behind a tab", {}, "/app", b"/\t/evil.test/y", b"https://p", None),
    ("a prefix alone, absolute", {}, "/app", b"http://localhost", b"https://p", b"https://p/app"),
    ("a base alone", {"base_path": "/base"}, "", b"/base", b"https://p", b"/"),
    ("a base alone, absolute", {"base_path": "/base"}, "", b"http://localhost/base?q", b"https://p", b"https://p?q"),
    (
        "a path that without its base would name a host",
        {"base_path": "/base"},
        "",
        b"/base//evil.test",
        b"https://p",
        b"https://p//evil.test",
    ),
    (
        "a path that without its base would name a host to a browser",
        {"base_path": "/base"},
        "",
        b"/base/\t\\evil.test",
        b"https://p",
        b"https://p/\t\\evil.test",
    ),
    ("that path, and no host known", {"base_path": "/base"}, "", b"/base//evil.test", b"", b"/.//evil.test"),
    ("no host known", {}, "/app", b"http://localhost/y", b"", b"/app/y"),
    ("no host known, no path", {}, "", b"http://localhost?q", b"", b"/?q"),
    ("the proxy on a port", {}, "", b"http://localhost/y", b"http://p:8080", b"http://p:8080/y"),
    (
        "an https upstream",
        {"scheme": "https", "port": 443},
        "",
        b"https://LOCALHOST:443/y",
        b"https://p",
        b"https://p/y",
    ),
    (
        "an https upstream, no scheme",
        {"scheme": "https", "port": 443},
        "",
        b"//localhost:443/y",
        b"http://p",
        b"http://p/y",
    ),
    ("an https upstream, plain", {"scheme": "https", "port": 443}, "", b"http://localhost/y", b"http://p", None),
    ("an upstream on a port", {"port": 8000}, "", b"http://localhost:8000/y", b"http://p", b"http://p/y"),
    ("an upstream on a port, without it", {"port": 8000}, "", b"http://localhost/y", b"http://p", None),
    ("an IPv6 upstream", {"host": "::1", "port": 8000}, "", b"http://[0:0::1]:8000/y", b"http://p", b"http://p/y"),
    ("an IPv6 upstream, misspelt", {"host": "::1"}, "", b"http://[::1::]/y", b"http://p", None),
    (
        "the literal Host the upstream is sent",
        {"host_mode": "literal", "host_literal": "www.Legacy.test"},
        "/app",
        b"http://www.legacy.test/y",
        b"https://p",
        b"https://p/app/y",
    ),
    (
        "the URL's host beside a literal",
        {"host_mode": "literal", "host_literal": "l"},
        "",
        b"//localhost/y",
        b"http://p",
        b"http://p/y",
    ),
    ("the client's Host, sent on", {"host_mode": "client"}, "/app", b"http://p/y", b"https://p", b"https://p/app/y"),
    (
        "the client's Host on a port, sent on",
        {"host_mode": "client"},
        "/app",
        b"http://p:8443/y",
        b"https://p:8443",
        b"https://p:8443/app/y",
    ),
    ("the client's Host over the proxy's scheme", {"host_mode": "client"}, "/app", b"https://p/y", b"https://p", None),
    ("the client's Host, not sent on", {}, "/app", b"http://p/y", b"https://p", None),
    ("the client's Host, where there is none", {"host_mode": "client"}, "", b"http://p/y", b"", None),
    (
        "odd bytes in a base",
        {"base_path": "/caf\u00e9"},
        "/\u00fc",
        "/caf\u00e9/y".encode(),
        b"http://p",
        "/\u00fc/y".encode(),
    ),
    ("an absurd port", {}, "", b"http://localhost:" + b"9" * 5000 + b"/y", b"http://p", None),
]


@pytest.mark.parametrize("mode", ["client", "upstream"])
def test_the_host_that_an_edge_made_another_is_the_upstreams_name_too(mode: str) -> None:
    """With `host: client` it is the only one that the upstream has heard."""
    rewriter = RedirectRewriter.compile(replace(BASED, host_mode=mode), "/app")  # type: ignore[arg-type]
    given = b"http://edge.internal:8080/base/y"
    answer = rewriter.rewrite(b"location", given, b"https://www.test", b"edge.internal:8080")
    assert answer == (b"https://www.test/app/y" if mode == "client" else given)


@pytest.mark.parametrize(
    ("changes", "prefix", "value", "proxy_origin", "wanted"),
    [pytest.param(*row[1:], id=row[0]) for row in OTHER_SETTINGS],
)
def test_what_counts_as_own_follows_the_upstreams_settings(
    changes: dict[str, Any], prefix: str, value: bytes, proxy_origin: bytes, wanted: bytes | None
) -> None:
    """Scheme, port, base path, prefix and the Host that is sent decide; None is untouched."""
    upstream = replace(Upstream(name="u", scheme="http", host="localhost", port=80), **changes)
    rewriter = RedirectRewriter.compile(upstream, prefix)
    assert rewriter.rewrite(b"location", value, proxy_origin) == (value if wanted is None else wanted)


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        pytest.param(b'0;url="/base', b'0;url="/app', id="a quote that is never closed"),
        pytest.param(b"0;url=/base \t", b"0;url=/app \t", id="white space behind the address"),
        pytest.param(b"0;url= \t", b"0;url= \t", id="white space and no address"),
        pytest.param(b"0;url=''", b"0;url=''", id="quotes and no address"),
    ],
)
def test_the_address_in_refresh_ends_where_a_browser_ends_it(value: bytes, wanted: bytes) -> None:
    """Bytes after it are kept."""
    assert REWRITER.rewrite(b"refresh", value, PROXY) == wanted


FIELDS = st.sampled_from([b"location", b"content-location", b"refresh"])
FRAGMENTS = st.lists(
    st.sampled_from(
        [b"http:", b"//", b"localhost", b"/base", b"/", b"..", b"%2e", b"\\", b"@", b":80", b"[::1]", b"5;url=", b"'"]
    )
    | st.binary(max_size=4),
    max_size=12,
).map(b"".join)


@given(name=FIELDS, value=FRAGMENTS, proxy_origin=st.sampled_from([PROXY, b""]))
def test_no_bytes_raise_and_the_end_of_the_line_stays(name: bytes, value: bytes, proxy_origin: bytes) -> None:
    """Whatever is written, the answer is the value or ends as the value ends, and adds no line."""
    answer = REWRITER.rewrite(name, value, proxy_origin)
    assert answer.count(b"\r") + answer.count(b"\n") == value.count(b"\r") + value.count(b"\n")
    if answer != value:
        assert b"/app" in answer
        cut = value.find(b"/base")
        assert cut >= 0
        assert any(
            answer.endswith(value[at + len(b"/base") :]) for at in range(len(value)) if value.startswith(b"/base", at)
        )


@given(rest=st.binary(max_size=40).filter(lambda rest: b".." not in rest and b"%2" not in rest.lower()))
def test_what_follows_the_base_path_is_kept_byte_for_byte(rest: bytes) -> None:
    """Query, fragment and bytes outside ASCII included."""
    assert REWRITER.rewrite(b"location", b"http://localhost/base/" + rest, PROXY) == b"http://proxy.test/app/" + rest
