"""Origin and Referer to the upstream: what each word of the `origin` key sends, and what old CSRF checks need."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corsproxy.proxy.fields.referer import OriginRewriter
from corsproxy.settings import OriginMode, Upstream

PROXY = b"https://api.example.com"
UPSTREAM = Upstream(
    name="legacy", scheme="http", host="legacy.internal", port=8000, base_path="/base", origin_mode="upstream"
)


def rewriter(mode: OriginMode) -> OriginRewriter:
    """Return the rewriter of a route that takes /app off and puts /base on."""
    return OriginRewriter.compile(replace(UPSTREAM, origin_mode=mode), "/app")


ORIGINS = [b"https://app.example.com", b"null", b"HTTPS://Odd/", b"", b"\xff"]


@pytest.mark.parametrize("value", ORIGINS)
@pytest.mark.parametrize(
    ("mode", "wanted"), [("forward", "as sent"), ("remove", None), ("upstream", b"http://legacy.internal:8000")]
)
def test_origin_is_sent_left_out_or_the_urls_own(mode: OriginMode, wanted: bytes | str | None, value: bytes) -> None:
    """Whatever the client sent, `null` included."""
    assert rewriter(mode).origin(value) == (value if wanted == "as sent" else wanted)


REFERERS = [
    ("a page of another site", b"https://app.example.com/page?q#", b"http://legacy.internal:8000/page?q#"),
    ("another site's origin alone", b"https://app.example.com/", b"http://legacy.internal:8000/"),
    ("an origin without a path", b"https://app.example.com", b"http://legacy.internal:8000/"),
    ("an origin with a query", b"https://app.example.com?q", b"http://legacy.internal:8000/?q"),
    ("any letter case", b"HTTP://App.Example.com/x", b"http://legacy.internal:8000/x"),
    ("user info", b"https://u:p@app.example.com/x", b"http://legacy.internal:8000/x"),
    ("odd bytes", b"https://app.example.com/\xe9%zz", b"http://legacy.internal:8000/\xe9%zz"),
    ("a page the proxy served", b"https://api.example.com/app/form?q", b"http://legacy.internal:8000/base/form?q"),
    ("the proxied root", b"https://api.example.com/app", b"http://legacy.internal:8000/base/"),
    ("the proxied root with a query", b"https://api.example.com/app?q", b"http://legacy.internal:8000/base/?q"),
    ("the proxied root with a fragment", b"https://api.example.com/app#f", b"http://legacy.internal:8000/base/#f"),
    ("a page as deep as the prefix", b"https://api.example.com/old/x", b"http://legacy.internal:8000/old/x"),
    ("another route's page", b"https://api.example.com/application", b"http://legacy.internal:8000/application"),
    ("another path of the proxy", b"https://api.example.com/other", b"http://legacy.internal:8000/other"),
    ("a host that begins as the proxy's", b"https://api.example.com.evil/app/x", b"http://legacy.internal:8000/app/x"),
    ("no URL", b"about:blank", None),
    ("a relative reference", b"/app/form", None),
    ("nothing", b"", None),
    ("a file", b"file:///etc/passwd", None),
    ("a scheme without a host", b"https:///x", None),
]


@pytest.mark.parametrize(("value", "wanted"), [pytest.param(*row[1:], id=row[0]) for row in REFERERS])
def test_a_referer_made_the_upstreams_own_keeps_path_and_query(value: bytes, wanted: bytes | None) -> None:
    """Its origin is the URL's; a page that the proxy served has the path that the upstream knows."""
    assert rewriter("upstream").referer(value, PROXY) == wanted


@pytest.mark.parametrize("value", [row[1] for row in REFERERS])
def test_a_referer_is_forwarded_as_sent_or_left_out(value: bytes) -> None:
    """The other two words of the key."""
    assert rewriter("forward").referer(value, PROXY) == value
    assert rewriter("remove").referer(value, PROXY) is None


def test_the_default_port_of_the_url_is_not_written() -> None:
    """Origins are serialized, and compared as text by those who check them."""
    upstream = Upstream(name="u", scheme="https", host="::1", port=443, origin_mode="upstream")
    own = OriginRewriter.compile(upstream, "")
    assert own.origin(b"null") == b"https://[::1]"
    assert own.referer(b"https://p/x", b"https://p") == b"https://[::1]/x"


@given(
    value=st.binary(max_size=60), front=st.sampled_from([b"", b"http://", b"https://api.example.com", b"https://x/"])
)
def test_no_bytes_raise_and_no_foreign_origin_comes_through(value: bytes, front: bytes) -> None:
    """As the upstream's own, a Referer begins with its origin or is not sent."""
    answer = rewriter("upstream").referer(front + value, PROXY)
    assert answer is None or answer.startswith(b"http://legacy.internal:8000/")
