"""Slow clients hold nothing that others need: content is collected before a connection to the upstream is taken."""

from __future__ import annotations

import contextlib
import threading
import time

import pytest

from tests.proxy.bench import Bench
from tests.proxy.wire import GET, ask
from tests.support.upstream import OK, Connection


def post(length: int, content: bytes = b"", fields: bytes = b"") -> bytes:
    """Begin a POST of so many bytes."""
    return b"POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n%b\r\n%b" % (length, fields, content)


@pytest.mark.parametrize("length", [100_000, 65_536, 2])
def test_256_slow_uploads_hinder_nobody(bench: Bench, length: int) -> None:
    """As many as there are connections, of which one byte has come, for longer than patience with long content."""
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(bench.client()) for _ in range(256)]
        for client in clients:
            client.send(post(length, b"x"))
        bench.wait_in_flight(len(clients))
        pause = threading.Event()
        for _ in range(16):
            assert bench.ask(GET).status == 200
            pause.wait(0.1)
        assert len(bench.connections) < 200
        for client in clients:
            client.reset()
    bench.wait_idle()


def test_small_content_comes_to_the_upstream_as_a_whole(bench: Bench) -> None:
    """64 KiB that come piece by piece leave with their head, and no connection is made before."""
    content = bytes(range(256)) * 256
    with bench.client() as client:
        client.send(post(len(content), content[:100]))
        for at in range(100, len(content) - 1, 9_000):
            client.send(content[at : at + 9_000] if at + 9_000 < len(content) else content[at:-1])
        bench.wait_in_flight(1)
        assert bench.connections == []
        client.send(content[-1:])
        assert client.read_response().status == 200
    assert bench.request.body == content


def test_longer_content_begins_with_64_kib(bench: Bench) -> None:
    """As soon as so much is here, whatever is still to come."""
    with bench.client() as client:
        client.send(post(65_537, b"x" * 65_535))
        bench.wait_in_flight(1)
        assert bench.connections == []
        client.send(b"y")
        bench.upstream.wait_for(lambda: bench.connections and bench.connections[0].received.endswith(b"xy"))
        client.send(b"z")
        assert client.read_response().status == 200
    assert bench.request.body == b"x" * 65_535 + b"yz"


def test_longer_content_begins_after_a_second(bench: Bench) -> None:
    """Little of it has come: it may be meant to be slow."""
    with bench.client() as client:
        began = time.monotonic()
        client.send(post(65_537, b"slow"))
        bench.upstream.wait_for(lambda: bench.connections and bench.connections[0].received.endswith(b"slow"))
        assert time.monotonic() - began > 0.9
        client.send(b"x" * 65_533)
        assert client.read_response().status == 200


@pytest.mark.parametrize(
    "request_bytes",
    [
        pytest.param(post(5, fields=b"Expect: 100-continue\r\n"), id="Expect"),
        pytest.param(b"POST /p HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", id="no announced length"),
    ],
)
def test_what_goes_on_at_once(bench: Bench, request_bytes: bytes) -> None:
    """The upstream has a word in these before their content."""

    def script(connection: Connection) -> None:
        connection.read_head()
        connection.send(OK)

    bench.script = script
    for _ in range(10):  # a busy machine may take that long for other reasons, but not each time
        began = time.monotonic()
        with bench.client() as client:
            client.send(request_bytes)
            assert client.read_response().status == 200
        if time.monotonic() - began < 0.9:
            return
    pytest.fail("the upstream heard of each of them late")


def test_content_that_stops_in_the_middle_of_being_collected(bench: Bench) -> None:
    """A client that goes away, or breaks the framing of the next request, leaves nothing behind."""
    for ends in ("finish", "reset"):
        with bench.client() as client:
            client.send(post(10, b"half"))
            bench.wait_in_flight(1)
            if ends == "finish":
                client.finish_sending()
                client.read_to_end()
            else:
                client.reset()
        bench.wait_idle()
    assert bench.connections == []
    assert ask(bench.address, post(3, b"abc")).status == 200
