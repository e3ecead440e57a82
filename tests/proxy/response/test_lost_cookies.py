"""Cookies that a browser rejects, row by row: a word of the reason beside each Set-Cookie value."""

from __future__ import annotations

import pytest

from corsproxy.proxy.fields.caller import Caller, is_same_site
from corsproxy.proxy.fields.cookies import CookieRewriter
from corsproxy.proxy.fields.lines import FieldLine
from corsproxy.proxy.fields.names import RequestField, ResponseField
from corsproxy.proxy.response.lost_cookies import lost_cookies, why_lost, why_withheld
from corsproxy.proxy.upstream.head import ResponseHead
from corsproxy.settings import CookieRules, Upstream

HERE = b"http://localhost:8080"
LAN = b"http://192.168.1.5:8080"
TLS = b"https://api.example.com"

ROWS = [
    (HERE, b"a=b", None),
    (HERE, b"a=b; Path=/; HttpOnly; SameSite=Lax", None),
    (HERE, b"a=b; Secure", None),
    (b"http://127.0.0.1:8080", b"a=b; Secure", None),
    (b"http://[::1]:8080", b"a=b; Secure", None),
    (LAN, b"a=b; Secure", "plain http off loopback"),
    (LAN, b"a=b", None),
    (TLS, b"a=b; Secure", None),
    (b"", b"a=b; Secure", None),
    (HERE, b"a=b; SameSite=None", "SameSite=None without Secure"),
    (HERE, b"a=b; samesite = NONE ; secure", None),
    (HERE, b"a=b; SameSite=None; SameSite=Lax", None),
    (HERE, b"a=b; SameSite=Lax; SameSite=None", "SameSite=None without Secure"),
    (TLS, b"a=b; Partitioned", "Partitioned without Secure"),
    (TLS, b"a=b; Partitioned; Secure", None),
    (TLS, b"a=b; Domain=api.example.com", None),
    (TLS, b"a=b; Domain=.EXAMPLE.com", None),
    (TLS, b"a=b; Domain=", None),
    (TLS, b"a=b; Domain=ample.com", "Domain is not the host"),
    (TLS, b"a=b; Domain=www.example.com", "Domain is not the host"),
    (TLS, b"a=b; Domain=com", "Domain is a public suffix"),
    (b"https://shop.example.co.uk", b"a=b; Domain=.co.uk", "Domain is a public suffix"),
    (b"https://shop.example.co.uk", b"a=b; Domain=example.co.uk", None),
    (b"http://api.shop.test:8080", b"a=b; Domain=test", "Domain is a public suffix"),
    (b"http://api.shop.test:8080", b"a=b; Domain=shop.test", None),
    (HERE, b"a=b; Domain=localhost", None),
    (LAN, b"a=b; Domain=1.5", "Domain is not the host"),
    (LAN, b"a=b; Domain=192.168.1.5", None),
    (TLS, b"__Secure-a=b", "a __Secure- cookie without Secure"),
    (TLS, b"__secure-a=b; Secure", None),
    (TLS, b"__Host-a=b; Path=/", "a __Host- cookie without Secure"),
    (TLS, b"__Host-a=b; Path=/; Secure", None),
    (TLS, b"__Host-a=b; Secure", "needs Path=/"),
    (TLS, b"__Host-a=b; Secure; Path=/app", "needs Path=/"),
    (TLS, b"__Host-a=b; Secure; Path=/; Domain=api.example.com", "with a Domain"),
    (TLS, b"__Http-a=b; Secure", "needs HttpOnly"),
    (TLS, b"__Http-a=b; HttpOnly", "a __Http- cookie without Secure"),
    (TLS, b"__Host-Http-a=b; Secure; Path=/", "needs HttpOnly"),
    (TLS, b"__Host-Http-a=b; Secure; Path=/; HttpOnly", None),
    (TLS, b"a=b\x01c", "control character"),
    (TLS, b"a=b\tc", None),
    (TLS, b"a=" + b"b" * 4096, "longer than 4096"),
    (TLS, b"a = " + b"b" * 4095 + b" ; Secure", None),
    (TLS, b"a=" + b"b" * 4095, None),
    (TLS, b"=; Path=/", "neither a name nor a value"),
    (TLS, b"b", None),
    (TLS, b"a=b; Domain=" + b"x" * 1025, None),
]


@pytest.mark.parametrize(("origin", "value", "reason"), ROWS)
def test_a_cookie_is_judged_as_browsers_judge_it(origin: bytes, value: bytes, reason: str | None) -> None:
    """The reason holds the words, and never the cookie's value."""
    why = why_lost(value, origin)
    if reason is None:
        assert why is None
    else:
        assert why is not None
        assert reason in why


SAME_SITE_ROWS = [
    (b"http://localhost:3000", HERE, True),
    (b"https://localhost:3000", HERE, False),
    (b"http://127.0.0.1:3000", HERE, False),
    (b"http://192.168.1.5:3000", LAN, True),
    (b"http://192.168.1.6:3000", LAN, False),
    (b"http://[::1]:3000", b"http://[::1]:8080", True),
    (b"http://[::1]:3000", b"http://[::2]:8080", False),
    (b"https://app.example.com", TLS, True),
    (b"https://example.com", TLS, True),
    (b"https://example.org", TLS, False),
    (b"https://a.co.uk", b"https://b.co.uk", False),
    (b"https://x.a.co.uk", b"https://y.a.co.uk", True),
    (b"https://one.github.io", b"https://two.github.io", False),
    (b"http://app.shop.test:3000", b"http://api.shop.test:8080", True),
    (b"http://app.localhost", b"http://api.localhost", False),
    (b"null", HERE, False),
]


