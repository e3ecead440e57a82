"""Destination and If: an address of the proxy's becomes the upstream's, and nothing else does."""

from __future__ import annotations

import pytest

from corsproxy.proxy.errors import Refusal
from corsproxy.proxy.fields.destinations import DestinationRewriter
from corsproxy.settings import Upstream

HOST = b"legacy:8000"
PROXY = b"http://proxy.test"


def below_base(path: bytes) -> bytes:
    """Map as the route does: the prefix off, the base path on."""
    return b"/v2" + (path.removeprefix(b"/shop") or b"/")


REWRITER = DestinationRewriter.compile(Upstream("u", "http", "legacy", 8000), "/shop", below_base)

DESTINATIONS = [
    # value, what the upstream gets; None is the same
    (b"http://proxy.test/shop/a%20b?q#f", b"http://legacy:8000/v2/a%20b?q#f"),
    (b"http://proxy.test/shop", b"http://legacy:8000/v2/"),
    (b"https://proxy.test/shop/a", b"http://legacy:8000/v2/a"),
    (b"HTTP://PROXY.TEST:80/shop/a", b"http://legacy:8000/v2/a"),
    (b"//proxy.test/shop/a", b"http://legacy:8000/v2/a"),
    (b"https://proxy.test:443/shop/a", b"http://legacy:8000/v2/a"),
    (b"/shop/a", b"/v2/a"),
    (b"/shop", b"/v2/"),
    (b"/shop//a", b"/v2//a"),
    # Another route's, by its full name: the upstream must not take it for a place of its own.
    (b"/other/a", b"http://proxy.test/other/a"),
    (b"/shopping", b"http://proxy.test/shopping"),
    (b"http://proxy.test/other/a", None),
    (b"http://proxy.test/shopping", None),
    # Not the proxy's.
    (b"http://proxy.test:8080/shop/a", None),
    (b"https://proxy.test:80x/shop/a", None),
    (b"http://user@proxy.test/shop/a", None),
    (b"http://legacy:8000/v2/a", None),
    (b"http://evil.test/shop/a", None),
    (b"//evil.test/shop/a", None),
    (b"/\\evil.test/shop/a", None),
    (b"shop/a", None),
    (b"", None),
    (b"urn:uuid:1", None),
]


@pytest.mark.parametrize(("value", "wanted"), DESTINATIONS)
def test_a_destination(value: bytes, wanted: bytes | None) -> None:
    """Whatever the scheme, as TLS may end in front of the proxy."""
    made = REWRITER.rewrite(b"destination", value, host=HOST, proxy_origin=PROXY)
    assert made == (value if wanted is None else wanted)


CONDITIONS = [
    (b"<http://proxy.test/shop/a> (<urn:uuid:1>)", b"<http://legacy:8000/v2/a> (<urn:uuid:1>)"),
    (
        b'<http://proxy.test/shop/a> (Not <urn:uuid:1> ["e)<tag"]) <http://proxy.test/shop/b> ([W/"x"])',
        b'<http://legacy:8000/v2/a> (Not <urn:uuid:1> ["e)<tag"]) <http://legacy:8000/v2/b> ([W/"x"])',
    ),
    (b"</shop/a>(<urn:uuid:1>)(<urn:uuid:2>)", b"</v2/a>(<urn:uuid:1>)(<urn:uuid:2>)"),
    (b"(<urn:uuid:1>)", None),
    (b"(<http://proxy.test/shop/token>)", None),
    (b"<http://evil.test/shop/a> (<urn:uuid:1>)", None),
    (b"(<urn:uuid:1> <http://proxy.test/shop/a>", None),
    (b"<http://proxy.test/shop/a", None),
    (b"", None),
]


@pytest.mark.parametrize(("value", "wanted"), CONDITIONS)
def test_conditions(value: bytes, wanted: bytes | None) -> None:
    """Resources are named anew, tokens and tags stay; what cannot be read stays from there on."""
    made = REWRITER.rewrite(b"if", value, host=HOST, proxy_origin=PROXY)
    assert made == (value if wanted is None else wanted)


@pytest.mark.parametrize("value", [b"(" * 32_000, b'("' * 16_000, b"<" * 32_000, b"(<>" * 10_000])
def test_what_nothing_closes_is_read_once(value: bytes) -> None:
    """A field as long as a head may be costs no more than a look at each byte; twice as many would show."""
    assert REWRITER.rewrite(b"if", value, host=HOST, proxy_origin=PROXY) == value


@pytest.mark.parametrize(
    "value", [b"/shop/../a", b"/shop/./../a", b"http://proxy.test/shop/x/%2e%2e/../a", b"/shop/..\\a"]
)
def test_a_place_that_leads_out_of_the_route_is_refused(value: bytes) -> None:
    """It would be another route's, perhaps under another policy."""
    with pytest.raises(Refusal) as refused:
        REWRITER.rewrite(b"destination", value, host=HOST, proxy_origin=PROXY)
    assert refused.value.status == 400
