"""What parent and worker say to each other arrives as it was sent, and what is no message of theirs ends the worker."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import struct
import subprocess
import sys
import time
from typing import get_args

import pytest

from corsproxy.config import Options
from corsproxy.server.inspector import Recorder
from corsproxy.server.observe.counters import Counters, Counts, Totals
from corsproxy.server.workers.codec import MalformedMessageError, decode, encode
from corsproxy.server.workers.control import MOST_BYTES, Channel
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
from corsproxy.server.workers.running import RunningWorker
from corsproxy.settings import TlsFiles
from tests.server.test_inspector_bounds import record
from tests.support.process import DEADLINE

LENGTH = struct.Struct("!I")
BY_OPTIONS = ConfigurationText(
    Options(
        upstream="http://localhost:8000",
        allow_origins=("https://app.example.com", "*"),
        allow_credentials=False,
        workers=2,
        names={"upstream": "--upstream"},
        notes=("a note",),
    ),
    None,
    "quick",
    "upstreams: …\n\ud83d",
    None,
)
OF_A_FILE = ConfigurationText(Options(), "a.yaml", "file", "", TlsFiles("a.pem", "a.key"))
COUNTS = Counts(
    (("/", "GET", 200, 3),),
    (("/", "actual", "refused", "origin_not_allowed", 1),),
    (("api", "refused", 2),),
    (("/", (0.0, 1.0, 0.25)),),
)
KNOWN = {kind.__name__: kind for kind in (*get_args(FromParent), *get_args(FromWorker))}


def events() -> Events:
    """Return the answer with what a recorder kept of one request."""
    recorder = Recorder(shows_fields=True)
    recorder(record("/orders"))
    return Events(7, *recorder.take())


@pytest.mark.parametrize(
    "message",
    [
        Start(BY_OPTIONS, counts=True, inspects=False, shows_fields=True, via_token="abc"),
        Prepare(OF_A_FILE, 3),
        Commit(4),
        AskReport(5),
        AskEvents(6),
        Ping(),
        Stop(0.5),
        Stop(20),
        Ready(),
        Prepared(3, None),
        Prepared(3, "no such file"),
        Committed(4),
        WorkerReport(5, COUNTS, 1, 2, (("api", "idle", 3),), {"process_open_fds": 12}),
        events(),
        Pong(),
        Drained(True),
    ],
    ids=lambda message: type(message).__name__,
)
def test_a_message_arrives_as_it_was_sent(message: FromParent | FromWorker) -> None:
    """Tuples stay tuples and None stays None, whatever JSON makes of them on the way."""
    assert decode(encode(message), KNOWN) == message


def test_what_was_counted_elsewhere_adds_up_to_the_same() -> None:
    """A histogram's row and a key of four parts are the same after the way through JSON."""
    totals, direct = Counters(), Counters()
    direct.add(COUNTS)
    totals.add(decode(encode(WorkerReport(counts=COUNTS)), KNOWN).counts)
    assert totals.take() == direct.take() == COUNTS


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "it is no JSON"),
        (b"\xff", "it is no JSON"),
        (b"[" * 100_000, "it is no JSON"),
        (b"[]", "it does not say what it is"),
        (b"{}", "it does not say what it is"),
        (b'{"is": ["Ping"]}', "it does not say what it is"),
        (b'{"is": "Sing"}', "'Sing' is unknown here"),
        (b'{"is": "Commit"}', "Commit has other fields: 'number'"),
        (b'{"is": "Ping", "loud": true}', "Ping has other fields: 'loud'"),
        (b'{"is": "Commit", "number": "4"}', "Commit.number is no int"),
        (b'{"is": "Commit", "number": true}', "Commit.number is no int"),
        (b'{"is": "Commit", "number": 4.0}', "Commit.number is no int"),
        (b'{"is": "Stop", "drain": null}', "Stop.drain is no float"),
        (b'{"is": "Prepared", "number": 1, "error": 5}', "Prepared.error has another type"),
        (b'{"is": "Events", "number": 1, "events": [{"id": 1}], "skipped": 0}', "Events.events[0] has other fields: "),
        (
            encode(WorkerReport(counts=COUNTS)).replace(b'"GET", 200', b'"GET"'),
            "WorkerReport.counts.requests[0] is no tuple",
        ),
        (encode(Prepare(OF_A_FILE)).replace(b'"kind": "file"', b'"kind": "hat"'), "Prepare.configuration.kind is no "),
    ],
)
def test_what_is_no_message_is_named(content: bytes, why: str) -> None:
    """The text says what is wrong and where, and shows no value."""
    with pytest.raises(MalformedMessageError) as error:
        decode(content, KNOWN)
    assert str(error.value).startswith(why)


def test_each_side_knows_what_the_other_may_say() -> None:
    """A question of the parent that comes from a worker is no message, and neither is one without end."""

    async def run(content: bytes) -> None:
        ours, theirs = socket.socketpair()
        channel = await Channel.of_parent(ours)
        with theirs:
            theirs.sendall(content)
            with pytest.raises(MalformedMessageError):
                await channel.receive()
        await channel.close()

    ping = encode(Ping())
    for content in (LENGTH.pack(len(ping)) + ping, LENGTH.pack(MOST_BYTES + 1)):
        asyncio.run(run(content))


def test_a_worker_that_talks_nonsense_is_killed(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing it says later can be read, so its keeper replaces it as one that died; who waits for it learns so."""

    async def run() -> str:
        ours, theirs = socket.socketpair()
        popen = subprocess.Popen([sys.executable, "-c", f"import time; time.sleep({DEADLINE})"])  # noqa: ASYNC220
        worker = RunningWorker(popen, await Channel.of_parent(ours))
        with theirs:
            theirs.sendall(LENGTH.pack(2) + b"[]")
            ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            return await worker.run(Totals(), ready)

    started = time.monotonic()
    with caplog.at_level(logging.ERROR):
        assert asyncio.run(run()) == "was killed by SIGKILL"
    assert time.monotonic() - started < DEADLINE
    assert "sent a message that cannot be read: it does not say what it is" in caplog.text


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ({"is": "Start", "text": "of another version"}, "Start has other fields"),
        ({"is": "Ping"}, "it says nothing of what to serve"),
    ],
)
def test_a_worker_that_cannot_read_its_parent_says_so_and_ends(message: dict[str, str], said: str) -> None:
    """As where another version of the package was installed under a running parent: no traceback, and no guess."""
    ours, theirs = socket.socketpair()
    lock = os.memfd_create("lock")
    code = "import sys; from corsproxy.server.workers.worker import main; main(int(sys.argv[1]), int(sys.argv[2]), [])"
    with ours, theirs:
        content = json.dumps(message).encode()
        ours.sendall(LENGTH.pack(len(content)) + content)
        ended = subprocess.run(
            [sys.executable, "-c", code, str(theirs.fileno()), str(lock)],
            pass_fds=[theirs.fileno(), lock],
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )
    os.close(lock)
    assert ended.returncode == 1
    assert f"the parent sent a message that cannot be read: {said}" in ended.stderr
    assert "Traceback" not in ended.stderr