@pytest.mark.parametrize(("page", "proxy", "same"), SAME_SITE_ROWS)
def test_a_site_is_a_scheme_and_a_registrable_domain(page: bytes, proxy: bytes, same: bool) -> None:
    """Ports do not matter, an address is its own site, and so is every name directly under a public suffix."""
    assert is_same_site(page, proxy) is same
    assert is_same_site(proxy, page) is same


PAGE = {b"Origin": b"http://127.0.0.1:5173"}
CROSS = {**PAGE, b"Sec-Fetch-Site": b"cross-site", b"Sec-Fetch-Mode": b"cors"}
CHROMIUM = {b"User-Agent": b"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0"}
WITHHELD_ROWS = [
    (PAGE, b"a=b; SameSite=Lax", "SameSite=Lax in an answer to a page of another site, http://127.0.0.1:5173; open"),
    (PAGE, b"a=b; samesite=strict", "SameSite=Strict in an answer"),
    (PAGE, b"a=b; SameSite=None; Secure", None),
    (PAGE, b"a=b", None),
    (CROSS, b"a=b; SameSite=Lax", "localhost and 127.0.0.1 are two sites"),
    (CROSS, b"a=b", None),
    (CROSS | CHROMIUM, b"a=b", "no SameSite, which this browser reads as Lax, in an answer"),
    (CROSS | CHROMIUM, b"a=b; SameSite=None; Secure", None),
    (PAGE | CHROMIUM, b"a=b", None),
    ({b"Origin": b"http://localhost:5173"}, b"a=b; SameSite=Lax", None),
    ({b"Origin": b"https://localhost:5173"}, b"a=b; SameSite=Lax", "serve the page over http too"),
    ({b"Origin": b"https://app.example.com"}, b"a=b; SameSite=Lax", "cookies: {same_site: none, secure: add}"),
    ({b"Origin": b"http://localhost:x"}, b"a=b; SameSite=Lax", "cookies: {same_site: none, secure: add}"),
    ({b"Origin": b"http://localhost:" + b"8" * 5000}, b"a=b; SameSite=Lax", "cookies: {same_site: none, secure: add}"),
    ({b"Sec-Fetch-Site": b"same-site"} | PAGE, b"a=b; SameSite=Lax", None),
    ({b"Sec-Fetch-Site": b"cross-site", b"Sec-Fetch-Mode": b"navigate"}, b"a=b; SameSite=Lax", None),
    ({b"Upgrade-Insecure-Requests": b"1"} | PAGE, b"a=b; SameSite=Lax", None),
    ({b"Sec-Fetch-Site": b"cross-site", b"Sec-Fetch-Mode": b"no-cors"}, b"a=b; SameSite=Lax", "does not name"),
    ({}, b"a=b; SameSite=Lax", None),
]


@pytest.mark.parametrize(("sent", "value", "reason"), WITHHELD_ROWS)
def test_a_cookie_stays_behind_where_a_page_of_another_site_asks(
    sent: dict[bytes, bytes], value: bytes, reason: str | None
) -> None:
    """What the browser says counts before what the origins say; a navigation of the window is exempt."""
    lines = [FieldLine(RequestField.FORWARD, name, said) for name, said in sent.items() if name != b"Origin"]
    origins = (sent[b"Origin"],) if b"Origin" in sent else ()
    why = why_withheld(value, HERE, Caller(lines, origins))
    if reason is None:
        assert why is None
    else:
        assert why is not None
        assert reason in why


def answered(*cookies: bytes) -> ResponseHead:
    """Return the head of an answer that sets these cookies."""
    head = ResponseHead()
    head.fields = [FieldLine(ResponseField.FORWARD, b"X-A", b"y=1; SameSite=None")]
    head.fields += [FieldLine(ResponseField.SET_COOKIE, b"Set-Cookie", cookie) for cookie in cookies]
    return head


def test_every_lost_cookie_of_an_answer_is_named() -> None:
    """With the first reason, in order, by name alone; those that are taken are not, nor fields that set none."""
    head = answered(b"a=s3cret; SameSite=None", b"b=s3cret", b" __Host-c = s3cret; Path=/", b"s3cret; Partitioned")
    lost = lost_cookies(head, None, HERE, Caller([], ()))
    assert [name for name, _ in lost] == [b"a", b"__Host-c", b""]
    assert ["SameSite" in lost[0][1], "__Host-" in lost[1][1], "Partitioned" in lost[2][1]] == [True] * 3
    assert "s3cret" not in repr(lost)
    assert lost_cookies(answered(b"b=1"), None, HERE, Caller([], ())) == ()
    assert lost_cookies(answered(), None, HERE, Caller([], ())) == ()


def test_a_cookie_is_judged_as_the_route_leaves_it() -> None:
    """What the configuration mends is lost no more."""
    rules = CookieRules(secure="add")
    mends = CookieRewriter.compile(rules, Upstream("up", "http", "up.example", 80, cookies=rules), "")
    head = answered(b"a=1; SameSite=None", b"b=1; Domain=up.example")
    assert [name for name, _ in lost_cookies(head, None, HERE, Caller([], ()))] == [b"a", b"b"]
    assert [name for name, _ in lost_cookies(head, mends, HERE, Caller([], ()))] == [b"b"]


def test_a_cookie_that_is_withheld_is_lost() -> None:
    """From a page of another site."""
    head = answered(b"a=1; SameSite=Lax", b"b=1; SameSite=None; Secure")
    ((name, why),) = lost_cookies(head, None, HERE, Caller([], (b"https://app.example.com",)))
    assert name == b"a"
    assert "https://app.example.com" in why
