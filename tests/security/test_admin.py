"""Strangers at the admin listener: names that are not its own, rubbish, and what of it gets into the log."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.proxy.wire import ask
from tests.support.process import Proxy, started

CONFIG = """
upstreams: {up: "http://127.0.0.1:1"}
routes: [{path: /, upstream: up}]
inspector: true
log: {format: json}
"""


@pytest.fixture(name="proxy", scope="module")
def _proxy() -> Iterator[Proxy]:
    with started(CONFIG, admin=True) as proxy:
        yield proxy


@pytest.mark.parametrize(
    "host",
    [
        b"evil.example",
        b"localhost.evil.example",
        b"127.0.0.1.evil.example",
        b"[::1].evil.example",
        b"[::1]evil.example",
        b"localhost:evil.example",
        b"127.0.0.1@evil.example",
        b"evil.example#localhost",
        b"2130706433",
        b"0x7f000001",
        b"[::1",
        b"",
    ],
)
def test_a_host_that_only_looks_like_the_listeners_own_is_refused(proxy: Proxy, host: bytes) -> None:
    """A page whose name was made to point here would send it (DNS rebinding)."""
    assert ask(proxy.admin, b"GET / HTTP/1.1\r\nHost: %b\r\nConnection: close\r\n\r\n" % host).status == 403


@pytest.mark.parametrize(
    "host", [b"localhost", b"LOCALHOST:1", b"127.0.0.1:8081", b"[::1]", b"[::1]:8081", b"127.9.9.9"]
)
def test_the_listeners_own_names_are_let_in(proxy: Proxy, host: bytes) -> None:
    """Whatever the port: a forwarded one is a usual thing."""
    assert ask(proxy.admin, b"GET / HTTP/1.1\r\nHost: %b\r\nConnection: close\r\n\r\n" % host).status == 200


def test_rubbish_is_answered_and_leaves_no_traceback(proxy: Proxy) -> None:
    """Nor any of its bytes in the log."""
    for rubbish in (
        b"RUBBISH\r\n\r\n",
        b"GET /RUBBISH\xff HTTP/1.1\r\n\r\n",
        b"GET /?%b HTTP/1.1\r\n\r\n" % (b"RUBBISH" * 2000),
    ):
        assert ask(proxy.admin, rubbish).status == 400
    assert proxy.ask_admin("/healthz") == (200, "ok\n")
    assert "RUBBISH" not in proxy.stderr.text
    assert "Traceback" not in proxy.stderr.text
