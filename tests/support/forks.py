"""A `corsproxy` process forked from one that has loaded the package, in a tenth of the time.

It has its own descriptors, environment and directory, and ends like any other process.
Only the start of the interpreter and the imports are missing, so tests of those start a fresh process.
Has the part of `subprocess.Popen` that the tests use.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parents[2]

_READ_AT_THE_START = ("PYTHON", "LC_", "LANG", "LD_", "MALLOC_", "SSL_", "OPENSSL_", "TZ", "AIOHTTP_", "UVLOOP_")
"""How the environment variables begin that the interpreter or a library reads before `corsproxy` runs."""


def can_fork(environ: Mapping[str, str]) -> bool:
    """Return whether a fork would start with what a fresh process would start with."""
    return _inherited(environ) == _server()[1]


class Forked:
    """A process forked for `args` of corsproxy; its stdout is collected if `stdout` is None.

    `closed` are the numbers of the standard streams that it starts without.
    """

    def __init__(
        self,
        args: Sequence[str],
        *,
        environ: Mapping[str, str],
        directory: Path,
        stdout: int | None,
        closed: Sequence[int] = (),
    ) -> None:
        self.args = args
        self.returncode: int | None = None
        self._reading = threading.Lock()
        place = str(directory.resolve())
        start = {"args": args, "environ": dict(environ), "directory": place, "closed": closed, "umask": _umask()}
        with contextlib.ExitStack() as stack:
            news, news_end = _pipe(stack)
            err, err_end = _pipe(stack)
            out, out_end = (None, stdout) if stdout is not None else _pipe(stack)
            stdin = os.open(os.devnull, os.O_RDONLY)
            stack.callback(os.close, stdin)
            streams = [stdin, out_end, err_end, news_end]
            socket.send_fds(_server()[0], [json.dumps(start).encode()], streams)
        self._news = open(news, "rb", buffering=0)  # noqa: SIM115 - closed with its last line
        self.stderr: IO[bytes] = open(err, "rb")  # noqa: SIM115 - the owner's
        self.stdout: IO[bytes] | None = open(out, "rb") if out is not None else None  # noqa: SIM115 - the owner's
        self.pid = int(self._news.readline())

    def poll(self) -> int | None:
        """Return the exit status if the process has ended, that of a signal being negative."""
        with self._reading:
            if self.returncode is None and select.select([self._news], [], [], 0)[0]:
                self.returncode = int(self._news.readline())
                self._news.close()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end; raises subprocess.TimeoutExpired if the time is up first."""
        while (status := self.poll()) is None:
            with contextlib.suppress(ValueError):  # closed by another thread's `poll`
                if not select.select([self._news], [], [], timeout)[0]:
                    assert timeout is not None
                    raise subprocess.TimeoutExpired(list(self.args), timeout)
        return status

    def send_signal(self, number: int) -> None:
        """Send the process a signal if it has not ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)


def _pipe(stack: contextlib.ExitStack) -> tuple[int, int]:
    """Make a pipe, whose second end is for the process and is closed with the stack."""
    ours, theirs = os.pipe()
    stack.callback(os.close, theirs)
    return ours, theirs


@functools.cache
def _server() -> tuple[socket.socket, tuple[object, ...]]:
    """Start the process that forks; return the socket to it, and what it has inherited."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    environ = as_users_have_it(os.environ)
    with theirs:
        server = subprocess.Popen(
            [sys.executable, "-m", "tests.support.fork_server", str(theirs.fileno())],
            pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, cwd=ROOT, env=environ,
        )  # fmt: skip

    def end() -> None:
        ours.close()
        server.wait()

    atexit.register(end)
    return ours, _inherited(environ)


def as_users_have_it(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a corsproxy that is not configured by it."""
    inherited = {name: value for name, value in environ.items() if not name.startswith("CORSPROXY_")}
    return {**inherited, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


def _umask() -> int:
    """Return the umask; `os.umask` would have to set it."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition("\nUmask:")[2].split()[0], 8)


def _inherited(environ: Mapping[str, str]) -> tuple[object, ...]:
    """Return what a process started here would begin with: limits, signals ignored, some variables."""
    status = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return (
        Path("/proc/self/limits").read_text(encoding="utf-8"),
        [line for line in status if line.startswith("SigIgn:")],
        {name: value for name, value in environ.items() if name.startswith(_READ_AT_THE_START)},
    )
