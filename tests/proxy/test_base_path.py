"""Below an upstream's base path: every path of the only route is in it, and dot segments cannot leave it.

Where routes differ by path, most of what leads out is refused before, as it leads to another route.
"""

from __future__ import annotations

import pytest

from tests.proxy.bench import Bench

CONFIG = """
admin: 127.0.0.1:0
upstreams:
  based: "{upstream}/base/"
  spaced: "{upstream}/base/a%20b"
routes:
  - {{path: /, upstream: based}}
  - {{path: /, host: spaced.example, upstream: spaced}}
log: {{format: json}}
"""


def status(bench: Bench, path: bytes, host: bytes) -> int:
    """Ask for a path."""
    return bench.ask(b"GET %b HTTP/1.1\r\nHost: %b\r\n\r\n" % (path, host)).status


LEADING_OUT = [
    pytest.param(b"/..", b"h", id="to what is above"),
    pytest.param(b"/../x", b"h", id="dot segments"),
    pytest.param(b"/../basement", b"h", id="to what begins alike"),
    pytest.param(b"/%2e%2e/%252e%252E/etc", b"h", id="escaped"),
    pytest.param(b"/x/..%5c../y", b"h", id="backslashes"),
    pytest.param(b"/../a", b"spaced.example", id="out of the last of two segments"),
    pytest.param(b"/../a%2520", b"spaced.example", id="to half of an escaped segment"),
    pytest.param(b"/x" + b"/a" * 4000 + b"/.." * 4002, b"h", id="far away"),
    pytest.param(b"/x" + b"/a" * 1000 + b"/%2e%2e" * 1002, b"h", id="far away and escaped"),
    pytest.param(b"/../" + b"%61" * 4000, b"spaced.example", id="to a long name"),
]


@pytest.mark.parametrize(("path", "host"), LEADING_OUT)
def test_http_34_nobody_leaves_the_base_path(bench: Bench, path: bytes, host: bytes) -> None:
    """http-32, http-34: 400, and nothing reaches the upstream."""
    assert status(bench, path, host) == 400
    assert bench.connections == []


STAYING_IN = [
    pytest.param(b"/x/../y", b"h", id="dot segments"),
    pytest.param(b"/../base/x", b"h", id="out and in"),
    pytest.param(b"/../a b/x".replace(b" ", b"%20"), b"spaced.example", id="out and in where an escape is"),
    pytest.param(b"/../%61%2520b/x", b"spaced.example", id="the same in another spelling"),
    pytest.param(b"/a%2Fb/%zz/%", b"spaced.example", id="escapes"),
    pytest.param(b"/x" + b"/a" * 4000 + b"/.." * 4001, b"h", id="as deep as it goes up"),
    pytest.param(b"/x" + b"/%61" * 1000 + b"/%2e%2e" * 1001, b"h", id="the same escaped"),
    pytest.param(b"/../b%%%33%36%%33%31%%%33%37%%33%33e" + b"/a" * 1000, b"h", id="out and in, escaped three times"),
    pytest.param(b"/%61.." * 5000, b"spaced.example", id="dots that are names"),
]


@pytest.mark.parametrize(("path", "host"), STAYING_IN)
def test_http_34_what_stays_below_the_base_path_passes(bench: Bench, path: bytes, host: bytes) -> None:
    """http-34: byte for byte behind the base path, dot segments and all."""
    assert status(bench, path, host) == 200
    base = b"/base/a%20b" if host == b"spaced.example" else b"/base"
    assert bench.request.line == b"GET %b%b HTTP/1.1" % (base, path)
