"""Workers: several processes that share the parent's listening sockets, replaced when they die.

Each worker is a fresh interpreter, not a fork: the parent has a loop, threads that write logs and a TLS library in use
when a replacement is due, and none of these survives a fork in good order. A start costs what a start of the program
costs, and happens rarely.
The parent opens the sockets once and never accepts on them, so no connection is lost with a worker that was not its
own; a socket for each worker (SO_REUSEPORT) would spread connections more evenly and lose the queue of one that dies.
Knows no signals and nothing of metrics beyond pouring counters into totals.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from corsproxy.config import Configuration
from corsproxy.errors import UsageError
from corsproxy.proxy import compile_plan, new_via_token
from corsproxy.server.inspector import Budget, Event, merged, shows_fields
from corsproxy.server.listen.sockets import Listener, tls_context
from corsproxy.server.observe.counters import Totals
from corsproxy.server.workers.control import Channel, Message

QUICK_DEATHS = 5
"""Deaths in a row of one worker, each right after its start, that end the program: it cannot work here."""

QUICK = 1.0
"""Seconds of work below which a death counts as right after the start."""

_ANSWER_TIMEOUT = 30.0
"""Seconds a worker may take to make a configuration ready."""

_REPORT_TIMEOUT = 1.0
"""Seconds a scrape waits for a worker's latest numbers; those of the last second are known anyway."""

_MUST_ANSWER = frozenset(("prepare", "commit"))
"""What no worker may leave undone; a question for numbers or events goes without one that is slow."""

PATIENCE = 30.0
"""Seconds without an answer after which a worker is taken for hung, and replaced."""

_LOOKS = 10
"""How often within that time it is looked for an answer."""

_LOOKS_AT_START = 4 * _LOOKS
"""A start on a busy machine takes its time, and says nothing meanwhile."""

_GRACE = 3.0
"""Seconds beyond the drain until a worker that does not end is killed."""

CPU = "process_cpu_seconds_total"

_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from corsproxy.server.workers.worker import main; main(*json.loads(sys.argv[2]))"
)
"""What a worker runs: imports are found where the parent found them, and nowhere else (`-P`)."""

log = logging.getLogger(__name__)


class WorkerGoneError(Exception):
    """The worker ended before it answered."""


