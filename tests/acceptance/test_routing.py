"""Which route a request takes, and what its upstream is then asked for: the table of a user who reads the manual."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.acceptance.client import ask
from tests.support.process import Proxy, started
from tests.support.upstream import Upstream

CONFIG = """
upstreams:
  plain: "{upstream}"
  based: "{upstream}/base/"
  queried: "{upstream}/v2?key=1&flag"
routes:
  - {{path: /, upstream: plain}}
  - {{path: /orders, upstream: based, strip_prefix: true}}
  - {{path: "/orders/{{id}}/invoice", upstream: queried, strip_prefix: /orders}}
  - {{path: /status, upstream: based}}
  - {{path: /status, exact: true, upstream: plain}}
  - {{path: /here, upstream: plain}}
  - {{path: /here/deep/down, upstream: queried}}
  - {{path: /here, upstream: based, host: Api.Example.com}}
  - {{path: /here, upstream: queried, host: "api.example.com:8443"}}
  - {{path: "/seg/{{any}}/end", upstream: based}}
  - {{path: /seg/lit, upstream: queried}}
"""


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    """Answer every request, and keep its line."""
    with Upstream() as running:
        yield running


@pytest.fixture(scope="module")
def proxy(upstream: Upstream) -> Iterator[Proxy]:
    """Run the proxy with all these routes at once."""
    with started(CONFIG.format(upstream=upstream.url)) as running:
        yield running


FORWARDED = [
    pytest.param(b"/foo?x", b"h", b"/foo?x", id="what nothing else matches goes to the root"),
    pytest.param(b"/ordersx", b"h", b"/ordersx", id="a prefix ends at the end of a segment"),
    pytest.param(b"/Orders", b"h", b"/Orders", id="letter case of a path counts"),
    pytest.param(b"/orders", b"h", b"/base/", id="a path that is stripped whole is a slash"),
    pytest.param(b"/orders/7?u=e", b"h", b"/base/7?u=e", id="a base path comes before what is left of the path"),
    pytest.param(b"/orders?", b"h", b"/base/?", id="an empty query is kept"),
    pytest.param(b"/orders/7/invoice/x?u=e", b"h", b"/v2/7/invoice/x?key=1&flag&u=e", id="longer before shorter"),
    pytest.param(b"/orders/7/invoice", b"h", b"/v2/7/invoice?key=1&flag", id="a base query stands alone, too"),
    pytest.param(b"/orders//7", b"h", b"/base//7", id="an empty segment goes through as it is"),
    pytest.param(b"/status", b"h", b"/status", id="exact before prefix"),
    pytest.param(b"/status/", b"h", b"/base/status/", id="a slash at the end is not the exact path"),
    pytest.param(b"/here", b"API.example.COM", b"/base/here", id="a host before none, in any letter case"),
    pytest.param(b"/here", b"api.example.com:9", b"/base/here", id="a host without a port is that host on any port"),
    pytest.param(
        b"/here", b"api.example.com:8443", b"/v2/here?key=1&flag", id="a host with its port before one without"
    ),
    pytest.param(b"/here/deep/down", b"api.example.com", b"/base/here/deep/down", id="a host before a longer path"),
    pytest.param(b"/here/deep/down", b"h", b"/v2/here/deep/down?key=1&flag", id="the longer path for other hosts"),
    pytest.param(b"/seg/lit/end", b"h", b"/v2/seg/lit/end?key=1&flag", id="a literal segment before a named one"),
    pytest.param(b"/seg/x/end", b"h", b"/base/seg/x/end", id="a name is any one segment"),
    pytest.param(
        b"/a%2Fb/%2e%2e/c//d/%zz?q=a+b%20c&&e=%", b"h", b"/a%2Fb/%2e%2e/c//d/%zz?q=a+b%20c&&e=%", id="odd bytes"
    ),
    pytest.param(b"//evil.example/x", b"h", b"//evil.example/x", id="two slashes never name another server"),
    pytest.param(b"http://h/foo", b"h", b"/foo", id="a whole URL is routed by its path"),
    pytest.param(b"/x/../y", b"h", b"/x/../y", id="dot segments that lead to the same route"),
    pytest.param(b"/%25252573tatus", b"h", b"/%25252573tatus", id="what takes four rounds to decode"),
]


@pytest.mark.parametrize(("path", "host", "sent"), FORWARDED)
def test_the_upstream_is_asked_for(proxy: Proxy, upstream: Upstream, path: bytes, host: bytes, sent: bytes) -> None:
    """Exactly that target."""
    assert ask(proxy.address, path, host=host).status == 200
    assert upstream.requests[-1].line == b"GET %b HTTP/1.1" % sent


REFUSED = [
    pytest.param(b"/x/../status", id="dot segments that lead to another route"),
    pytest.param(b"/x/%2e%2e/status", id="encoded dot segments"),
    pytest.param(b"/x%2f..%2fstatus", id="encoded slashes"),
    pytest.param(b"/x%5c..%5cstatus", id="encoded backslashes"),
    pytest.param(b"\\status", id="a backslash for the first slash"),
    pytest.param(b"/x\\..\\status", id="backslashes"),
    pytest.param(b"//status", id="two slashes"),
    pytest.param(b"/./status", id="a dot segment"),
    pytest.param(b"/%73tatus", id="an encoded letter"),
    pytest.param(b"/%2573tatus", id="a letter encoded twice"),
    pytest.param(b"/%252573tatus", id="a letter encoded three times"),
    pytest.param(b"/status%2f", id="an encoded slash behind an exact path"),
    pytest.param(b"/orders/%2e%2e", id="the way out of a prefix"),
    pytest.param(b"/orders/7/invoice/..", id="the way from a route to a less specific one"),
]


@pytest.mark.parametrize("path", REFUSED)
def test_a_path_with_two_readings_is_refused(proxy: Proxy, upstream: Upstream, path: bytes) -> None:
    """Two servers could take it to two places, so it goes nowhere."""
    before = len(upstream.requests)
    assert (ask(proxy.address, path).status, len(upstream.requests)) == (400, before)
