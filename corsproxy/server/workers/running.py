"""A running worker as the parent sees it: its process, its channel, and its last report.

Knows nothing about other workers or replacements.
"""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace

from corsproxy.server.observe.counters import Totals
from corsproxy.server.workers.codec import MalformedMessageError
from corsproxy.server.workers.control import Channel
from corsproxy.server.workers.messages import (
    Answer,
    Committed,
    Drained,
    Events,
    FromParent,
    FromWorker,
    Pong,
    Prepared,
    Question,
    Ready,
    Start,
    WorkerReport,
)

GRACE = 3.0
"""Seconds for a worker to end once it has nothing left to do; then it is killed."""

_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from corsproxy.server.workers.worker import main; main(*json.loads(sys.argv[2]))"
)
"""The program of a worker: it imports from the parent's `sys.path`, and not from the current directory (`-P`)."""

log = logging.getLogger(__name__)


class WorkerGoneError(Exception):
    """The worker ended before it answered."""


async def start_worker(start: Start, listening: Sequence[int], lock: int) -> RunningWorker:
    """Start a worker; `listening` and `lock` are descriptors that it inherits."""
    ours, theirs = socket.socketpair()
    with theirs:
        popen = start_process(theirs.fileno(), lock, list(listening))
    worker = RunningWorker(popen, await Channel.of_parent(ours))
    worker.channel.send(start)
    return worker


def start_process(control: int, lock: int, listening: list[int]) -> subprocess.Popen[bytes]:
    """Start a process that runs `worker.main` on these descriptors, which it inherits as it does the outputs."""
    arguments = json.dumps([control, lock, listening])
    return subprocess.Popen(  # noqa: S603 - our own interpreter with our own arguments
        [sys.executable, "-P", "-c", _START, json.dumps(sys.path), arguments],
        pass_fds=[control, lock, *listening],
        stdin=subprocess.DEVNULL,
    )


class RunningWorker:
    """A worker's process and the parent's end of its channel."""

    def __init__(self, popen: subprocess.Popen[bytes], channel: Channel[FromParent, FromWorker]) -> None:
        self.popen = popen
        self.channel = channel
        self.ready_at = 0.0
        """`time.monotonic()`; 0 until it serves."""
        self.latest = WorkerReport()
        """The last report; its counts are in the totals already."""
        self.drained = False
        self.heard = 0
        """The number of messages that it has sent."""
        self._answers: dict[int, asyncio.Future[Answer]] = {}
        self._asked = 0

    async def ask(self, question: Question, patience: float) -> Answer:
        """Send a question and return the answer; raises `WorkerGoneError` or TimeoutError."""
        self._asked += 1
        answer = self._answers[self._asked] = asyncio.get_running_loop().create_future()
        self.channel.send(replace(question, number=self._asked))
        return await asyncio.wait_for(answer, patience)

    async def run(self, totals: Totals, ready: asyncio.Future[None]) -> str:
        """Handle its messages until it is gone; return how it ended, for the log."""
        try:
            while (message := await self.channel.receive()) is not None:
                self.heard += 1
                self._take(message, totals, ready)
        except MalformedMessageError as error:
            log.error("worker (pid %d) sent a message that cannot be read: %s", self.popen.pid, error)
            self.popen.kill()
        for waiting in self._answers.values():
            if not waiting.done():
                waiting.set_exception(WorkerGoneError())
        await self.channel.close()
        return _ending(await self._wait())

    def _take(self, message: FromWorker, totals: Totals, ready: asyncio.Future[None]) -> None:
        match message:
            case Ready():
                self.ready_at = time.monotonic()
                if not ready.done():
                    ready.set_result(None)
            case WorkerReport():
                totals.counters.add(message.counts)
                self.latest = message
                self._answer(message)
            case Prepared() | Committed() | Events():
                self._answer(message)
            case Drained():
                self.drained = message.in_time
            case Pong():
                pass  # `heard` has counted it

    def _answer(self, answer: Answer) -> None:
        waiting = self._answers.pop(answer.number, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)

    async def _wait(self) -> int:
        """Return the exit status of a process whose channel has ended; kill it if it does not end within `GRACE`."""
        deadline = time.monotonic() + GRACE
        while (status := self.popen.poll()) is None:
            if time.monotonic() > deadline:
                self.popen.kill()
            await asyncio.sleep(0.01)
        return status


def _ending(status: int) -> str:
    if status < 0:
        return f"was killed by {signal.Signals(-status).name}"
    return f"ended with status {status}"
