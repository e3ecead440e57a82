"""Standard streams as shells and service managers hand them over: closed, full, without a reader, not UTF-8."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.server.setup import children, config
from tests.support.process import DEADLINE, Output, Process, ran

ROOT = Path(__file__).parents[2]

PRINTING = {
    "check": "check {file}",
    "check as JSON": "check --format json {file}",
    "check as JSON of a bad file": "check --format json /dev/null",
    "explain": "explain / -c {file}",
    "explain as JSON": "explain / -c {file} --format json --origin https://app.example.com",
    "probe as JSON": "probe http://127.0.0.1:9/ --format json",
    "learn": "learn {log} -c {file}",
    "schema": "schema",
    "init": "init {new}",
    "help": "--help",
    "help of a command": "serve --help",
    "version": "--version",
}
"""Commands that have something to say on stdout."""


@pytest.fixture
def places(tmp_path: Path) -> Mapping[str, Path]:
    """Files that the commands name."""
    file, log = tmp_path / "corsproxy.yaml", tmp_path / "access.log"
    file.write_text(config("http://127.0.0.1:9"), encoding="utf-8")
    entry = {"method": "GET", "path": "/", "route": "/", "origin": "https://app.example.com", "cors": "granted"}
    log.write_text(json.dumps(entry) + "\n", encoding="utf-8")
    return {"file": file, "log": log, "new": tmp_path / "new.yaml"}


def in_shell(command: str, streams: str, **environ: str) -> subprocess.Popen[bytes]:
    """Start a command with its streams as a shell makes them, as in `>&-`."""
    line = f"exec {shlex.quote(sys.executable)} -m corsproxy {command} {streams}"
    env = {name: value for name, value in os.environ.items() if not name.startswith("CORSPROXY_")}
    return subprocess.Popen(
        ["sh", "-c", line], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT,
        env={**env, "PYTHONPATH": str(ROOT), **environ},
    )  # fmt: skip


def ran_in_shell(command: str, streams: str, **environ: str) -> tuple[int, str, list[str]]:
    """Exit status, stdout, and lines of stderr of a command that ends by itself."""
    process = in_shell(command, streams, **environ)
    out, err = process.communicate(timeout=DEADLINE)
    return process.returncode, out.decode(), err.decode().splitlines()


@contextlib.contextmanager
def ended(command: str, stdout: int) -> Iterator[Process]:
    """Run a command to its end."""
    process = Process(command.split(), stdout=stdout)
    try:
        process.wait()
        yield process
    finally:
        process.end()


@pytest.mark.parametrize("command", PRINTING.values(), ids=PRINTING.keys())
def test_an_answer_that_goes_to_a_closed_stdout_is_a_short_message(command: str, places: Mapping[str, Path]) -> None:
    """As `ls >&-` does, the command says that it could not say it, and does not call that success."""
    status, _, said = ran(*command.format_map(places).split(), closed=[1])
    assert (status, said[-1]) == (2, "corsproxy: cannot write the output: standard output is closed")
    assert "Traceback" not in "\n".join(said)


@pytest.mark.parametrize("command", PRINTING.values(), ids=PRINTING.keys())
def test_a_reader_that_has_gone_ends_the_command_without_a_word(command: str, places: Mapping[str, Path]) -> None:
    """As with `yes | head`: 141 is what a shell says of a program that SIGPIPE has ended."""
    ours, theirs = os.pipe()
    os.close(ours)
    with os.fdopen(theirs, "wb") as gone, ended(command.format_map(places), stdout=gone.fileno()) as process:
        told_before = ("probe: sends ", "learn: 1 request read")
        said = [line for line in process.stderr.lines if not line.startswith(told_before)]
        assert (process.wait(), said) == (128 + signal.SIGPIPE, [])


@pytest.mark.parametrize("command", ["check {file}", "check {new}", "serve -c {new}", "learn -c {file}", "healthcheck"])
def test_no_stream_at_all_leaves_the_exit_status(command: str, places: Mapping[str, Path]) -> None:
    """What is wrong, or cannot be told, is still 2; a closed stdin is empty."""
    assert ran(*command.format_map(places).split(), closed=[0, 1, 2]) == (2, [], [])


@pytest.mark.parametrize("streams", ["2>&-", "2>/dev/full"])
def test_a_stderr_that_takes_nothing_changes_no_exit_status(streams: str, places: Mapping[str, Path]) -> None:
    """`2>&-` is how people silence a program: its answer comes all the same, and none of it on another stream."""
    status, out, _ = ran_in_shell("check {file}".format_map(places), streams)
    assert (status, out) == (0, f"{places['file']}: valid: 1 upstream, 1 policy, 1 route\n")
    assert ran_in_shell("explain / -c {new}".format_map(places), streams) == (2, "", [])


def test_a_terminal_that_is_not_utf_8_is_shown_escapes(places: Mapping[str, Path]) -> None:
    """What its encoding lacks is escaped; JSON is ASCII, so that it is JSON everywhere."""
    origin = "https://münchen.example"
    asked = "explain / -c {file} --origin ".format_map(places) + origin
    status, out, said = ran_in_shell(asked, "", PYTHONIOENCODING="ascii")
    assert (status, said) == (1, [])
    assert out.startswith(r"GET / asked by https://m\xfcnchen.example: refused: origin_malformed")
    status, out, said = ran_in_shell(f"{asked} --format json", "", PYTHONIOENCODING="ascii")
    assert (status, json.loads(out)["origin"], said) == (1, origin, [])


def test_a_file_whose_name_is_not_utf_8_can_be_checked(tmp_path: Path) -> None:
    """The byte is shown as an escape, in JSON as one of JSON's own."""
    file = tmp_path / os.fsdecode(b"caf\xe9.yaml")
    file.write_text("listne: x\n", encoding="utf-8")
    assert r"caf\udce9.yaml:1:1: listne: " in ran_in_shell(f"check {tmp_path}/caf*", "")[1]
    assert json.loads(ran_in_shell(f"check --format json {tmp_path}/caf*", "")[1])[0]["file"] == str(file)


