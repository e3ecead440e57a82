"""A third-party program, started by its own command as a user would, and ended with the test.

    with launched(sys.executable, "-m", "http.server", "0") as output:
        port = output.wait_line(r"port ([0-9]+)")[1]

Its port is read from its output.
Knows nothing of what it does; `process.py` is for corsproxy itself.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.process import DEADLINE, Output

_PLAIN = {"PYTHONUNBUFFERED": "1", "FORCE_COLOR": "0", "NO_COLOR": "1"}
"""Variables that make programs print each line at once, without colours in the middle of an address."""

_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin"
"""With the folder of servers that Debian installs, which is only on root's PATH."""


@contextlib.contextmanager
def launched(*command: str, folder: Path | None = None) -> Iterator[Output]:
    """Run a command in a folder, yield its output on both streams, and end it, by force if need be."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, **_PLAIN, "PATH": _PATH},
    )
    assert process.stdout is not None
    output = Output(process.stdout)
    try:
        yield output
    finally:
        process.terminate()
        try:
            process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        output.finish()
        process.stdout.close()


def needs(program: str, instruction: str) -> str:
    """Return a program's path, or skip the test with the way to install it."""
    found = shutil.which(program, path=_PATH)
    if found is None:
        pytest.skip(f"no {program}: {instruction}")
    return found


def free_port() -> int:
    """Return a free port, for a program that cannot report which one it got.

    It is below those that the kernel chooses (32768 and up), because other tests get hundreds of them each second.
    """
    while True:
        port = random.randrange(20000, 32768)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def wait_until_listening(port: int) -> None:
    """Connect until the program accepts, because it does not report when it is ready."""
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=DEADLINE):
            return
        time.sleep(0.02)  # a refused connection is no event to wait for
    raise AssertionError(f"nobody listens on port {port}")
