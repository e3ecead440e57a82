"""A worker that answers nothing is replaced, and a channel whose other end has gone is no failure of ours."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket

import pytest

from corsproxy.config import Options, find_source, load
from corsproxy.server.listen.sockets import EVERYBODY, open_listeners
from corsproxy.server.observe.counters import Totals
from corsproxy.server.runtime import new_event_loop
from corsproxy.server.workers.control import Channel
from corsproxy.server.workers.messages import Ping
from corsproxy.server.workers.supervisor import Workers
from corsproxy.settings import TcpAddress
from tests.server.setup import children
from tests.support.process import DEADLINE

PATIENCE = 8.0
"""Seconds; the program's own are 30. A start of a worker takes less even on a busy machine, and has begun to count."""


def test_a_worker_that_is_stopped_is_replaced(caplog: pytest.LogCaptureFixture) -> None:
    """SIGSTOP leaves a process that lives, holds its connections and does nothing; the other serves on."""

    async def run() -> None:
        configuration = load(find_source(Options(upstream="http://127.0.0.1:9", workers=2)), {})
        listeners = open_listeners(TcpAddress("127.0.0.1", 0), "--listen", EVERYBODY)
        lock = os.memfd_create("lock")
        workers = Workers(2, listeners, lock, Totals(), counts=False, inspects=False, patience=PATIENCE)
        others = set(children(os.getpid()))  # of tests before this one, in the same process of pytest

        def own() -> set[int]:
            return set(children(os.getpid())) - others

        try:
            await workers.start(configuration)
            before = own()
            hung = min(before)
            os.kill(hung, signal.SIGSTOP)
            async with asyncio.timeout(DEADLINE):
                while len(own() - {hung}) < 2:  # noqa: ASYNC110 - nobody tells of a child
                    await asyncio.sleep(0.05)
            assert len(before & own()) == 1
            await workers.apply(configuration)  # once the new one has started: one that has not is killed by `stop`
            assert await workers.stop(DEADLINE)
        finally:
            workers.kill()
            os.close(lock)

    with caplog.at_level(logging.ERROR), asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(run())
    assert any("has not answered for 8 s: it is killed" in record.getMessage() for record in caplog.records)
    assert any("was killed by SIGKILL; it is replaced" in record.getMessage() for record in caplog.records)


def test_a_message_to_a_process_that_is_gone_is_lost_without_a_word() -> None:
    """`receive` reports the end of the other side, and a transport that knows of it accepts nothing more."""

    async def run() -> None:
        ours, theirs = socket.socketpair()
        channel = await Channel.of_parent(ours)
        theirs.close()
        for _ in range(50):
            channel.send(Ping())
            await asyncio.sleep(0)
        assert await channel.receive() is None
        await channel.close()
        channel.send(Ping())

    for factory in (None, new_event_loop):
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(run())
