"""Which of the proxy's own origins a request has asked for."""

from __future__ import annotations

import pytest

from corsproxy.proxy.fields.forwarded import Trust

PUBLIC = (
    "https://first.example",
    "https://api.example",
    "http://plain.example",
    "http://old.example:8080",
    "https://other.example:8443",
)


@pytest.mark.parametrize(
    ("asked", "origin"),
    [
        (b"http://api.example", b"https://api.example"),
        (b"http://API.example", b"https://api.example"),
        (b"https://api.example:443", b"https://api.example"),
        (b"http://api.example:80", b"https://first.example"),
        (b"http://plain.example:80", b"http://plain.example"),
        (b"https://plain.example:443", b"https://first.example"),
        (b"http://old.example:8080", b"http://old.example:8080"),
        (b"https://old.example:8080", b"http://old.example:8080"),
        (b"http://other.example:8443", b"https://other.example:8443"),
        (b"http://other.example", b"https://first.example"),
        (b"http://stranger.example", b"https://first.example"),
    ],
)
def test_a_public_origin(asked: bytes, origin: bytes) -> None:
    """The one with the request's host and port, whatever the scheme, as TLS may end in front; else the first."""
    assert Trust.compile((), PUBLIC).proxy_origin(asked) == origin


def test_without_public_origins_the_request_s_own_counts() -> None:
    """As far as the proxy knows it."""
    assert Trust.compile(()).proxy_origin(b"http://API.example:1") == b"http://API.example:1"