def test_a_configuration_may_come_through_standard_input(places: Mapping[str, Path]) -> None:
    """A dash is accepted for it, as in other programs."""
    assert ran_in_shell("check - < {file}".format_map(places), "")[:2] == (
        0,
        "/dev/stdin: valid: 1 upstream, 1 policy, 1 route\n",
    )
    assert ran_in_shell("explain / -c - < {file}".format_map(places), "")[0] == 0


def test_a_log_that_is_not_utf_8_can_be_piped_in(places: Mapping[str, Path]) -> None:
    """As one that is named can be."""
    places["log"].write_bytes(b"caf\xe9\n" + places["log"].read_bytes())
    line = "learn -c {file} < {log}".format_map(places)
    status, out, said = ran_in_shell(line, "", PYTHONIOENCODING="utf-8:strict")
    assert (status, out.startswith("# Proposed by")) == (0, True)
    assert said == ["learn: 1 request read, 1 line skipped: not of the JSON access log"]


def test_init_leaves_nothing_where_it_cannot_write_the_whole_file(tmp_path: Path) -> None:
    """Half a starter file would be in the way of the next attempt."""
    line = f"ulimit -f 0; exec {shlex.quote(sys.executable)} -m corsproxy init {tmp_path}/new.yaml 2>&1"
    done = subprocess.run(["sh", "-c", line], stdout=subprocess.PIPE, cwd=ROOT, timeout=DEADLINE, check=False)
    assert (done.returncode, done.stdout.decode()) == (
        2,
        f"corsproxy: cannot write {tmp_path}/new.yaml: {os.strerror(errno.EFBIG)}\n",
    )
    assert list(tmp_path.iterdir()) == []


@contextlib.contextmanager
def served_without_stdout(options: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a `serve` that has no stdout, and is ready."""
    process = in_shell(f"serve --upstream http://127.0.0.1:9 --listen 127.0.0.1:0 {options}", ">&-")
    assert process.stdout is not None
    assert process.stderr is not None
    output = Output(process.stderr)
    try:
        output.wait_line("^listening on ")
        yield process
        process.terminate()
        assert process.wait(DEADLINE) == 0
    finally:
        process.kill()
        process.wait()
        output.finish()
        process.stdout.close()
        process.stderr.close()


@pytest.mark.parametrize("workers", [1, 2])
def test_without_stdout_the_access_log_goes_into_no_socket_of_ours(workers: int) -> None:
    """The number of a closed stream is the next one that a file or a socket would be given."""
    with served_without_stdout(f"--workers {workers}") as process:
        for pid in (process.pid, *children(process.pid)):
            assert os.readlink(f"/proc/{pid}/fd/1") == "/dev/null"
