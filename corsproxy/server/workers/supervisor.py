"""Workers: several processes that share the parent's listening sockets, and are replaced when they die.

Each worker is a new interpreter, not a fork: when a replacement is due, the parent has an event loop, threads that
write logs, and a TLS library in use, none of which survives a fork reliably. A start of a worker takes as long as a
start of the program, but is rare.
The parent opens the sockets once and never accepts on them, so a worker that dies takes only its own connections along.
With a socket for each worker (SO_REUSEPORT) connections would be spread more evenly, but its queue would be lost too.
Knows nothing about signals; of metrics it only adds counters to totals.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import Sequence
from typing import TypeVar

from corsproxy.config import Configuration
from corsproxy.errors import UsageError
from corsproxy.proxy import compile_plan, new_via_token
from corsproxy.server.inspector import Event, EventBudget, merged, shows_fields
from corsproxy.server.listen.sockets import Listener, listener_context
from corsproxy.server.observe.counters import Totals
from corsproxy.server.workers.messages import (
    Answer,
    AskEvents,
    AskReport,
    Commit,
    Committed,
    ConfigurationText,
    Events,
    Ping,
    Prepare,
    Prepared,
    Question,
    Start,
    Stop,
    WorkerReport,
)
from corsproxy.server.workers.running import GRACE, RunningWorker, start_worker

QUICK_DEATHS = 5
"""Consecutive deaths of one worker, each directly after its start, that end the program: it cannot run here."""

QUICK = 1.0
"""Seconds of serving below which a death is directly after the start."""

_ANSWER_TIMEOUT = 30.0
"""Seconds for a worker to prepare a configuration."""

_REPORT_TIMEOUT = 1.0
"""Seconds that a scrape waits for a worker's current numbers; those of a second ago are known anyway."""

PATIENCE = 30.0
"""Seconds without an answer after which a worker counts as hung and is replaced."""

_CHECKS = 10
"""The number of checks for an answer within that time."""

_CHECKS_AT_START = 4 * _CHECKS
"""The same before the worker serves: on a busy machine a start takes long, and sends nothing meanwhile."""

CPU = "process_cpu_seconds_total"

A = TypeVar("A", bound=Answer)