class Workers:
    """A fleet of processes."""

    def __init__(
        self,
        count: int,
        listeners: Sequence[Listener],
        lock: int,
        totals: Totals,
        *,
        counts: bool,
        inspects: bool,
        patience: float = PATIENCE,
    ) -> None:
        """`lock` is the file that keeps log lines apart, `counts` says whether anybody can ask for the totals.

        `inspects` says whether the inspector is on; `patience` is how many seconds a worker may keep silent.
        """
        self._count = count
        self._listeners = listeners
        self._lock = lock
        self._totals = totals
        self._counts = counts
        self._inspects = inspects
        self._patience = patience
        self._budget = Budget()
        self._via_token = new_via_token()
        self._workers: list[_Worker] = []
        self._keepers: list[asyncio.Task[None]] = []
        self._stopping = asyncio.Event()
        self._changing = asyncio.Lock()
        """Held while a worker is given its configuration, so that none is left with another one than the rest."""
        self._spent = 0.0
        """Seconds of CPU time of the workers that are gone."""
        self._failed: asyncio.Future[str] | None = None
        self._configuration: Configuration

    async def start(self, configuration: Configuration) -> None:
        """Serve, as `Fleet.start`: returns when every worker accepts connections."""
        self._check(configuration)
        self._configuration = configuration
        loop = asyncio.get_running_loop()
        ready = [loop.create_future() for _ in range(self._count)]
        self._keepers = [loop.create_task(self._keep(number, future)) for number, future in enumerate(ready, 1)]
        await asyncio.gather(*ready)

    async def failure(self) -> str:
        """Wait until the workers cannot go on; returns why."""
        self._failed = self._failed or asyncio.get_running_loop().create_future()
        return await self._failed

    async def apply(self, configuration: Configuration) -> None:
        """Exchange the configuration, as `Fleet.apply`: every worker makes it ready before any puts it in force."""
        async with self._changing:
            self._check(configuration)
            message = self._message(configuration)
            for answer in await self._ask_all({"do": "prepare", **message}, _ANSWER_TIMEOUT):
                if answer["error"] is not None:
                    raise UsageError(answer["error"])
            self._configuration = configuration
            await self._ask_all({"do": "commit"}, _ANSWER_TIMEOUT)

    async def report(self, totals: Totals) -> None:
        """Ask every worker for what it has counted since it last said so."""
        await self._ask_all({"do": "report"}, _REPORT_TIMEOUT)
        totals.connections = sum(worker.connections for worker in self._workers)
        totals.in_flight = sum(worker.in_flight for worker in self._workers)
        connections: Counter[tuple[str, str]] = Counter()
        process = Counter({CPU: self._spent})
        for worker in self._workers:
            connections.update({(name, state): count for name, state, count in worker.upstream_connections})
            process.update(worker.process)
        totals.upstream_connections, totals.process = dict(connections), dict(process)

    async def events(self) -> tuple[list[Event], int]:
        """Ask every worker for what its recorder kept, as `Fleet.events`."""
        answers = await self._ask_all({"do": "events"}, _REPORT_TIMEOUT)
        return merged([(answer["events"], answer["skipped"]) for answer in answers], self._budget)

    async def stop(self, drain: float) -> bool:
        """Stop, as `Fleet.stop`."""
        self._stopping.set()
        for listener in self._listeners:
            listener.close()
        for worker in self._workers:
            worker.channel.send({"do": "stop", "drain": drain})
        if self._keepers:
            await asyncio.wait(self._keepers, timeout=drain + _GRACE)
        self.kill()
        return all(worker.drained for worker in self._workers)

    def kill(self) -> None:
        """End every worker at once."""
        self._stopping.set()
        for worker in self._workers:
            worker.popen.kill()

    async def _keep(self, number: int, ready: asyncio.Future[None]) -> None:
        """Keep one worker running, however often it has to be started."""
        quick_deaths = 0
        while not self._stopping.is_set():
            async with self._changing:
                worker = await self._spawn()
            self._workers.append(worker)
            if self._stopping.is_set():
                worker.popen.kill()  # started too late to hear of it
            watching = asyncio.get_running_loop().create_task(self._end_if_hung(worker))
            try:
                ending = await worker.run(self._totals, ready)
            finally:
                watching.cancel()
            if self._stopping.is_set():
                return
            self._workers.remove(worker)
            self._spent += worker.process.get(CPU, 0.0)  # a counter never falls
            lived = time.monotonic() - worker.ready_at if worker.ready_at else 0.0
            quick_deaths = quick_deaths + 1 if lived < QUICK else 0
            log.error("worker %d (pid %d) %s; it is replaced", number, worker.popen.pid, ending)
            if quick_deaths >= QUICK_DEATHS:
                self._fail(f"worker {number} {ending} right after its start, {quick_deaths} times in a row: giving up")
                return
            if quick_deaths:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), 0.1 * 2**quick_deaths)

    async def _end_if_hung(self, worker: _Worker) -> None:
        """Kill a worker that answers nothing for as long as our patience lasts; `_keep` then replaces it."""
        while True:
            heard = worker.heard
            worker.channel.send({"do": "ping"})
            # In steps, as the time during which this very process was stopped must not count.
            for _ in range(_LOOKS if worker.ready_at else _LOOKS_AT_START):
                await asyncio.sleep(self._patience / _LOOKS)
                if worker.heard != heard:
                    break
            else:
                log.error("worker (pid %d) has not answered for %g s: it is killed", worker.popen.pid, self._patience)
                worker.popen.kill()
                return

    async def _spawn(self) -> _Worker:
        ours, theirs = socket.socketpair()
        with theirs:
            popen = self._start_process(theirs)
        worker = _Worker(popen, await Channel.open(ours))
        worker.channel.send(
            {
                **self._message(self._configuration),
                "counts": self._counts,
                "via_token": self._via_token,
                "inspects": self._inspects,
                "shows_fields": shows_fields(self._configuration.settings),
            }
        )
        return worker

    def _start_process(self, control: socket.socket) -> subprocess.Popen[bytes]:
        listening = [listener.socket.fileno() for listener in self._listeners]
        arguments = json.dumps([control.fileno(), self._lock, listening])
        return subprocess.Popen(  # noqa: S603 - our own interpreter with our own arguments
            [sys.executable, "-P", "-c", _START, json.dumps(sys.path), arguments],
            pass_fds=[control.fileno(), self._lock, *listening],
            stdin=subprocess.DEVNULL,
        )

    def _message(self, configuration: Configuration) -> Message:
        """Write a configuration so that a worker makes the same of it."""
        tls = configuration.settings.tls
        return {
            "options": configuration.source.options.to_json(),
            "file": configuration.source.file,
            "kind": configuration.source.kind,
            "text": configuration.loaded.text,
            "tls": [tls.certificate, tls.private_key] if tls is not None else None,
        }

    def _check(self, configuration: Configuration) -> None:
        """Find out here whether the configuration can work at all; raises `PlanError` or `UsageError`."""
        compile_plan(configuration.settings)
        if configuration.settings.tls is not None:
            tls_context(configuration.settings.tls)

    async def _ask_all(self, message: Message, patience: float) -> list[Message]:
        """Ask every worker, and return what those said that did not die over it."""
        answers = await asyncio.gather(
            *(worker.ask(message, patience) for worker in self._workers), return_exceptions=True
        )
        if any(isinstance(answer, TimeoutError) for answer in answers) and message["do"] in _MUST_ANSWER:
            raise UsageError("a worker does not answer; it is busy, or stopped")
        return [answer for answer in answers if not isinstance(answer, BaseException)]

    def _fail(self, why: str) -> None:
        self._failed = self._failed or asyncio.get_running_loop().create_future()
        if not self._failed.done():
            self._failed.set_result(why)


