"""A real `corsproxy` process, as a user would start it: its addresses, its output, its end.

    with started(config) as proxy:
        socket.create_connection(proxy.address)

`config` is the text of the file; `{upstream}` and the like are the test's own to fill in.
The listener is on a free port of loopback unless the options say otherwise.
`admin=True` adds an admin listener likewise.
Waiting is always for something that the process said or did, never for a time.
Knows nothing of what the process does inside.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

from tests.support.forks import ROOT, Forked, as_users_have_it, can_fork

DEADLINE = 60.0
"""Seconds until a wait is given up and the test fails; two slow cores are shared by all tests."""


_LINE = r'(?:^|"message": ")'
"""The beginning of a line of the program, as text or in a JSON object."""


class Output:
    """The lines of one stream of the process, as they come."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.lines: list[str] = []
        self._changed = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    @property
    def text(self) -> str:
        """Everything so far."""
        return "\n".join(self.lines)

    def wait_for(self, condition: Callable[[list[str]], object], timeout: float = DEADLINE) -> None:
        """Wait until `condition(lines)` is true; raises AssertionError if the stream ends or the time is up first."""
        with self._changed:
            self._changed.wait_for(lambda: bool(condition(self.lines)) or self._ended, timeout)
            if not condition(self.lines):
                raise AssertionError(f"never said; the output is:\n{self.text}")

    def wait_line(self, pattern: str, timeout: float = DEADLINE) -> re.Match[str]:
        """Wait for a line in which the regular expression is found, and return its match."""
        compiled = re.compile(pattern)
        self.wait_for(lambda lines: any(compiled.search(line) for line in lines), timeout)
        return next(match for line in self.lines if (match := compiled.search(line)))

    def finish(self) -> None:
        """Wait for the end of the stream."""
        self._thread.join(DEADLINE)

    def _read(self, stream: IO[bytes]) -> None:
        for line in stream:
            with self._changed:
                self.lines.append(line.decode("utf-8", "backslashreplace").rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()


class Process:
    """A started `corsproxy` command.

    `args` are those after `python -m corsproxy`.
    `stdout=None` collects it like stderr; a file descriptor hands it over, and `stdout` is then None.
    `closed` are the numbers of the standard streams that it starts without.
    `fresh=True` is for tests of the start itself: neither the process nor its workers are then forks of one that has
    loaded everything.
    """

    def __init__(
        self,
        args: Sequence[str],
        *,
        environ: Mapping[str, str] | None = None,
        directory: Path | None = None,
        stdout: int | None = None,
        closed: Sequence[int] = (),
        fresh: bool = False,
    ) -> None:
        given = {**as_users_have_it(os.environ), **(environ or {})}
        self.popen: subprocess.Popen[bytes] | Forked
        if fresh or not can_fork(given):
            closing = "".join(f" {number}>&-" for number in closed)
            by_shell = ["sh", "-c", f'exec "$@"{closing}', "sh"] if closed else []
            self.popen = subprocess.Popen(
                [*by_shell, sys.executable, "-m", "corsproxy", *args],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if stdout is None else stdout,
                stderr=subprocess.PIPE,
                cwd=directory or ROOT,
                env=given,
            )
        else:
            self.popen = Forked(args, environ=given, directory=directory or ROOT, stdout=stdout, closed=closed)
        assert self.popen.stderr is not None
        self.stderr = Output(self.popen.stderr)
        self.stdout = Output(self.popen.stdout) if self.popen.stdout is not None else None

    @property
    def pid(self) -> int:
        """The process id; the parent's, if there are workers."""
        return self.popen.pid

    def signal(self, number: signal.Signals) -> None:
        """Send the process a signal."""
        self.popen.send_signal(number)

    def wait(self, timeout: float = DEADLINE) -> int:
        """Wait for the end, and return the exit status."""
        try:
            status = self.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {timeout} s; it said:\n{self.stderr.text}") from None
        self.stderr.finish()
        if self.stdout is not None:
            self.stdout.finish()
        return status

    def stop(self) -> int:
        """Send SIGTERM, wait for the end, and return the exit status."""
        if self.popen.poll() is None:
            self.signal(signal.SIGTERM)
        return self.wait()

    def end(self) -> None:
        """Kill it if it still runs: the last resort of a test's clean-up."""
        if self.popen.poll() is None:
            self.popen.kill()
        self.popen.wait()
        # A stream is closed once its own thread has read it to the end: closed under it, the thread fails.
        for output, stream in ((self.stdout, self.popen.stdout), (self.stderr, self.popen.stderr)):
            if output is not None and stream is not None:
                output.finish()
                stream.close()


def without_uvloop(folder: Path) -> dict[str, str]:
    """Return the environment of a process in which uvloop cannot be imported, by a file made in `folder`."""
    (folder / "uvloop.py").write_text("raise ImportError('not here')\n", encoding="utf-8")
    return {"PYTHONPATH": f"{folder}:{ROOT}"}


class Proxy(Process):
    """A running `corsproxy serve`: where it listens, and what its admin listener says."""

    directory: Path
    """The folder of its configuration, to which relative paths refer."""
    config: Path
    """The file it reads; missing in quick mode."""

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of the listener, for `socket.create_connection`."""
        return self._tcp("listening")

    @property
    def url(self) -> str:
        """The listener's address as a URL without a path."""
        return self.stderr.wait_line(r'listening on (https?://[^\s"]+)').group(1)

    @property
    def unix_path(self) -> str:
        """The path of a listener on a Unix socket."""
        return self.stderr.wait_line(r"^listening on unix:(.+)$").group(1)

    @property
    def admin(self) -> tuple[str, int]:
        """Host and port of the admin listener."""
        return self._tcp("admin")

    def ask_admin(self, path: str, method: str = "GET", **fields: str) -> tuple[int, str]:
        """Return the status and content of one request to the admin listener."""
        connection = http.client.HTTPConnection(*self.admin, timeout=DEADLINE)
        with contextlib.closing(connection):
            connection.request(method, path, headers=fields)
            response = connection.getresponse()
            return response.status, response.read().decode()

    def metrics(self) -> dict[str, float]:
        """Return every sample of `/metrics` by its name and labels as written (`name{a="b"}`)."""
        status, text = self.ask_admin("/metrics")
        assert status == 200, text
        samples = (line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#"))
        return {name: float(value) for name, value in samples}

    def access_log(self, at_least: int = 0) -> list[dict[str, Any]]:
        """Return the access log's lines, once there are so many; `log.format` must be json."""
        assert self.stdout is not None
        self.stdout.wait_for(lambda lines: len(lines) >= at_least)
        return [json.loads(line) for line in self.stdout.lines]

    def reload(self, text: str) -> None:
        """Replace the file and send SIGHUP; the test waits for the result."""
        self.config.write_text(text, encoding="utf-8")
        self.signal(signal.SIGHUP)

    def _tcp(self, what: str) -> tuple[str, int]:
        match = self.stderr.wait_line(rf'{_LINE}{what} on https?://(.+?):(\d+)(?:$|")')
        return match.group(1).strip("[]"), int(match.group(2))


@contextlib.contextmanager
def started(
    config: str | None,
    *options: str,
    listen: str | None = "127.0.0.1:0",
    admin: bool = False,
    environ: Mapping[str, str] | None = None,
    stdout: int | None = None,
    directory: Path | None = None,
    fresh: bool = False,
) -> Iterator[Proxy]:
    """Run a `corsproxy serve` that is ready for connections, and end it, by force if need be.

    `config` None starts it without a file (quick mode: give `--upstream` among the options).
    `listen` None leaves the address to the file.
    `fresh` is as for `Process`.
    `options` are further ones of `serve`; the file is `corsproxy.yaml` in `directory`, a temporary one by default.
    Raises AssertionError with the output if it ends before it listens.
    """
    with contextlib.ExitStack() as stack:
        home = directory or Path(stack.enter_context(TemporaryDirectory(prefix="corsproxy-test-")))
        args = ["serve", *options]
        if config is not None:
            (home / "corsproxy.yaml").write_text(config, encoding="utf-8")
            args += ["--config", str(home / "corsproxy.yaml")]
        if listen is not None and "--listen" not in options:
            args += ["--listen", listen]
        if admin:
            args += ["--admin", "127.0.0.1:0"]
        proxy = Proxy(args, environ=environ, directory=home, stdout=stdout, fresh=fresh)
        stack.callback(proxy.end)
        proxy.directory, proxy.config = home, home / "corsproxy.yaml"
        proxy.stderr.wait_line(rf"{_LINE}listening on ")
        yield proxy


def ran(
    *args: str,
    environ: Mapping[str, str] | None = None,
    directory: Path | None = None,
    closed: Sequence[int] = (),
    fresh: bool = False,
) -> tuple[int, list[str], list[str]]:
    """Return the exit status, the lines of stdout and those of stderr of a `corsproxy` command that ends by itself."""
    process = Process(args, environ=environ, directory=directory, closed=closed, fresh=fresh)
    try:
        status = process.wait()
    finally:
        process.end()
    assert process.stdout is not None
    return status, process.stdout.lines, process.stderr.lines
