"""When two spellings of a host are one, and what is an address."""

from __future__ import annotations

import pytest

from corsproxy.proxy.fields.hosts import is_address, is_same_host


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


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        (b"127.0.0.1", True),
        (b"[::1]", True),
        (b"[fe80::1]", True),
        (b"localhost", False),
        (b"127.0.0.1.example", False),
        (b"1a.2", False),
        (b"", False),
    ],
)
def test_what_is_an_address(host: bytes, expected: bool) -> None:
    """It has no domain above it, and no cookie of one."""
    assert is_address(host) is expected
