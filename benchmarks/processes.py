"""Programs under measurement: starts them, waits until they are ready, reads their use of CPU and memory, stops them.

CPU and memory are those of the program and of every process it has started (Linux).
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

_START_TIMEOUT = 20.0
"""The most seconds until a program accepts a connection."""


class CannotStart(Exception):  # noqa: N818 - it is reported as a gap in the table, not handled as a fault
    """A program did not start; the text is its last output."""


def clean_environ() -> dict[str, str]:
    """Return the environment without variables that affect Python or configure corsproxy."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "CORSPROXY_"))}


def free_port() -> int:
    """Return a free TCP port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Process:
    """A running program that listens on a port of 127.0.0.1."""

    def __init__(
        self,
        command: Sequence[str],
        port: int,
        *,
        log: Path,
        core: int | None,
        environ: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> None:
        """Start `command` on CPU `core` (None leaves it to the kernel) and wait until `port` accepts.

        It runs in `folder`, or here; `environ` is added to the clean environment. Raises `CannotStart`.
        """
        pinned = (*pin(core), *command)
        self._log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                pinned,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**clean_environ(), **(environ or {})},
                cwd=folder,
            )
        self.port = port
        try:
            self._wait_ready()
        except CannotStart:
            self.stop()
            raise

    def _wait_ready(self) -> None:
        end = time.monotonic() + _START_TIMEOUT
        while time.monotonic() < end:
            if self._process.poll() is not None:
                raise CannotStart(f"ended at once: {self._said()}")
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise CannotStart(f"does not accept connections: {self._said()}")

    def _said(self) -> str:
        lines = self._log.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "nothing was said"

    @property
    def pid(self) -> int:
        """The program's own process."""
        return self._process.pid

    def cpu_seconds(self) -> float:
        """Return the user and system time of all processes of the program, in seconds."""
        return sum(_cpu_seconds(pid) for pid in self._pids())

    def resident_bytes(self) -> int:
        """Return the resident bytes of all processes of the program; shared pages are counted in each."""
        return sum(_resident_bytes(pid) for pid in self._pids())

    def _pids(self) -> list[int]:
        found = [self._process.pid]
        for pid in found:
            for task in _listing(Path(f"/proc/{pid}/task")):
                found += map(int, _text(task / "children").split())
        return found

    def stop(self) -> None:
        """End the program."""
        for pid in reversed(self._pids()):
            try:
                os.kill(pid, 15)
            except ProcessLookupError:
                continue
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def pin(core: int | None) -> tuple[str, ...]:
    """Return the prefix of a command that keeps it on a CPU."""
    return () if core is None else ("taskset", "-c", str(core))


def _cpu_seconds(pid: int) -> float:
    # The clock of another process, as clock_getcpuclockid(3) names it: in nanoseconds and with the threads that have
    # ended, where /proc has ticks of 10 ms.
    try:
        return time.clock_gettime(~pid << 3 | 2)
    except OSError:
        return 0.0


def _resident_bytes(pid: int) -> int:
    for line in _text(Path(f"/proc/{pid}/status")).splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


def _listing(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except FileNotFoundError:
        return []


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
