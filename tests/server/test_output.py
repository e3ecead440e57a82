"""Lines that leave the process: whole, in order, and never waited for."""

from __future__ import annotations

import logging
import os
import re
import threading

import pytest

from corsproxy.server.observe.diagnostics import configure_diagnostics
from corsproxy.server.observe.output import LineWriter
from corsproxy.settings import Log


@pytest.fixture
def pipe() -> tuple[int, int]:
    """Make a pipe; the test closes it."""
    return os.pipe()


def read_all(fd: int) -> bytes:
    """Read a pipe to its end, and close it."""
    with os.fdopen(fd, "rb") as opened:
        return opened.read()


def test_lines_arrive_in_order_and_the_rest_on_close(pipe: tuple[int, int]) -> None:
    """More lines than one write takes come out as they went in."""
    reader, fd = pipe
    got: list[bytes] = []
    thread = threading.Thread(target=lambda: got.append(read_all(reader)))
    thread.start()
    writer = LineWriter(fd, pause=0.01)
    lines = [b"%d %s\n" % (number, b"x" * 100) for number in range(5000)]
    for line in lines:
        writer.write(line)
    writer.close()
    os.close(fd)
    thread.join()
    assert got == [b"".join(lines)]
    assert writer.dropped == 0


def test_what_finds_no_room_is_dropped_and_counted(pipe: tuple[int, int]) -> None:
    """Writing never blocks: lines beyond the limit are lost, those before it are whole."""
    reader, fd = pipe
    writer = LineWriter(fd, limit=200_000)
    for _ in range(1000):
        writer.write(b"y" * 999 + b"\n")
    assert writer.dropped >= 700  # 200 wait, at most 65 are in the pipe, and as many on their way
    kept = 1000 - writer.dropped
    got: list[bytes] = []
    thread = threading.Thread(target=lambda: got.append(read_all(reader)))
    thread.start()
    writer.close()
    os.close(fd)
    thread.join()
    assert got == [(b"y" * 999 + b"\n") * kept]


def test_closing_does_not_wait_for_a_reader_that_stands_still(pipe: tuple[int, int]) -> None:
    """The process can end with its log blocked."""
    reader, fd = pipe
    writer = LineWriter(fd)
    for _ in range(1000):
        writer.write(b"z" * 999 + b"\n")
    writer.close()
    assert read_some(reader).startswith(b"z")
    os.close(reader)


def read_some(fd: int) -> bytes:
    """Read what is there."""
    return os.read(fd, 1000)


def test_a_descriptor_that_somebody_made_non_blocking_is_waited_for(pipe: tuple[int, int]) -> None:
    """The flag is shared with other processes; nothing is lost over it."""
    reader, fd = pipe
    os.set_blocking(fd, False)
    writer = LineWriter(fd)
    lines = [b"%d %s\n" % (number, b"x" * 1000) for number in range(300)]
    for line in lines:
        writer.write(line)
    got: list[bytes] = []
    thread = threading.Thread(target=lambda: got.append(read_all(reader)))
    thread.start()
    writer.close()
    os.close(fd)
    thread.join()
    assert got == [b"".join(lines)]


def test_a_reader_that_is_gone_is_no_error(pipe: tuple[int, int]) -> None:
    """What can no longer be written is dropped, and the writer lives on."""
    reader, fd = pipe
    os.close(reader)
    writer = LineWriter(fd)
    writer.write(b"one\n")
    writer.close()
    os.close(fd)
    assert writer.dropped == 1


@pytest.mark.parametrize(
    ("log", "pattern"),
    [
        pytest.param(Log(), rb"\S+Z warning two\\nlines\n\S+Z error oops\nTraceback .*ValueError: no\n", id="text"),
        pytest.param(
            Log(format="json"),
            rb'\{"time": "\S+Z", "level": "warning", "logger": "corsproxy.test", "message": "two\\nlines"\}\n'
            rb'\{.*"message": "oops", "exception": "Traceback .*ValueError: no"\}\n',
            id="JSON",
        ),
        pytest.param(Log(level="error"), rb"\S+Z error oops\nTraceback .*", id="only from the level on"),
    ],
)
def test_diagnostics_are_lines(pipe: tuple[int, int], log: Log, pattern: bytes) -> None:
    """A message is one line; a traceback, which only a fault of ours has, is shown with it."""
    reader, fd = pipe
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    writer = LineWriter(fd)
    try:
        configure_diagnostics(log, writer)
        logger = logging.getLogger("corsproxy.test")
        logger.info("quiet") if log.level == "error" else None
        logger.warning("two\nlines")
        try:
            raise ValueError("no")
        except ValueError:
            logger.exception("oops")
    finally:
        root.handlers[:] = before
        root.setLevel(level)
    writer.close()
    os.close(fd)
    assert re.fullmatch(pattern, read_all(reader), re.DOTALL)
