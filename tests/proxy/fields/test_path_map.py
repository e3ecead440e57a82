"""Paths on their way to the upstream and back: one map for the target, Referer, Destination, Location and cookies."""

from __future__ import annotations

import pytest

from corsproxy.proxy.fields.references import PathMap

MAPS = {"both": PathMap(b"/v2", b"/shop"), "base": PathMap(b"/v2", b""), "prefix": PathMap(b"", b"/shop")}


@pytest.mark.parametrize(
    ("name", "path", "upstreams"),
    [
        ("both", b"/shop/x", b"/v2/x"),
        ("both", b"/shop/", b"/v2/"),
        ("both", b"/shop", b"/v2/"),
        ("both", b"/shop//x", b"/v2//x"),
        ("both", b"/shopping/x", None),
        ("both", b"/x", None),
        ("base", b"/x", b"/v2/x"),
        ("base", b"/", b"/v2/"),
        ("prefix", b"/shop/a%2Fb", b"/a%2Fb"),
        ("prefix", b"/shop", b"/"),
        ("prefix", b"/Shop", None),
    ],
)
def test_forth_and_back(name: str, path: bytes, upstreams: bytes | None) -> None:
    """Byte for byte; what is forth comes back, with a slash where the bare prefix had none."""
    paths = MAPS[name]
    assert paths.to_upstream(path) == upstreams
    if upstreams is not None:
        assert paths.to_proxy(upstreams) == (path + b"/" if path == paths.prefix else path)


@pytest.mark.parametrize("path", [b"/v2x", b"/x", b"/v2/../admin", b"/v2/%2E%2e/admin", b""])
def test_what_is_outside_the_base_path_is_not_the_routes(path: bytes) -> None:
    """A place that the route does not serve has no path of the proxy's."""
    assert MAPS["both"].to_proxy(path) is None
