"""A request target in its parts, and what is refused because two servers could read it differently."""

from __future__ import annotations

import pytest

from corsproxy.proxy.errors import Refusal
from corsproxy.proxy.request.target import parse_target

TARGETS = [
    # target, path, query, authority, default port
    (b"/", b"/", None, None, 80),
    (b"/a/b?c=d?e", b"/a/b", b"c=d?e", None, 80),
    (b"/a?", b"/a", b"", None, 80),
    (b"//a/%2e\\\xe4", b"//a/%2e\\\xe4", None, None, 80),
    (b"/http://h/", b"/http://h/", None, None, 80),
    (b"http://h/a?b", b"/a", b"b", b"h", 80),
    (b"https://h:8443/a", b"/a", None, b"h:8443", 443),
    (b"HTTPS://H.Example", b"/", None, b"H.Example", 443),
    (b"HTTP://h?a/b", b"/", b"a/b", b"h", 80),
    (b"http://h?", b"/", b"", b"h", 80),
    (b"http://h:/a", b"/a", None, b"h", 80),
    (b"http://h:?a", b"/", b"a", b"h", 80),
    (b"http://[::1]:80//a", b"//a", None, b"[::1]:80", 80),
    (b"http://h/a?b?c/d", b"/a", b"b?c/d", b"h", 80),
]


@pytest.mark.parametrize(("target", "path", "query", "authority", "default_port"), TARGETS)
def test_a_target(target: bytes, path: bytes, query: bytes | None, authority: bytes | None, default_port: int) -> None:
    """Origin-form and absolute-form, byte for byte; an empty port is none."""
    parsed = parse_target(target)
    assert (parsed.path, parsed.query, parsed.authority) == (path, query, authority)
    assert parsed.default_port == default_port


NO_URL = b" a * h:80 ?a ftp://h/ http:/h/ http:h ://h/ https:".split(b" ")
NO_HOST = (
    b"http:// http:///a http://?a http://u@h/ http://u:p@h/ http://h,i/ http://h:x/ "
    b"http://h\\i/ http://::1/ http://h:123456/ http://h%2f/"
).split(b" ")
FRAGMENT = b"/# /a#b /a?b#c http://h/#a http://h?a#b http://h#/a".split(b" ")
REFUSED = [
    *((target, "the request target is neither a path nor an http URL") for target in (*NO_URL, b" /")),
    *((target, "the request target's host is not a host name") for target in (*NO_HOST, b"http://h :80/")),
    *((target, "a request target has no fragment") for target in FRAGMENT),
]


@pytest.mark.parametrize(("target", "text"), REFUSED)
def test_a_target_that_is_refused(target: bytes, text: str) -> None:
    """With 400, and the connection ends: who writes so may read the rest differently too."""
    with pytest.raises(Refusal) as refused:
        parse_target(target)
    assert (refused.value.status, refused.value.close) == (400, True)
    assert refused.value.text == text
