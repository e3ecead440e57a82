"""The process that the tests' `corsproxy` processes are forked from: it has loaded the whole package, and only waits.

    python -m tests.support.fork_server 7

7 is a socket. A message on it is one start: JSON, and with it stdin, stdout, stderr and a pipe for the news of the
process, each a line: its id, later its status as `subprocess` has it. The end of the socket is the end of this process.
Has one thread and nothing open but what it needs, so that a copy of it is as good as new.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import io
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import sys
import threading
import traceback
import warnings
from typing import Any

from corsproxy.server.workers import running, worker


def load(package: str) -> None:
    """Import all of a package, apart from what runs when it is imported."""
    for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
        if not module.name.endswith(".__main__"):
            importlib.import_module(module.name)


def fork_on_request(control: socket.socket) -> None:
    """Fork for each message; return only in the forks, each set up as its message says."""
    # Ctrl-C ends the test run, which ends this process.
    on_interrupt = signal.signal(signal.SIGINT, signal.SIG_IGN)
    poll = select.poll()
    poll.register(control, select.POLLIN)
    news: dict[int, tuple[int, int]] = {}
    while True:
        for fd, _ in poll.poll():
            if fd != control.fileno():
                poll.unregister(fd)
                report_end(fd, *news.pop(fd))
                continue
            message, fds, _, _ = socket.recv_fds(control, 1 << 20, 4)
            if not message:
                sys.exit()
            pid = os.fork()
            if pid == 0:
                signal.signal(signal.SIGINT, on_interrupt)
                become(json.loads(message), fds[:3])
                return
            for passed_on in fds[:3]:
                os.close(passed_on)
            pidfd = os.pidfd_open(pid)
            poll.register(pidfd, select.POLLIN)
            news[pidfd] = pid, fds[3]
            report(fds[3], pid)


def report_end(pidfd: int, pid: int, fd: int) -> None:
    """Report how a process has ended, and only then free its id, which must not be signalled from now on."""
    ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert ended is not None
    report(fd, ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status)
    os.close(fd)
    os.close(pidfd)
    os.waitpid(pid, 0)


def report(fd: int, number: int) -> None:
    """Write a line of news, unless the test no longer reads them."""
    with contextlib.suppress(BrokenPipeError):
        os.write(fd, b"%d\n" % number)


def become(start: dict[str, Any], streams: list[int]) -> None:
    """Make this process what an interpreter started with `-m corsproxy` would be before it runs that."""
    for number, fd in enumerate(streams):
        os.dup2(fd, number)
    os.closerange(3, 4096)
    for number in start["closed"]:
        os.close(number)
    reopen_streams()
    os.umask(start["umask"])
    os.chdir(start["directory"])
    os.environ.clear()
    os.environ.update(start["environ"])
    sys.path[0] = start["directory"]
    sys.argv[1:] = start["args"]
    running.start_process = fork_worker  # type: ignore[assignment]


class ForkedWorker:
    """A forked worker, with the part of `subprocess.Popen` that its parent uses."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return the exit status if the worker has ended, that of a signal being negative."""
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def kill(self) -> None:
        """Send SIGKILL if it has not ended."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)


def fork_worker(control: int, lock: int, listening: list[int]) -> ForkedWorker:
    """Start a worker as `running.start_process` does, but without a third of a second of imports.

    Its parent runs an event loop and has threads; the worker has only their memory, and does not use it.
    """
    of_the_parent = set(descriptors().values())
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # of the threads, from Python 3.12
        pid = os.fork()
    if pid:
        return ForkedWorker(pid)
    status = 1
    try:
        # Not what is new: libuv has made a pipe for this process.
        for fd, file in descriptors().items():
            if file in of_the_parent and fd not in {1, 2, control, lock, *listening}:
                os.close(fd)
        os.open(os.devnull, os.O_RDONLY)  # becomes descriptor 0
        signal.set_wakeup_fd(-1)
        worker.main(control, lock, listening)
        status = 0
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else 1
    except BaseException:  # noqa: BLE001 - nothing above this is the worker's
        traceback.print_exc()
    finally:
        os._exit(status)


def descriptors() -> dict[int, str]:
    """Return the file of every open descriptor, as Linux names it."""
    found: dict[int, str] = {}
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):  # the one that listed them
            found[int(name)] = os.readlink(f"/proc/self/fd/{name}")
    return found


def reopen_streams() -> None:
    """Replace the standard streams as the interpreter makes them at its start: they remember their former files."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        stream = reopened(number, getattr(sys, name))
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def reopened(number: int, old: io.TextIOWrapper) -> io.TextIOWrapper | None:
    """Return a stream like the old one for a descriptor, or None if that is closed."""
    try:
        os.fstat(number)
    except OSError:
        return None
    if number == 0:
        return open(0, encoding=old.encoding, errors=old.errors, closefd=False)
    raw = open(number, "wb", buffering=0, closefd=False)  # noqa: SIM115 - PYTHONUNBUFFERED is set
    return io.TextIOWrapper(raw, old.encoding, old.errors, "\n", os.isatty(number), write_through=True)


def run() -> None:
    """Run `corsproxy`, and end this process as its status says."""
    status = 0
    try:
        runpy.run_module("corsproxy", run_name="__main__", alter_sys=True)
    except SystemExit as ending:
        if not isinstance(ending.code, int):
            raise
        status = ending.code
    end(status)


def end(status: int) -> None:
    """End as an interpreter does, but without freeing each object, which would take longer than the rest."""
    threading._shutdown()  # type: ignore[attr-defined]  # as multiprocessing does, whose children end in this way
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    os._exit(status)


if __name__ == "__main__":
    load("corsproxy")
    gc.collect()
    gc.freeze()
    fork_on_request(socket.socket(fileno=int(sys.argv[1])))
    run()
