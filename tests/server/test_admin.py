"""The admin listener: probes, metrics, nothing else, and who may be addressed as the inspector."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from aiohttp import web

from corsproxy.server.admin.host_guard import HostGuard
from corsproxy.server.admin.listener import Admin
from corsproxy.server.listen.sockets import GROUP, open_listeners
from corsproxy.settings import TcpAddress
from tests.server.setup import APP, ask, config
from tests.support.process import Proxy, started


@pytest.fixture(scope="module")
def proxy() -> Iterator[Proxy]:
    """Run a proxy with an admin listener."""
    with started(config("http://127.0.0.1:9"), admin=True) as running:
        yield running


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        pytest.param("GET", "/healthz", 200, id="health is 200 while the process lives"),
        pytest.param("HEAD", "/healthz", 200, id="HEAD asks for health too"),
        pytest.param("GET", "/readyz", 200, id="ready is 200 while it is not stopping"),
        pytest.param("GET", "/metrics", 200, id="metrics are there"),
        pytest.param("HEAD", "/metrics", 200, id="HEAD asks for metrics too"),
        pytest.param("GET", "/", 404, id="there is no page without the inspector"),
        pytest.param("GET", "/nothing", 404, id="anything else is not found"),
        pytest.param("GET", "/healthz/", 404, id="a path is matched in full"),
        pytest.param("POST", "/healthz", 405, id="POST is not allowed"),
        pytest.param("OPTIONS", "/metrics", 405, id="OPTIONS is not allowed, as there is no CORS here"),
    ],
)
def test_the_admin_listener_answers(proxy: Proxy, method: str, path: str, status: int) -> None:
    """Each path and method has its status, and no CORS field, whatever the Origin."""
    answer = ask(proxy.admin, path, method, Origin=APP, Access_Control_Request_Method="GET")
    assert answer.status == status
    assert answer.cors == {}
    assert answer.fields["server"] == "corsproxy"
    assert answer.fields.get("cache-control") == ("no-store" if (path, status) != ("/metrics", 200) else None)
    if method == "HEAD":
        assert answer.body == b""
    if status == 405:
        assert answer.fields["allow"] == "GET, HEAD"


def test_a_query_does_not_hide_a_probe(proxy: Proxy) -> None:
    """Some probes add a parameter against caches."""
    assert proxy.ask_admin("/healthz?t=1") == (200, "ok\n")


def test_admin_paths_are_not_served_on_the_proxied_port(proxy: Proxy) -> None:
    """The proxy's own listener forwards /healthz like any other path."""
    assert ask(proxy.address, "/healthz").status == 502


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        pytest.param("127.0.0.1:8081", True, id="its own address"),
        pytest.param("localhost:8081", True, id="localhost"),
        pytest.param("LOCALHOST", True, id="localhost in upper case, without a port"),
        pytest.param("127.9.9.9:1", True, id="any loopback address"),
        pytest.param("[::1]:8081", True, id="the loopback address of IPv6"),
        pytest.param("10.1.2.3:8081", True, id="the address the connection came in on"),
        pytest.param("10.1.2.4:8081", False, id="another address"),
        pytest.param("admin.internal", True, id="a name in admin_hosts"),
        pytest.param("Admin.Internal:99", True, id="a name in admin_hosts in another case, through a forwarded port"),
        pytest.param("evil.example", False, id="a name that was rebound to this address"),
        pytest.param("localhost.evil.example", False, id="a name that only begins like ours"),
        pytest.param("127.0.0.1.evil.example:8081", False, id="a name that begins like an address"),
        pytest.param("xadmin.internal", False, id="a name that only ends like ours"),
        pytest.param("", False, id="no Host at all"),
        pytest.param(":8081", False, id="a Host without a name"),
        pytest.param("[::1", False, id="an unclosed bracket around loopback"),
        pytest.param("[evil.example]:8081", False, id="a name in brackets"),
    ],
)
def test_the_guard_knows_its_own_names(host: str, allowed: bool) -> None:
    """A name that resolves to us is not yet a name of ours: DNS rebinding brings a stranger's."""
    assert HostGuard("0.0.0.0", ["admin.internal"]).allows(host, "10.1.2.3") is allowed


async def test_pages_behind_the_guard_are_403_for_a_stranger_s_name_and_probes_are_not() -> None:
    """A probe may come under any name (the pod's address, a service's); a page that shows traffic may not."""

    async def page(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(text="traffic")

    async def metrics() -> tuple[bytes, str]:
        return b"", "text/plain"

    admin = Admin(metrics, HostGuard("127.0.0.1"))
    admin.add_pages({"/": page})
    listeners = open_listeners(TcpAddress("127.0.0.1", 0), "admin", GROUP)
    await admin.start(listeners)
    address = listeners[0].socket.getsockname()[:2]
    rows = {
        ("/", "127.0.0.1"): 200,
        ("/", "evil.example"): 403,
        ("/healthz", "evil.example"): 200,
        ("/metrics", "evil.example"): 200,
    }
    try:
        for (path, host), status in rows.items():
            answer = await asyncio.to_thread(ask, address, path, Host=host)
            assert answer.status == status, (path, host)
            assert answer.cors == {}
    finally:
        await admin.stop()
