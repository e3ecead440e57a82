"""A forked `corsproxy` is what a fresh one is, in all that a test may look at; the start itself apart."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.server.setup import children
from tests.support.forks import Forked
from tests.support.process import Process, ran, started, without_uvloop

UPSTREAM = ("--upstream", "http://127.0.0.1:9")


@pytest.mark.parametrize(
    "args",
    [
        pytest.param(["--version"], id="an answer"),
        pytest.param(["check", "-c", "nowhere.yaml"], id="a mistake in a file"),
        pytest.param(["serve", "--nonsense"], id="a mistake on the command line"),
        pytest.param([], id="nothing"),
        pytest.param(["explain", "--help"], id="help"),
    ],
)
def test_commands_say_and_end_the_same(args: list[str], tmp_path: Path) -> None:
    """Status, stdout and stderr."""
    assert ran(*args, directory=tmp_path) == ran(*args, directory=tmp_path, fresh=True)


@pytest.mark.parametrize("closed", [[1], [2], [0, 1, 2]])
def test_streams_may_be_closed(closed: list[int], tmp_path: Path) -> None:
    """As `>&-` closes them in a shell: what is said of that on the others is the same."""
    command = ("check", "-c", "/dev/null")
    assert ran(*command, closed=closed) == ran(*command, closed=closed, fresh=True)


def open_files(pid: int) -> dict[str, str]:
    """Name the open descriptors of a process, pipes and sockets by their kind."""
    return {link.name: os.readlink(link).partition("[")[0] for link in Path(f"/proc/{pid}/fd").iterdir()}


def state(pid: int) -> dict[str, str]:
    """Return what a process has from its start, and where it is."""
    found = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    kept = ("Umask", "Groups", "SigBlk", "SigIgn", "SigCgt", "Threads", "Uid")
    return {
        **{name: value for name, _, value in (line.partition(":") for line in found) if name in kept},
        "limits": Path(f"/proc/{pid}/limits").read_text(encoding="utf-8"),
        "directory": os.readlink(f"/proc/{pid}/cwd"),
        "group": str(os.getpgid(pid)),
        "session": str(os.getsid(pid)),
    }


def test_a_server_has_the_same_descriptors_signals_and_limits(tmp_path: Path) -> None:
    """Nothing of the process that it was forked from is left, nor of the tests."""
    with (
        started(None, *UPSTREAM, admin=True, directory=tmp_path) as forked,
        started(None, *UPSTREAM, admin=True, directory=tmp_path, fresh=True) as fresh,
    ):
        assert isinstance(forked.popen, Forked)
        assert isinstance(fresh.popen, subprocess.Popen)
        for proxy in (forked, fresh):
            proxy.stderr.wait_line("^admin on ")
        assert open_files(forked.pid) == open_files(fresh.pid)
        assert state(forked.pid) == state(fresh.pid)


def test_workers_have_the_same_descriptors_signals_and_limits(tmp_path: Path) -> None:
    """A forked server forks its workers, and a fresh one starts fresh ones."""
    options = (*UPSTREAM, "--workers", "2")
    with (
        started(None, *options, admin=True, directory=tmp_path) as forked,
        started(None, *options, admin=True, directory=tmp_path, fresh=True) as fresh,
    ):
        for proxy in (forked, fresh):
            proxy.stderr.wait_line("^admin on ")
        (copy, _), (original, _) = children(forked.pid), children(fresh.pid)
        assert "fork_server" in Path(f"/proc/{copy}/cmdline").read_text(encoding="utf-8")
        assert "worker" in Path(f"/proc/{original}/cmdline").read_text(encoding="utf-8")
        assert sorted(open_files(copy).values()) == sorted(open_files(original).values())
        assert state(copy) == state(original)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGUSR2])
def test_how_a_signal_ends_it_is_known(number: signal.Signals) -> None:
    """As a negative status; waiting gives up in time, and a signal to what has ended goes nowhere."""
    with started(None, *UPSTREAM) as proxy:
        assert proxy.popen.poll() is None
        with pytest.raises(subprocess.TimeoutExpired):
            proxy.popen.wait(0)
        proxy.signal(number)
        assert proxy.wait() == -number == proxy.popen.poll()
        proxy.signal(signal.SIGTERM)


def test_its_umask_is_that_of_the_moment() -> None:
    """As a child's is."""
    before = os.umask(0o027)
    try:
        with started(None, *UPSTREAM) as proxy:
            assert isinstance(proxy.popen, Forked)
            assert state(proxy.pid)["Umask"].strip() == "0027"
    finally:
        os.umask(before)


def test_its_environment_is_the_one_it_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables of this moment and those of the start, without what configures a corsproxy of the user's own."""
    monkeypatch.setenv("CORSPROXY_WORKERS", "nonsense")
    with started(None, *UPSTREAM, environ={"CORSPROXY_LOG_FORMAT": "json"}) as proxy:
        assert isinstance(proxy.popen, Forked)
        proxy.stderr.wait_line(r'^\{.*"message": "listening on ')
        assert proxy.stop() == 0


def test_what_the_interpreter_reads_at_its_start_has_a_fresh_process(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Another module path or locale, and a signal that is ignored from the start."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        found = [type(started_and_ended())]
    finally:
        signal.signal(signal.SIGHUP, before)
    environments = [without_uvloop(tmp_path), {"LC_ALL": "C"}, {"PYTHONUTF8": "0"}]
    found += [type(started_and_ended(environ)) for environ in environments]
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    found.append(type(started_and_ended()))
    assert set(found) == {subprocess.Popen}


def started_and_ended(environ: dict[str, str] | None = None) -> subprocess.Popen[bytes] | Forked:
    """Run a command that says its version."""
    process = Process(["--version"], environ=environ)
    assert process.wait() == 0
    process.end()
    return process.popen