log = logging.getLogger(__name__)


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
        """`lock` is the file that keeps log lines of several processes apart; `counts` is True if metrics are counted.

        `inspects` is True if the inspector is on; `patience` is in seconds, as `PATIENCE` is.
        """
        self._count = count
        self._listeners = listeners
        self._lock = lock
        self._totals = totals
        self._counts = counts
        self._inspects = inspects
        self._patience = patience
        self._budget = EventBudget()
        self._via_token = new_via_token()
        self._workers: list[RunningWorker] = []
        self._keepers: list[asyncio.Task[None]] = []
        self._stopping = asyncio.Event()
        self._changing = asyncio.Lock()
        """Held while a worker gets its configuration, so that all workers have the same one."""
        self._spent = 0.0
        """Seconds of CPU time that workers which are gone have used."""
        self._failed: asyncio.Future[str] | None = None
        self._configuration: Configuration

    async def start(self, configuration: Configuration) -> None:
        """Begin to serve, as `Fleet.start`: return when every worker accepts connections."""
        self._check(configuration)
        self._configuration = configuration
        loop = asyncio.get_running_loop()
        ready = [loop.create_future() for _ in range(self._count)]
        self._keepers = [loop.create_task(self._keep(number, future)) for number, future in enumerate(ready, 1)]
        await asyncio.gather(*ready)

    async def failure(self) -> str:
        """Wait until a worker cannot be kept running; return the reason."""
        self._failed = self._failed or asyncio.get_running_loop().create_future()
        return await self._failed

    async def apply(self, configuration: Configuration) -> None:
        """Put another configuration in force, as `Fleet.apply`: every worker prepares it before any commits it."""
        async with self._changing:
            self._check(configuration)
            question = Prepare(ConfigurationText.of(configuration))
            for answer in await self._ask_all(question, Prepared, _ANSWER_TIMEOUT, everyone=True):
                if answer.error is not None:
                    raise UsageError(answer.error)
            self._configuration = configuration
            await self._ask_all(Commit(), Committed, _ANSWER_TIMEOUT, everyone=True)

    async def report(self, totals: Totals) -> None:
        """Bring `totals` up to date, as `Fleet.report`, with the current numbers of every worker."""
        await self._ask_all(AskReport(), WorkerReport, _REPORT_TIMEOUT)
        reports = [worker.latest for worker in self._workers]
        totals.connections = sum(report.connections for report in reports)
        totals.in_flight = sum(report.in_flight for report in reports)
        connections: Counter[tuple[str, str]] = Counter()
        process = Counter({CPU: self._spent})
        for report in reports:
            connections.update({(name, state): count for name, state, count in report.upstream_connections})
            process.update(report.process)
        totals.upstream_connections, totals.process = dict(connections), dict(process)

    async def events(self) -> tuple[list[Event], int]:
        """Return the events of all workers' recorders, as `Fleet.events`."""
        answers = await self._ask_all(AskEvents(), Events, _REPORT_TIMEOUT)
        return merged([(answer.events, answer.skipped) for answer in answers], self._budget)

    async def stop(self, drain: float) -> bool:
        """Stop, as `Fleet.stop`."""
        self._stopping.set()
        for listener in self._listeners:
            listener.close()
        for worker in self._workers:
            worker.channel.send(Stop(drain))
        if self._keepers:
            await asyncio.wait(self._keepers, timeout=drain + GRACE)
        self.kill()
        return all(worker.drained for worker in self._workers)

    def kill(self) -> None:
        """End every worker at once."""
        self._stopping.set()
        for worker in self._workers:
            worker.popen.kill()

    async def _keep(self, number: int, ready: asyncio.Future[None]) -> None:
        """Keep one worker running: start it, and start it again whenever it ends."""
        quick_deaths = 0
        while not self._stopping.is_set():
            async with self._changing:
                worker = await self._spawn()
            self._workers.append(worker)
            if self._stopping.is_set():
                worker.popen.kill()  # it was started after `stop` had sent its messages
            watching = asyncio.get_running_loop().create_task(self._end_if_hung(worker))
            try:
                ending = await worker.run(self._totals, ready)
            finally:
                watching.cancel()
            if self._stopping.is_set():
                return
            self._workers.remove(worker)
            self._spent += worker.latest.process.get(CPU, 0.0)  # so that the counter never decreases
            lived = time.monotonic() - worker.ready_at if worker.ready_at else 0.0
            quick_deaths = quick_deaths + 1 if lived < QUICK else 0
            log.error("worker %d (pid %d) %s; it is replaced", number, worker.popen.pid, ending)
            if quick_deaths >= QUICK_DEATHS:
                self._fail(f"worker {number} {ending} right after its start, {quick_deaths} times in a row: giving up")
                return
            if quick_deaths:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), 0.1 * 2**quick_deaths)

    async def _end_if_hung(self, worker: RunningWorker) -> None:
        """Kill a worker that has not answered for too long; `_keep` then replaces it."""
        while True:
            heard = worker.heard
            worker.channel.send(Ping())
            # In steps, because time in which this process itself was stopped must not count.
            for _ in range(_CHECKS if worker.ready_at else _CHECKS_AT_START):
                await asyncio.sleep(self._patience / _CHECKS)
                if worker.heard != heard:
                    break
            else:
                log.error("worker (pid %d) has not answered for %g s: it is killed", worker.popen.pid, self._patience)
                worker.popen.kill()
                return

    async def _spawn(self) -> RunningWorker:
        configuration = self._configuration
        start = Start(
            ConfigurationText.of(configuration),
            counts=self._counts,
            inspects=self._inspects,
            shows_fields=shows_fields(configuration.settings),
            via_token=self._via_token,
        )
        return await start_worker(start, [listener.socket.fileno() for listener in self._listeners], self._lock)

    def _check(self, configuration: Configuration) -> None:
        """Check in the parent whether the configuration works at all; raise `PlanError` or `UsageError`."""
        compile_plan(configuration.settings)
        if configuration.settings.tls is not None:
            listener_context(configuration.settings.tls)

    async def _ask_all(self, question: Question, kind: type[A], patience: float, *, everyone: bool = False) -> list[A]:
        """Ask every worker, and return the answers, without those of workers that are gone or too slow.

        Raises `UsageError` for a worker that is too slow if `everyone` must answer.
        """
        answers = await asyncio.gather(
            *(worker.ask(question, patience) for worker in self._workers), return_exceptions=True
        )
        if everyone and any(isinstance(answer, TimeoutError) for answer in answers):
            raise UsageError("a worker does not answer; it is busy, or stopped")
        return [answer for answer in answers if isinstance(answer, kind)]

    def _fail(self, why: str) -> None:
        self._failed = self._failed or asyncio.get_running_loop().create_future()
        if not self._failed.done():
            self._failed.set_result(why)
