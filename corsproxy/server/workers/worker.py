"""A worker: a new process that serves on the parent's sockets and carries out the parent's messages.

`main` is its entry point. It ignores signals: a terminal or a service manager may send them to all processes, but only
the parent decides when workers stop.
Knows nothing about other workers.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Sequence
from dataclasses import replace

from corsproxy.config import ConfigError, Configuration, load_again
from corsproxy.errors import UsageError
from corsproxy.proxy import Plan, PlanError
from corsproxy.server.data_path import DataPath, Outputs
from corsproxy.server.inspector import Recorder
from corsproxy.server.listen.sockets import Listener, adopt_listener
from corsproxy.server.observe.counters import Counters, Counts
from corsproxy.server.observe.process_numbers import process_numbers
from corsproxy.server.runtime import new_event_loop, settle_memory
from corsproxy.server.workers.codec import MalformedMessageError
from corsproxy.server.workers.control import Channel
from corsproxy.server.workers.messages import (
    AskEvents,
    AskReport,
    Commit,
    Committed,
    ConfigurationText,
    Drained,
    Events,
    FromParent,
    FromWorker,
    Ping,
    Pong,
    Prepare,
    Prepared,
    Ready,
    Start,
    Stop,
    WorkerReport,
)

log = logging.getLogger(__name__)

REPORT_INTERVAL = 1.0
"""Seconds between two reports: the counts since the last one are lost if the worker is killed."""

ORPHAN_DRAIN = 2.0
"""Seconds for requests in flight when the parent is gone; the worker must end within five."""


def main(control: int, lock: int, listeners: Sequence[int]) -> None:
    """Serve until the parent stops the worker or ends; the arguments are inherited descriptors."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    outputs = Outputs.open(lock)
    try:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(_work(control, listeners, outputs))
    finally:
        outputs.close()


async def _work(control: int, listeners: Sequence[int], outputs: Outputs) -> None:
    channel = await Channel.of_worker(socket.socket(fileno=control))
    try:
        start = await channel.receive()
        if isinstance(start, Start):
            await _serve(start, channel, [adopt_listener(fd) for fd in listeners], outputs)
        elif start is not None:
            raise MalformedMessageError("it says nothing of what to serve")
    except MalformedMessageError as error:
        # Most likely another version of the package has been installed under a running parent.
        log.error("worker: the parent sent a message that cannot be read: %s", error)
        sys.exit(1)
    await channel.close()


async def _serve(
    start: Start, channel: Channel[FromWorker, FromParent], listeners: Sequence[Listener], outputs: Outputs
) -> None:
    counters = Counters() if start.counts else None
    recorder = Recorder(shows_fields=start.shows_fields) if start.inspects else None
    data_path = DataPath(listeners, outputs, counters, start.via_token, recorder)
    try:
        await data_path.start(_configuration(start.configuration))
    except (ConfigError, PlanError, UsageError) as error:
        log.error("worker: %s", error)
        sys.exit(1)
    channel.send(Ready())
    settle_memory()
    await _Worker(channel, data_path, counters, recorder).run()


class _Worker:
    """Handles the parent's messages while the data path serves."""

    def __init__(
        self,
        channel: Channel[FromWorker, FromParent],
        data_path: DataPath,
        counters: Counters | None,
        recorder: Recorder | None,
    ) -> None:
        self._channel = channel
        self._data_path = data_path
        self._counters = counters
        self._recorder = recorder
        self._prepared: tuple[Configuration, Plan] | None = None
        self._stopped = asyncio.Event()
        self._draining: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Handle messages until the parent stops the worker, or ends."""
        loop = asyncio.get_running_loop()
        stopped = loop.create_task(self._stopped.wait())
        reports = loop.create_task(self._report_regularly())
        while True:
            received = loop.create_task(self._channel.receive())
            await asyncio.wait((received, stopped), return_when=asyncio.FIRST_COMPLETED)
            if stopped.done():
                received.cancel()
                break
            message = received.result()
            if message is None:
                await self._data_path.stop(ORPHAN_DRAIN)
                break
            await self._handle(message)
        reports.cancel()
        stopped.cancel()
        self._channel.send(self._report())

    async def _handle(self, message: FromParent) -> None:
        match message:
            case Prepare():
                self._channel.send(Prepared(message.number, await self._prepare(message.configuration)))
            case Commit():
                if self._prepared is not None:
                    self._data_path.commit(*self._prepared)
                    self._prepared = None
                self._channel.send(Committed(message.number))
            case AskReport():
                self._channel.send(self._report(message.number))
            case AskEvents():
                events, skipped = self._recorder.take() if self._recorder is not None else ([], 0)
                self._channel.send(Events(message.number, events, skipped))
            case Ping():
                self._channel.send(Pong())
            case Stop():
                self._draining = asyncio.get_running_loop().create_task(self._drain(message.drain))
            case Start():
                raise MalformedMessageError("it says for the second time what to serve")

    async def _prepare(self, text: ConfigurationText) -> str | None:
        """Prepare another configuration; return the reason if that fails, otherwise None."""
        self._prepared = None
        try:
            configuration = await asyncio.to_thread(_configuration, text)
            self._prepared = configuration, self._data_path.prepare(configuration)
        except (ConfigError, PlanError, UsageError) as error:
            return str(error)
        return None

    async def _drain(self, seconds: float) -> None:
        drained = await self._data_path.stop(seconds)
        self._channel.send(Drained(drained))
        self._stopped.set()

    async def _report_regularly(self) -> None:
        while True:
            await asyncio.sleep(REPORT_INTERVAL)
            if self._counters is not None:
                self._channel.send(self._report())

    def _report(self, number: int = 0) -> WorkerReport:
        counters = self._counters
        return WorkerReport(
            number,
            counters.take() if counters is not None else Counts(),
            self._data_path.connections,
            self._data_path.in_flight,
            tuple(self._data_path.upstream_connections),
            process_numbers() if counters is not None else {},
        )


def _configuration(text: ConfigurationText) -> Configuration:
    """Return the configuration that the parent has accepted, built from the same text."""
    configuration = load_again(text.source, text.text, os.environ)
    return replace(configuration, settings=replace(configuration.settings, tls=text.tls))
