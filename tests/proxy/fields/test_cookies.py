"""Set-Cookie lines, row by row beside what nginx and Node's http-proxy make of the same line.

The columns of the two were measured with the nearest setting each has: nginx 1.22.1 (`proxy_cookie_path`,
`proxy_cookie_domain`, `proxy_cookie_flags`) and http-proxy 1.18.1 (`cookieDomainRewrite`, `cookiePathRewrite`).
OFF is no such setting.
nginx writes every attribute as `; name=value`; rows that differ by that alone name SPACING.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corsproxy.proxy.fields.cookies import CookieRewriter
from corsproxy.settings import CookieRules, Upstream
from tests.proxy.fields.rows import OFF, Row, kept

BASED = Upstream(name="legacy", scheme="http", host="localhost", port=80, base_path="/base")
BARE = Upstream(name="legacy", scheme="http", host="localhost", port=80)

SPACING = "nginx writes the white space around an attribute anew"
WHOLE_SEGMENTS = "nginx replaces text, not whole segments: /basement is another path"
CLIMBS = "nginx does not see that the path leads out of the base"
MAP = "http-proxy maps whole values only; each path would need its own entry"
FIRST = "http-proxy edits the first of a repeated attribute, browsers read the last"
PATTERN = "http-proxy looks for `; name=value` without white space inside"
EMPTY = "a host-only cookie is not widened to a domain, nor a default path narrowed"
HOST_PREFIX = "a cookie named __Host- with another path is thrown away by browsers"
SECURE_PREFIX = "a cookie named __Secure-, __Host- or __Http- without Secure is thrown away by browsers"
NEEDS_SECURE = "a cookie with SameSite=None or Partitioned and without Secure is thrown away by browsers"
REPEATED = "browsers read the last of a repeated attribute; nginx edits the first"
KEEPS_SPELLING = "nginx keeps a value that is the same but for letter case, and our rows have one spelling"
APPENDS = "SameSite and Secure are added in another order"
TRAILING = "a trailing semicolon is used, not kept as an empty attribute"

DATE = b"Expires=Wed, 21 Oct 2015 07:28:00 GMT"

# nginx: proxy_cookie_path /base /app; http-proxy: cookiePathRewrite {'/base/': '/app/', '/base': '/app'}
PATH_REWRITE = [
    Row(b"a=b; Path=/base", b"a=b; Path=/app"),
    Row(b"a=b; Path=/base/", b"a=b; Path=/app/"),
    Row(b"a=b; Path=/base;", b"a=b; Path=/app;"),
    Row(b"a=b; Path=/base/y", b"a=b; Path=/app/y", None, b"a=b; Path=/base/y", MAP),
    Row(b"a=b; path=/base/y; HttpOnly", b"a=b; path=/app/y; HttpOnly", None, b"a=b; path=/base/y; HttpOnly", MAP),
    Row(
        b"a=b;PATH=/base/y;Secure",
        b"a=b;PATH=/app/y;Secure",
        b"a=b; PATH=/app/y; Secure",
        b"a=b;PATH=/base/y;Secure",
        SPACING,
    ),
    Row(
        b"a=b; Path = /base/y ; Secure",
        b"a=b; Path = /app/y ; Secure",
        b"a=b; Path=/app/y; Secure",
        b"a=b; Path = /base/y ; Secure",
        SPACING,
    ),
    Row(b"a=b; " + DATE + b"; Path=/base", b"a=b; " + DATE + b"; Path=/app"),
    Row(b"a=b; Path=/x; Path=/base/y", b"a=b; Path=/x; Path=/app/y", None, b"a=b; Path=/x; Path=/base/y", MAP),
    Row(b"a=b; Path=/base/y; Path=/x", b"a=b; Path=/app/y; Path=/x", None, b"a=b; Path=/base/y; Path=/x", MAP),
    Row(b"Path=/base/y; Path=/base", b"Path=/base/y; Path=/app"),
    Row(
        b'a="x; Path=/base/y"; Path=/base/z',
        b'a="x; Path=/app/y"; Path=/app/z',
        None,
        b'a="x; Path=/base/y"; Path=/base/z',
        MAP,
    ),
    kept(b"a=b; Path=/basement", b"a=b; Path=/appment", None, WHOLE_SEGMENTS),
    kept(b"a=b; Path=/base/../x", b"a=b; Path=/app/../x", None, CLIMBS),
    kept(b"a=/base/y; Path=/other"),
    kept(b"a=b; Path=/"),
    kept(b"a=b; Path="),
    kept(b"a=b; Path"),
    kept(b"a=b"),
    kept(b'a=b; Path="/base/y"'),
    kept(b"a=b; Path=base/y"),
    kept(b"__Host-a=b; Secure; Path=/"),
]

# http-proxy: cookieDomainRewrite ''; nginx cannot remove it
DOMAIN_REMOVE = [
    Row(b"a=b; Domain=localhost", b"a=b", OFF),
    Row(b"a=b; Domain=.legacy.test; Path=/", b"a=b; Path=/", OFF),
    Row(b"a=b;Domain=x;Path=/", b"a=b;Path=/", OFF),
    Row(b"a=b; Domain=x;", b"a=b;", OFF),
    Row(b"a=b; " + DATE + b"; Domain=x; Path=/", b"a=b; " + DATE + b"; Path=/", OFF),
    Row(b"a=b; domain=x; DOMAIN=y; Path=/", b"a=b; Path=/", OFF, b"a=b; DOMAIN=y; Path=/", FIRST),
    Row(b"a=b; Domain", b"a=b", OFF, b"a=b; Domain", PATTERN),
    Row(b"a=b; Domain=; Path=/", b"a=b; Path=/", OFF, b"a=b; Domain=; Path=/", PATTERN),
    Row(b"a=b; Domain = x ; Path=/", b"a=b; Path=/", OFF, b"a=b; Domain = x ; Path=/", PATTERN),
    Row(b"a=b; Domain=x, c=d; Domain=y", b"a=b", OFF, b"a=b; Domain=y", FIRST),
    Row(b'a="x; Domain=y"; Path=/', b'a="x; Path=/', OFF),
    Row(b"__Host-a=b; Secure; Path=/; Domain=x", b"__Host-a=b; Secure; Path=/", OFF),
    Row(b"=b; Domain=x", b"=b", OFF),
    Row(b"b; Domain=x", b"b", OFF),
    kept(b"a=b", OFF),
    kept(b"domain=x; Path=/", OFF),
    kept(b"a=b; X-Domain=x; Path=/", OFF),
]

# nginx: proxy_cookie_domain ~.* example.com; proxy_cookie_path ~.* /new; http-proxy: 'example.com' and '/new'
DOMAIN_AND_PATH = [
    Row(b"a=b; Domain=localhost; Path=/base", b"a=b; Domain=example.com; Path=/new"),
    Row(b"__Secure-a=b; Secure; Domain=x; Path=/", b"__Secure-a=b; Secure; Domain=example.com; Path=/new"),
    Row(
        b"a=b; domain=.x; path=/; Domain=y; Path=/z",
        b"a=b; domain=example.com; path=/new; Domain=example.com; Path=/new",
        None,
        b"a=b; domain=example.com; path=/new; Domain=y; Path=/z",
        FIRST,
    ),
    Row(
        b"a=b; Domain = x; Path = /",
        b"a=b; Domain = example.com; Path = /new",
        b"a=b; Domain=example.com; Path=/new",
        b"a=b; Domain = x; Path = /",
        SPACING,
    ),
    kept(b"a=b"),
    kept(b"a=b; Domain; Path"),
    kept(b"a=b; Domain=; Path=", b"a=b; Domain=example.com; Path=/new", None, EMPTY),
    kept(
        b"__Host-a=b; Secure; Path=/",
        b"__Host-a=b; Secure; Path=/new",
        b"__Host-a=b; Secure; Path=/new",
        HOST_PREFIX,
    ),
    kept(
        b"__host-a=b; Secure; Path=/",
        b"__host-a=b; Secure; Path=/new",
        b"__host-a=b; Secure; Path=/new",
        HOST_PREFIX,
    ),
]

# nginx: proxy_cookie_flags ~ secure samesite=none
SECURE_AND_NONE = [
    Row(b"a=b", b"a=b; SameSite=None; Secure", b"a=b; Secure; SameSite=None", OFF, APPENDS),
    Row(b"=b", b"=b; SameSite=None; Secure", b"=b; Secure; SameSite=None", OFF, APPENDS),
    Row(b"secure=1", b"secure=1; SameSite=None; Secure", b"secure=1; Secure; SameSite=None", OFF, APPENDS),
    Row(b"a=b; Secure", b"a=b; Secure; SameSite=None", None, OFF),
    Row(b"a=\xff; Secure", b"a=\xff; Secure; SameSite=None", None, OFF),
    Row(b"a=b; secure; SameSite=Strict", b"a=b; secure; SameSite=None", None, OFF),
    Row(b"a=b; SameSite", b"a=b; SameSite=None; Secure", None, OFF),
    Row(b"__Secure-a=b; Secure", b"__Secure-a=b; Secure; SameSite=None", None, OFF),
    Row(
        b"a=b; samesite=lax; HttpOnly",
        b"a=b; samesite=None; HttpOnly; Secure",
        b"a=b; SameSite=None; HttpOnly; Secure",
        OFF,
        SPACING,
    ),
    Row(
        b"a=b; Max-Age=5;Secure ; Priority=High",
        b"a=b; Max-Age=5;Secure ; Priority=High; SameSite=None",
        b"a=b; Max-Age=5; Secure; Priority=High; SameSite=None",
        OFF,
        SPACING,
    ),
    Row(b"a=b; Secure; Secure", b"a=b; Secure; Secure; SameSite=None", None, OFF),
    Row(
        b"a=b; SameSite=Lax; SameSite=Strict",
        b"a=b; SameSite=None; SameSite=None; Secure",
        b"a=b; SameSite=None; SameSite=Strict; Secure",
        OFF,
        REPEATED,
    ),
    Row(
        b"a=b; Secure=1; SameSite=none",
        b"a=b; Secure=1; SameSite=None",
        b"a=b; Secure=1; SameSite=none",
        OFF,
        KEEPS_SPELLING,
    ),
    Row(b"a=b;", b"a=b; SameSite=None; Secure", b"a=b; ; Secure; SameSite=None", OFF, TRAILING),
    Row(b"a=b; ", b"a=b; SameSite=None; Secure", b"a=b; ; Secure; SameSite=None", OFF, TRAILING),
    Row(b"a=b;;", b"a=b;; SameSite=None; Secure", b"a=b; ; ; Secure; SameSite=None", OFF, TRAILING),
    kept(b"a=b; Partitioned; Secure; SameSite=None", None, OFF),
    kept(b"", None, OFF),
    kept(b"; Secure", None, OFF),
]

# nginx: proxy_cookie_flags ~ nosecure samesite=lax
NOT_SECURE_AND_LAX = [
    Row(b"a=b; Secure", b"a=b; SameSite=Lax", None, OFF),
    Row(b"a=b; Secure=1; SameSite=none", b"a=b; SameSite=Lax", None, OFF),
    Row(b"a=b; Secure; Secure", b"a=b; SameSite=Lax", None, OFF),
    Row(
        b"a=b; SECURE ;Priority=High",
        b"a=b;Priority=High; SameSite=Lax",
        b"a=b; Priority=High; SameSite=Lax",
        OFF,
        SPACING,
    ),
    Row(b"a=b; Insecure; X=Secure", b"a=b; Insecure; X=Secure; SameSite=Lax", None, OFF),
    Row(
        b"__Secure-a=b; Secure",
        b"__Secure-a=b; Secure; SameSite=Lax",
        b"__Secure-a=b; SameSite=Lax",
        OFF,
        SECURE_PREFIX,
    ),
    Row(
        b"__Host-a=b; Secure; Path=/",
        b"__Host-a=b; Secure; Path=/; SameSite=Lax",
        b"__Host-a=b; Path=/; SameSite=Lax",
        OFF,
        SECURE_PREFIX,
    ),
    Row(
        b"__HTTP-a=b; Secure; HttpOnly",
        b"__HTTP-a=b; Secure; HttpOnly; SameSite=Lax",
        b"__HTTP-a=b; HttpOnly; SameSite=Lax",
        OFF,
        SECURE_PREFIX,
    ),
]

# nginx: proxy_cookie_flags ~ nosecure
NOT_SECURE = [
    Row(b"a=b; Secure; SameSite=None", b"a=b; SameSite=Lax", b"a=b; SameSite=None", OFF, NEEDS_SECURE),
    Row(b"a=b; SameSite = NONE; secure", b"a=b; SameSite = Lax", b"a=b; SameSite=NONE", OFF, NEEDS_SECURE),
    Row(b"a=b; SameSite=None", b"a=b; SameSite=Lax", b"a=b; SameSite=None", OFF, NEEDS_SECURE),
    Row(
        b"a=b; SameSite=Lax; SameSite=none; Secure",
        b"a=b; SameSite=Lax; SameSite=Lax",
        b"a=b; SameSite=Lax; SameSite=none",
        OFF,
        NEEDS_SECURE,
    ),
    Row(b"a=b; Secure; Partitioned", b"a=b", b"a=b; Partitioned", OFF, NEEDS_SECURE),
    Row(
        b"a=b; PARTITIONED; Secure; SameSite=None",
        b"a=b; SameSite=Lax",
        b"a=b; PARTITIONED; SameSite=None",
        OFF,
        NEEDS_SECURE,
    ),
    Row(b"a=b; Secure; SameSite=Strict", b"a=b; SameSite=Strict", None, OFF),
    Row(b"a=b; Secure; SameSite=nonesuch", b"a=b; SameSite=nonesuch", None, OFF),
    Row(b"a=b; Secure; SameSite", b"a=b; SameSite", None, OFF),
    kept(
        b"__Secure-a=b; Secure; SameSite=None; Partitioned",
        b"__Secure-a=b; SameSite=None; Partitioned",
        OFF,
        SECURE_PREFIX,
    ),
]

# Neither has a setting for it: nginx 1.22 knows no partitioned cookies.
PARTITIONED = [
    Row(b"a=b; Secure", b"a=b; Secure; Partitioned", OFF, OFF),
    kept(b"a=b; Secure; partitioned", OFF, OFF),
]
NOT_PARTITIONED = [
    Row(b"a=b; Partitioned; Secure", b"a=b; Secure", OFF, OFF),
    kept(b"Partitioned=1; Secure", OFF, OFF),
]

# The prefix of a route with nothing in front of the upstream's paths; nginx: proxy_cookie_path / /app/
PREFIX_ALONE = [
    Row(b"a=b; Path=/", b"a=b; Path=/app", b"a=b; Path=/app/", OFF, "Path=/app/ does not match a request for /app"),
    Row(b"a=b; Path=/y", b"a=b; Path=/app/y", None, OFF),
    kept(b"a=b; Path=", None, OFF),
    kept(b"a=b; Path=y", None, OFF),
    kept(b"__Host-a=b; Secure; Path=/", b"__Host-a=b; Secure; Path=/app/", OFF, HOST_PREFIX),
]
# nginx: proxy_cookie_path /base /
BASE_ALONE = [
    Row(b"a=b; Path=/base", b"a=b; Path=/", None, OFF),
    Row(b"a=b; Path=/base/", b"a=b; Path=/", b"a=b; Path=//", OFF, "nginx replaces text"),
    Row(b"a=b; Path=/base/y", b"a=b; Path=/y", b"a=b; Path=//y", OFF, "nginx replaces text"),
]

TABLES = [
    ("path: rewrite", CookieRules(path="rewrite"), BASED, "/app", PATH_REWRITE),
    ("path: rewrite, prefix alone", CookieRules(path="rewrite"), BARE, "/app", PREFIX_ALONE),
    ("path: rewrite, base alone", CookieRules(path="rewrite"), BASED, "", BASE_ALONE),
    ("domain: remove", CookieRules(domain="remove"), BASED, "/app", DOMAIN_REMOVE),
    ("domain: NAME, path: /X", CookieRules(domain="example.com", path="/new"), BASED, "/app", DOMAIN_AND_PATH),
    ("same_site: none, secure: add", CookieRules(same_site="none", secure="add"), BASED, "/app", SECURE_AND_NONE),
    ("same_site: lax, secure: remove", CookieRules(same_site="lax", secure="remove"), BASED, "", NOT_SECURE_AND_LAX),
    ("secure: remove", CookieRules(secure="remove"), BASED, "", NOT_SECURE),
    ("partitioned: true", CookieRules(partitioned=True), BASED, "/app", PARTITIONED),
    ("partitioned: false", CookieRules(partitioned=False), BASED, "/app", NOT_PARTITIONED),
]
ROWS = [
    pytest.param(rules, upstream, prefix, row, id=f"{title} on {row.value.decode('latin-1') or 'nothing'}")
    for title, rules, upstream, prefix, rows in TABLES
    for row in rows
]


@pytest.mark.parametrize(("rules", "upstream", "prefix", "row"), ROWS)
def test_an_attribute_is_edited_and_the_rest_of_the_line_stays(
    rules: CookieRules, upstream: Upstream, prefix: str, row: Row
) -> None:
    """Each line comes out as the table says."""
    assert CookieRewriter.compile(rules, upstream, prefix).rewrite(row.value) == row.ours


@pytest.mark.parametrize(("rules", "upstream", "prefix", "row"), ROWS)
def test_every_difference_from_nginx_and_http_proxy_is_named(
    rules: CookieRules, upstream: Upstream, prefix: str, row: Row
) -> None:
    """A row gives a reason exactly where one of the two answers otherwise."""
    assert row.differs == bool(row.why)


@pytest.mark.parametrize(("rules", "upstream", "prefix", "row"), ROWS)
def test_without_rules_every_line_stays(rules: CookieRules, upstream: Upstream, prefix: str, row: Row) -> None:
    """Every key is off by default."""
    assert CookieRewriter.compile(CookieRules(), upstream, prefix).rewrite(row.value) == row.value


@pytest.mark.parametrize(("rules", "upstream", "prefix", "row"), ROWS)
def test_a_line_that_was_edited_is_not_edited_again(
    rules: CookieRules, upstream: Upstream, prefix: str, row: Row
) -> None:
    """Two proxies with the same rules, or a line that already was as wanted, do no harm (a mapped path apart)."""
    if rules.path == "rewrite":
        rules = CookieRules(domain=rules.domain, same_site=rules.same_site, secure=rules.secure)
    rewriter = CookieRewriter.compile(rules, upstream, prefix)
    once = rewriter.rewrite(row.value)
    assert rewriter.rewrite(once) == once


ALL_RULES = st.builds(
    CookieRules,
    domain=st.sampled_from([None, "remove", "example.com"]),
    path=st.sampled_from([None, "rewrite", "/new"]),
    same_site=st.sampled_from([None, "none", "lax", "strict"]),
    secure=st.sampled_from([None, "add", "remove"]),
    partitioned=st.sampled_from([None, True, False]),
)
EDITED = (b"domain", b"path", b"samesite", b"secure", b"partitioned")
LINES = st.lists(
    st.sampled_from(
        [b";", b"=", b" ", b"Domain=x", b"; path=/base/y", b"; Secure", b";SameSite=lax", b"__Host-a=b", b", "]
    )
    | st.binary(max_size=5),
    max_size=14,
).map(b"".join)


@given(rules=ALL_RULES, line=LINES)
def test_no_bytes_raise_and_everything_but_the_five_attributes_stays(rules: CookieRules, line: bytes) -> None:
    """The pair in front and every other attribute, empty ones in the middle too, are there in order, byte for byte."""

    def others(value: bytes) -> list[bytes]:
        pair, *attributes = value.split(b";")
        rest = [pair, *(item for item in attributes if item.partition(b"=")[0].strip(b" \t").lower() not in EDITED)]
        while len(rest) > 1 and not rest[-1].strip(b" \t"):
            rest.pop()
        return rest

    assert others(CookieRewriter.compile(rules, BASED, "/app").rewrite(line)) == others(line)


@given(rules=ALL_RULES, value=st.binary(max_size=8).filter(lambda value: b";" not in value))
def test_a_prefixed_cookie_that_browsers_keep_is_never_made_one_they_throw_away(
    rules: CookieRules, value: bytes
) -> None:
    """`__Host-` needs Secure, Path=/ and no Domain; `__Secure-` needs Secure (RFC 6265bis section 4.1.3)."""
    rewriter = CookieRewriter.compile(rules, BASED, "/app")
    attributes = [item.strip() for item in rewriter.rewrite(b"__Host-a=" + value + b"; Secure; Path=/").split(b";")[1:]]
    assert b"Secure" in attributes
    assert b"Path=/" in attributes
    assert not any(item.lower().startswith(b"domain") for item in attributes)
    assert b"; Secure" in rewriter.rewrite(b"__Secure-a=" + value + b"; Secure")


@pytest.mark.parametrize(
    ("origin", "line", "kept"),
    [
        (b"http://localhost:8080", b"a=1; Domain=api.example.com; Path=/", b"a=1; Path=/"),
        (b"http://localhost:8080", b"a=1; Domain=localhost", b"a=1; Domain=localhost"),
        (b"https://shop.example.com", b"a=1; Domain=.Example.com; Secure", b"a=1; Domain=.Example.com; Secure"),
        (b"https://example.com", b"a=1; Domain=shop.example.com", b"a=1"),
        (b"https://badexample.com", b"a=1; Domain=example.com", b"a=1"),
        (b"http://[::1]:8080", b"a=1; Domain=example.com", b"a=1"),
        (b"http://10.0.0.1:8080", b"a=1; Domain=10.0.0.1", b"a=1; Domain=10.0.0.1"),
        (b"http://10.0.0.1:8080", b"a=1; Domain=0.0.1", b"a=1"),
        (b"http://localhost", b"a=1; Domain=", b"a=1; Domain="),
        (b"http://localhost", b"a=1; domain = x.example ; HttpOnly", b"a=1; HttpOnly"),
    ],
)
def test_a_domain_that_the_browser_would_not_take_is_taken_off(origin: bytes, line: bytes, kept: bytes) -> None:
    """Quick mode: the cookie is lost otherwise; one that it takes stays as it is (RFC 6265 section 5.3, step 6)."""
    upstream = Upstream("api", "http", "api.example.com", 80)
    rewriter = CookieRewriter.compile(CookieRules(removes_foreign_domain=True), upstream, "")
    assert rewriter.rewrite(line, origin) == kept
