"""Destination on the wire: the address that an upstream gets for a client's."""

from __future__ import annotations

import pytest

from tests.proxy.bench import Bench

CONFIG = """
admin: 127.0.0.1:0
upstreams:
  legacy: {{url: "{upstream}/v2"}}
  named: {{url: "{upstream}", host: client}}
  kept: {{url: "{upstream}/v2", redirects: keep}}
routes:
  - {{path: /shop, upstream: legacy, strip_prefix: true}}
  - {{path: /named, upstream: named}}
  - {{path: /kept, upstream: kept, strip_prefix: true}}
"""


def moved(bench: Bench, path: bytes, destination: bytes) -> tuple[int, list[bytes]]:
    """Return the status of a MOVE, and the destination that the upstream was told."""
    response = bench.ask(
        b"MOVE /%b HTTP/1.1\r\nHost: proxy.test\r\nDestination: %b\r\n\r\n" % (path.lstrip(b"/"), destination)
    )
    return response.status, [value for request in bench.requests for value in request.values(b"Destination")]


def test_the_destination_on_the_wire(bench: Bench) -> None:
    """At the host that the upstream is sent, under its own base path; the proxy's name is not told beside it."""
    own = bench.upstream.url.encode()
    assert moved(bench, b"/shop/a", b"https://proxy.test/shop/b") == (200, [own + b"/v2/b"])
    assert bench.request.values(b"X-Forwarded-Host") == []
    assert bench.request.values(b"X-Forwarded-For") == [b"127.0.0.1"]


def test_the_destination_at_a_host_that_the_client_names(bench: Bench) -> None:
    """`host: client`: by that name the upstream knows itself."""
    assert moved(bench, b"/named/a", b"https://proxy.test/named/b") == (200, [b"http://proxy.test/named/b"])


def test_redirects_keep_leaves_the_destination(bench: Bench) -> None:
    """As the client wrote it, with the proxy's name in the forwarding fields."""
    assert moved(bench, b"/kept/a", b"https://proxy.test/kept/b") == (200, [b"https://proxy.test/kept/b"])
    assert bench.request.values(b"X-Forwarded-Host") == [b"proxy.test"]


@pytest.mark.parametrize("path", [b"/shop/../b", b"/shop/%252e%252e/b", b"https://proxy.test/shop/x/../../b"])
def test_a_destination_that_leads_out_of_the_base_path_is_refused(bench: Bench, path: bytes) -> None:
    """With 400, before any byte reaches the upstream, in every reading of the path."""
    assert moved(bench, b"/shop/a", path) == (400, [])
