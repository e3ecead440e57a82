"""When two spellings of a host are one."""

from __future__ import annotations

import pytest

from corsproxy.proxy.fields.hosts import is_same_host


@pytest.mark.parametrize(
    ("one", "other", "default_port", "same"),
    [
        (b"api.example", b"API.example", 80, True),
        (b"api.example:80", b"api.example", 80, True),
        (b"api.example:80", b"api.example", 443, False),
        (b"api.example:8080", b"api.example:8081", 80, False),
        (b"api.example", b"example", 80, False),
        (b"api.example:65535", b"api.example:065535", 80, False),
        (b"api.example:65535", b"api.example", 65535, True),
        (b"[::1]:443", b"[::1]", 443, True),
        (b"[::1]", b"[::2]", 443, False),
    ],
)
def test_two_hosts_are_one(one: bytes, other: bytes, default_port: int, same: bool) -> None:
    """In any letter case, the default port written or left out; a request that names two hosts is refused."""
    assert is_same_host(one, other, default_port) is same
    assert is_same_host(other, one, default_port) is same