class _Worker:
    """A running worker, seen from the parent."""

    def __init__(self, popen: subprocess.Popen[bytes], channel: Channel) -> None:
        self.popen = popen
        self.channel = channel
        self.ready_at = 0.0
        """`time.monotonic()`; 0 until it serves."""
        self.connections = 0
        self.in_flight = 0
        self.upstream_connections: list[list[Any]] = []
        self.process: dict[str, float] = {}
        self.drained = False
        self.heard = 0
        """How many messages have come from it."""
        self._answers: dict[int, asyncio.Future[Message]] = {}
        self._asked = 0

    async def ask(self, message: Message, patience: float) -> Message:
        """Send a message and return the answer; raises `WorkerGoneError` or TimeoutError."""
        self._asked += 1
        answer = self._answers[self._asked] = asyncio.get_running_loop().create_future()
        self.channel.send({**message, "id": self._asked})
        return await asyncio.wait_for(answer, patience)

    async def run(self, totals: Totals, ready: asyncio.Future[None]) -> str:
        """Take its messages until it is gone; returns how it ended."""
        while (message := await self.channel.receive()) is not None:
            self.heard += 1
            if "ready" in message:
                self.ready_at = time.monotonic()
                if not ready.done():
                    ready.set_result(None)
            if "counters" in message:
                totals.counters.add(message["counters"])
                self.connections, self.in_flight = message["connections"], message["in_flight"]
                self.upstream_connections, self.process = message["upstream_connections"], message["process"]
            self.drained = message.get("drained", self.drained)
            waiting = self._answers.pop(message.get("re", 0), None)
            if waiting is not None and not waiting.done():
                waiting.set_result(message)
        for waiting in self._answers.values():
            if not waiting.done():
                waiting.set_exception(WorkerGoneError())
        await self.channel.close()
        return _ending(await self._wait())

    async def _wait(self) -> int:
        """Wait for the exit status of a process whose channel has ended, and see to it that there is one."""
        deadline = time.monotonic() + _GRACE
        while (status := self.popen.poll()) is None:
            if time.monotonic() > deadline:
                self.popen.kill()
            await asyncio.sleep(0.01)
        return status


def _ending(status: int) -> str:
    if status < 0:
        return f"was killed by {signal.Signals(-status).name}"
    return f"ended with status {status}"
