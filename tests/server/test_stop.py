"""A stop: not ready, the delay, no new connections, what is in flight finishes, what would never end is closed."""

from __future__ import annotations

import contextlib
import signal
import socket
from pathlib import Path

import pytest

from tests.server.setup import ask, children, config, connect, is_alive, receive_all, receive_until, until
from tests.support.process import Process, Proxy, started
from tests.support.upstream import Connection, Upstream

HANDSHAKE = (
    b"GET /socket HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
SWITCHING = (
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)


def play(connection: Connection) -> None:
    """Answer a handshake with an echo, an upload when it is whole, /slow when the test says so, the rest at once."""
    while True:
        request = connection.read_head()
        if b"/socket" in request.line:
            connection.send(SWITCHING)
            while True:
                connection.send(connection.read_some())
        elif b"/upload" in request.line:
            while not connection.received.endswith(b"0\r\n\r\n"):
                connection.read_some()
            connection.send(b"HTTP/1.1 201 Created\r\nContent-Length: 5\r\n\r\nsaved")
        elif b"/slow" in request.line:
            connection.read_to_end()
        else:
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


def is_refused(proxy: Proxy) -> bool:
    """Return whether a new connection is turned away."""
    try:
        connect(proxy.address).close()
    except ConnectionRefusedError:
        return True
    return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("workers", [1, 2])
def test_everything_open_ends_as_it_should(workers: int, number: signal.Signals) -> None:
    """A request in flight and an upload finish, an idle connection and a WebSocket are closed, the status is 0.

    Nothing is said after "stopped", not even by the interpreter, hence the fresh ones.
    """
    text_extra = f"workers: {workers}\nshutdown: {{drain: 60s}}"
    with contextlib.ExitStack() as stack:
        upstream = stack.enter_context(Upstream(play))
        proxy = stack.enter_context(started(config(upstream, text_extra), fresh=number == signal.SIGTERM))
        slow, idle, socket_, upload = (stack.enter_context(connect(proxy.address)) for _ in range(4))
        slow.sendall(b"GET /slow HTTP/1.1\r\nHost: h\r\n\r\n")
        idle.sendall(b"GET /fast HTTP/1.1\r\nHost: h\r\n\r\n")
        receive_until(idle, b"ok")
        socket_.sendall(HANDSHAKE)
        receive_until(socket_, b"\r\n\r\n")
        socket_.sendall(b"echo")
        receive_until(socket_, b"echo")
        upload.sendall(b"PUT /upload HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")

        def asked(part: bytes) -> list[Connection]:
            return [one for one in upstream.connections if part in one.received]

        upstream.wait_for(lambda: asked(b"/slow") and asked(b"first"))
        proxy.signal(number)
        proxy.stderr.wait_line(f"stopping: {number.name}")
        assert receive_all(idle) == b""
        assert receive_all(socket_) == b""
        # Each worker closes its own copy of the listener; the idle connection was only one worker's.
        until(lambda: is_refused(proxy), "new connections are refused")
        upload.sendall(b"5\r\nother\r\n0\r\n\r\n")
        assert receive_all(upload).endswith(b"\r\n\r\nsaved")
        assert asked(b"/upload")[0].received.endswith(b"first\r\n5\r\nother\r\n0\r\n\r\n")
        asked(b"/slow")[0].send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate")
        answer = receive_all(slow)
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert answer.endswith(b"\r\n\r\nlate")
        assert proxy.wait() == 0
        assert proxy.stderr.lines[-1].endswith("stopped")


@pytest.mark.parametrize("workers", [1, 2])
def test_during_the_delay_it_is_not_ready_and_still_serves(workers: int) -> None:
    """Load balancers are notified first, and no connection is refused before they can notice."""
    extra = f"workers: {workers}\nshutdown: {{delay: 60s}}"
    with Upstream() as upstream, started(config(upstream, extra), admin=True) as proxy:
        assert proxy.ask_admin("/readyz") == (200, "ready\n")
        proxy.signal(signal.SIGTERM)
        proxy.stderr.wait_line("stopping: SIGTERM")
        assert proxy.ask_admin("/readyz") == (503, "stopping\n")
        assert proxy.ask_admin("/healthz") == (200, "ok\n")
        assert ask(proxy.address).status == 200
        proxy.signal(signal.SIGTERM)
        assert proxy.wait() == 0


@pytest.mark.parametrize("workers", [1, 2])
def test_after_the_drain_the_rest_is_cut_and_the_status_is_0(workers: int) -> None:
    """An upstream that never answers does not hold the process; the log says that something was cut."""
    extra = f"workers: {workers}\nshutdown: {{drain: 200ms}}"
    with Upstream(play) as upstream, started(config(upstream, extra)) as proxy, connect(proxy.address) as client:
        client.sendall(b"GET /slow HTTP/1.1\r\nHost: h\r\n\r\n")
        upstream.wait_for(lambda: any(b"/slow" in one.received for one in upstream.connections))
        proxy.signal(signal.SIGTERM)
        assert receive_all(client) == b""
        assert proxy.wait() == 0
        proxy.stderr.wait_line(r"requests in flight were cut after 0\.2 s")


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("workers", [1, 2])
def test_a_second_signal_ends_at_once(workers: int, second: signal.Signals) -> None:
    """The status is 0, as of any stop that was asked for, and no worker is left behind."""
    extra = f"workers: {workers}\nshutdown: {{drain: 10m}}"
    with Upstream(play) as upstream, started(config(upstream, extra)) as proxy, connect(proxy.address) as client:
        client.sendall(b"GET /slow HTTP/1.1\r\nHost: h\r\n\r\n")
        upstream.wait_for(lambda: any(b"/slow" in one.received for one in upstream.connections))
        started_workers = children(proxy.pid)
        assert len(started_workers) == (workers if workers > 1 else 0)
        proxy.signal(signal.SIGTERM)
        proxy.stderr.wait_line("stopping: SIGTERM")
        proxy.signal(second)
        assert proxy.wait() == 0
        until(lambda: not any(map(is_alive, started_workers)), "the workers are gone")


def test_a_keep_alive_client_is_told_to_close_while_draining() -> None:
    """The answer to the last request on a connection carries Connection: close."""
    with Upstream(play) as upstream, started(config(upstream)) as proxy, connect(proxy.address) as client:
        client.sendall(b"GET /slow HTTP/1.1\r\nHost: h\r\n\r\n")
        upstream.wait_for(lambda: any(b"/slow" in one.received for one in upstream.connections))
        proxy.signal(signal.SIGTERM)
        proxy.stderr.wait_line("stopping: SIGTERM")
        # The listener is closed before the answer comes, so the connection knows that it is the last.
        until(lambda: is_refused(proxy), "new connections are refused")
        upstream.connections[0].send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate")
        answer = receive_all(client)
        assert b"\r\nConnection: close\r\n" in answer
        assert proxy.wait() == 0


def test_a_unix_socket_file_is_gone_after_a_second_signal(tmp_path: Path) -> None:
    """Even an end at once leaves no file behind that the next start would have to ask about."""
    path = tmp_path / "proxy.sock"
    with (
        Upstream(play) as upstream,
        started(config(upstream, "shutdown: {delay: 10m}"), "--listen", f"unix:{path}") as proxy,
    ):
        assert path.exists()
        proxy.signal(signal.SIGTERM)
        proxy.stderr.wait_line("stopping")
        proxy.signal(signal.SIGTERM)
        assert proxy.wait() == 0
        assert not path.exists()
        with socket.socket(socket.AF_UNIX) as client, pytest.raises(FileNotFoundError):
            client.connect(str(path))


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_stop_ends_with_0_whatever_becomes_of_the_logs(workers: str) -> None:
    """The disk under stdout is full: requests are answered, and a stop is a stop."""
    with Upstream() as upstream, open("/dev/full", "wb") as full:
        options = ("--upstream", upstream.url, "--workers", workers)
        with started(None, *options, stdout=full.fileno()) as proxy:
            assert ask(proxy.address).status == 200
            assert proxy.stop() == 0, proxy.stderr.text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_is_heard_while_the_program_loads(number: signal.Signals, tmp_path: Path) -> None:
    """Before the first of its libraries is there a stop is a stop: status 0, nothing said."""
    text = "import signal, sys\nprint('loading', file=sys.stderr, flush=True)\nsignal.pause()\n"
    (tmp_path / "click.py").write_text(text, encoding="utf-8")
    environ = {"PYTHONPATH": f"{tmp_path}:{Path(__file__).parents[2]}"}
    process = Process(["serve", "--upstream", "http://127.0.0.1:9"], environ=environ)
    try:
        process.stderr.wait_line("^loading$")
        process.signal(number)
        assert process.wait() == 0
        assert process.stderr.lines == ["loading"]
    finally:
        process.end()
