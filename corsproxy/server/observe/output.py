"""Writing lines without ever waiting for their reader.

A full pipe blocks its writer, and a proxy must not stall because a log collector does.
So a thread writes, the lines that wait for it are bounded, and lines that do not fit are dropped and counted.
A non-blocking descriptor would be simpler, but wrong: the flag belongs to the open file, which other processes (the
shell, the workers) share.
Does not know what the lines say.
"""

from __future__ import annotations

import fcntl
import os
import select
import threading
from collections import deque

MAX_PENDING = 4 * 1024 * 1024
"""Bytes that may wait: some 10,000 lines, or a second or two of a busy log while its reader restarts."""

_CHUNK = 64 * 1024
"""The most bytes of one write: the capacity of a pipe on Linux (pipe(7))."""

_CLOSING_WAIT = 1.0
"""Seconds to write the rest at the end of the process, which a stalled reader must not block."""


class LineWriter:
    """Writes complete lines to a descriptor, in order and without blocking the caller."""

    def __init__(self, fd: int, *, lock: int | None = None, pause: float = 0.0, limit: int = MAX_PENDING) -> None:
        """`lock` is a file whose lock keeps lines of several processes apart; `limit` is in bytes.

        The lock is needed because a pipe keeps only writes of up to 4 KiB apart (PIPE_BUF).
        Lines are gathered for `pause` seconds before they are written at once.
        """
        self.dropped = 0
        """The number of lines dropped for lack of space or of a reader."""
        self._fd = fd
        self._lock = lock
        self._pause = pause
        self._limit = limit
        self._lines: deque[bytes] = deque()
        # Each of these is written by one side only, the caller or the thread, so that neither needs a lock.
        self._accepted = 0
        self._settled = 0
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"lines to {fd}", daemon=True)
        self._thread.start()

    def write(self, line: bytes) -> None:
        """Add a line, which ends with a newline; only one thread at a time may call this."""
        size = len(line)
        if self._accepted - self._settled + size > self._limit:
            self.dropped += 1
            return
        self._accepted += size
        self._lines.append(line)
        if not self._wake.is_set():
            self._wake.set()

    def close(self) -> None:
        """Write the remaining lines, as far as that is possible within a second."""
        self._closing.set()
        self._wake.set()
        self._thread.join(_CLOSING_WAIT)

    def _run(self) -> None:
        while not (self._closing.is_set() and not self._lines):
            self._wake.wait()
            if self._pause:
                self._closing.wait(self._pause)
            self._wake.clear()
            while self._lines:
                self._write_some()
            if self._closing.is_set():
                return

    def _write_some(self) -> None:
        taken = [self._lines.popleft()]
        size = len(taken[0])
        while self._lines and size + len(self._lines[0]) <= _CHUNK:
            taken.append(self._lines.popleft())
            size += len(taken[-1])
        try:
            self._write_whole(b"".join(taken))
        except OSError:
            # The reader has gone (EPIPE), or the disk is full: the proxy continues without its log.
            self.dropped += len(taken)
        self._settled += size

    def _write_whole(self, data: bytes) -> None:
        if self._lock is not None:
            # One byte for each descriptor: the lock belongs to the process, so two threads need two locks.
            fcntl.lockf(self._lock, fcntl.LOCK_EX, 1, self._fd)
        try:
            rest = memoryview(data)
            while rest:
                try:
                    rest = rest[os.write(self._fd, rest) :]
                except BlockingIOError:
                    # Another process that shares the open file has made it non-blocking.
                    poll = select.poll()
                    poll.register(self._fd, select.POLLOUT)
                    poll.poll()
        finally:
            if self._lock is not None:
                fcntl.lockf(self._lock, fcntl.LOCK_UN, 1, self._fd)
