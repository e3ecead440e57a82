"""Unsolicited bytes from an upstream reach no client, whenever they arrive between two checks of the sockets.

The races are those of real processes: the proxy is stopped, both sides speak, and it is continued.
"""

from __future__ import annotations

import contextlib
import os
import signal
import ssl
import threading
import time
from collections.abc import Iterator

import pytest

from corsproxy.proxy.upstream.pool import REST
from tests.proxy.wire import Client
from tests.support.certificates import Certificate, self_signed
from tests.support.process import Proxy, started, without_uvloop
from tests.support.upstream import Connection, Upstream

CONFIG = """
upstreams:
  up: {{url: "{upstream}", keepalive_timeout: 30s{more}}}
routes: [{{path: /, upstream: up}}]
"""

EVIL = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
HERE = b"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n"
"""Answered by the proxy itself."""

ROUNDS = 5


def get(name: bytes, method: bytes = b"GET") -> bytes:
    """Write a request for `/name`."""
    return b"%b /%b HTTP/1.1\r\nHost: h\r\n\r\n" % (method, name)


def answer(request_line: bytes, head: bytes = b"HTTP/1.1 200 OK\r\n") -> bytes:
    """Answer with the name that was asked for."""
    name = request_line.split()[1]
    return b"%bContent-Length: %d\r\n\r\n%b" % (head, len(name), name)


class Stopped:
    """The proxy, stopped within the block."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy

    def __enter__(self) -> None:
        self._proxy.signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self._proxy.pid, os.WSTOPPED)  # for children alone, so no fork of another process

    def __exit__(self, *_: object) -> None:
        self._proxy.signal(signal.SIGCONT)


@pytest.fixture(name="loop_environment", params=["uvloop", "asyncio"], scope="module")
def _loop_environment(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Environment of a proxy on one or the other event loop."""
    if request.param == "uvloop":
        return {}
    return without_uvloop(tmp_path_factory.mktemp("no-uvloop"))


@pytest.fixture(name="tls", params=[False, True], ids=["plain", "TLS"], scope="module")
def _tls(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Certificate | None:
    return self_signed(tmp_path_factory.mktemp("certificate"), "localhost") if request.param else None


class Stage:
    """An upstream that answers by name, and a proxy before it."""

    def __init__(self, upstream: Upstream, proxy: Proxy) -> None:
        self.upstream = upstream
        self.proxy = proxy


@pytest.fixture(name="stage", scope="module")
def _stage(loop_environment: dict[str, str], tls: Certificate | None) -> Iterator[Stage]:
    context = None
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls.certificate, tls.private_key)

    def script(connection: Connection) -> None:
        while True:
            connection.send(answer(connection.read_request().line))

    more = f", tls: {{ca: {tls.certificate}}}" if tls is not None else ""
    with (
        Upstream(script, tls=context) as upstream,
        started(CONFIG.format(upstream=upstream.url, more=more), environ=loop_environment, fresh=True) as proxy,
    ):
        yield Stage(upstream, proxy)


@contextlib.contextmanager
def reused(stage: Stage) -> Iterator[tuple[Client, Connection]]:
    """Yield a client of the proxy, and the connection to the upstream that its next request will get."""
    with Client(stage.proxy.address) as first, Client(stage.proxy.address) as victim:
        victim.send(HERE)
        victim.read_response()
        first.send(get(b"first"))
        assert first.read_response().body == b"/first"
        yield victim, next(c for c in reversed(stage.upstream.connections) if c.requests and c.ended is None)


def test_http_83_a_stray_response_in_the_turn_of_the_request(stage: Stage) -> None:
    """http-83: a request and an unsolicited response that the proxy finds at once: each victim gets its own answer."""
    for number in range(ROUNDS):
        with reused(stage) as (victim, lent):
            with Stopped(stage.proxy):
                victim.send(get(b"victim%d" % number))
                lent.send(EVIL)
            assert victim.read_response().body == b"/victim%d" % number


def test_http_83_an_end_in_the_turn_of_a_post(stage: Stage) -> None:
    """http-81: a POST goes to no connection that the upstream has closed by then."""
    for number in range(ROUNDS):
        with reused(stage) as (victim, lent):
            with Stopped(stage.proxy):
                victim.send(get(b"victim%d" % number, b"POST").replace(b"\r\n\r\n", b"\r\nContent-Length: 1\r\n\r\nx"))
                lent.finish_sending()
            assert victim.read_response().body == b"/victim%d" % number


LATE = [
    pytest.param(b"HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", id="HEAD"),
    pytest.param(b"HEAD", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", id="HEAD in chunks"),
    pytest.param(b"GET", b"HTTP/1.1 204 No Content\r\n\r\n", id="204"),
    pytest.param(b"GET", b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n", id="304"),
]


class Late:
    """A proxy before an upstream that answers `/first` with `head`, and speaks unasked `delay` seconds later."""

    def __init__(self) -> None:
        self.head = b""
        self.delay = 0.0
        self.answered, self.said = threading.Event(), threading.Event()
        self.took = 0.0
        """Seconds from the response to what came unasked: longer than a connection rests on a machine that is busy."""
        self.proxy: Proxy

    def play(self, connection: Connection) -> None:
        """Answer whatever else by its name."""
        while True:
            line = connection.read_request().line
            if line.split()[1] != b"/first":
                connection.send(answer(line))
                continue
            began = time.monotonic()
            connection.send(self.head)
            self.answered.wait(20)
            time.sleep(self.delay)  # what is late is the matter here
            connection.send(EVIL)
            self.took = time.monotonic() - began
            self.said.set()


@pytest.fixture(name="late", scope="module")
def _late() -> Iterator[Late]:
    late = Late()
    with Upstream(late.play) as upstream, started(CONFIG.format(upstream=upstream.url, more="")) as late.proxy:
        yield late


@pytest.mark.parametrize(("method", "head"), LATE)
@pytest.mark.parametrize("delay", [0.002, 0.005, 0.01])
def test_content_that_comes_late_where_there_is_none(late: Late, method: bytes, head: bytes, delay: float) -> None:
    """A connection rests after a response without content: bytes a moment later are no client's response."""
    late.head, late.delay = head, delay
    in_time = 0
    for number in range(20 * ROUNDS):
        late.answered.clear()
        late.said.clear()
        with Client(late.proxy.address) as first, Client(late.proxy.address) as victim:
            first.send(get(b"first", method))
            assert first.read_response(to=method.decode()).whole
            late.answered.set()
            victim.send(get(b"victim%d" % number))
            response = victim.read_response()
            assert late.said.wait(20)
            if late.took > REST:
                continue
            assert (response.status, response.body) == (200, b"/victim%d" % number)
            victim.send(get(b"again%d" % number))
            assert victim.read_response().body == b"/again%d" % number
        in_time += 1
        if in_time == ROUNDS:
            break
    assert in_time


def test_who_waits_is_served_after_the_rest() -> None:
    """With one connection for all, responses without content pass it on a moment later, used again."""

    def script(connection: Connection) -> None:
        while True:
            connection.read_request()
            connection.send(b"HTTP/1.1 204 No Content\r\n\r\n")

    with (
        Upstream(script) as upstream,
        started(CONFIG.format(upstream=upstream.url, more=", max_connections: 1")) as proxy,
    ):
        clients = [Client(proxy.address) for _ in range(8)]
        for client in clients:
            client.send(get(b"x"))
        for client in clients:
            assert client.read_response().status == 204
            client.socket.close()
        assert [len(connection.requests) for connection in upstream.connections] == [8]
