"""What a browser throws away, row by row: the word of the reason beside each Set-Cookie value."""

from __future__ import annotations

import pytest

from corsproxy.proxy.response.lost_cookies import why_lost

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
