"""What the benchmarks say of a run, and that they measure what they say; nothing is measured here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.installations import CannotInstall, digest, find
from benchmarks.interpreters import Unusable, examine, is_optimized
from benchmarks.processes import Process, clean_environ
from benchmarks.report import Circumstances, as_text
from benchmarks.results import Results, disturbed
from benchmarks.targets import judge
from tests.support.programs import free_port

ROOT = Path(__file__).resolve().parent.parent

SCENARIO = "GET 1 KiB"


def said_of_nginx(results: Results) -> tuple[str, bool | None]:
    """Return what is said of the target that holds a GET against nginx."""
    [verdict] = [
        verdict
        for verdict in judge(results)
        if verdict.target.scenario == SCENARIO and verdict.target.against == "nginx"
    ]
    return verdict.measured, verdict.kept


@pytest.mark.parametrize(
    ("options", "shared", "has_library", "expected"),
    [
        pytest.param("'--enable-optimizations' '--with-lto'", False, False, True, id="says so"),
        pytest.param("'--enable-shared' '--enable-optimizations'", True, False, True, id="says so of either build"),
        pytest.param("'--enable-shared'", True, True, False, id="does not say so, and describes what runs"),
        pytest.param("", False, False, False, id="no options at all"),
        pytest.param("'--enable-shared'", True, False, None, id="describes the library, and the program has none"),
    ],
)
def test_an_interpreter_is_optimized(*, options: str, shared: bool, has_library: bool, expected: bool | None) -> None:
    """A Python is called unoptimized only where sysconfig describes the build that runs."""
    assert is_optimized(options, shared=shared, has_library=has_library) is expected


def test_an_interpreter_is_named() -> None:
    """The interpreter in a report is the one that was asked."""
    found = examine(Path(sys.executable))
    assert found.path == Path(sys.executable)
    assert found.said.startswith(f"CPython {sys.version.split()[0]}, ")


@pytest.mark.parametrize("path", ["/bin/false", "/no/such/python"])
def test_a_program_that_is_no_python_is_refused(path: str) -> None:
    """A mistake in --python is one sentence that names it."""
    with pytest.raises(Unusable, match=path):
        examine(Path(path))


def test_an_installation_is_made_again_when_the_code_changes(tmp_path: Path) -> None:
    """The digest follows what is installed: not what a build or a run leaves behind, nor prose."""
    package = tmp_path / "corsproxy"
    (package / "__pycache__").mkdir(parents=True)
    (package / "relay.py").write_text("1")
    (tmp_path / "requirements").mkdir()
    (tmp_path / "pyproject.toml").write_text("[project]")
    first = digest(tmp_path)
    for left in ("corsproxy/__pycache__/relay.pyc", "corsproxy/relay.so", "README.md"):
        (tmp_path / left).write_text("x")
    assert digest(tmp_path) == first
    seen = {first}
    changes = {"corsproxy/relay.py": "2", "corsproxy/page.html": "", "setup.py": "", "requirements/a.txt": ""}
    for name, text in changes.items():
        (tmp_path / name).write_text(text)
        seen.add(digest(tmp_path))
    (package / "relay.py").rename(package / "relays.py")
    seen.add(digest(tmp_path))
    assert len(seen) == 6


def test_an_environment_that_runs_the_tree_is_refused(tmp_path: Path) -> None:
    """What is measured is the installed package: an environment that has corsproxy from elsewhere is not used."""
    python = tmp_path / "bin/python"
    python.parent.mkdir()
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    with pytest.raises(CannotInstall, match=str(ROOT / "corsproxy")):
        find(tmp_path)


def test_programs_run_without_what_the_environment_would_change(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the tree on PYTHONPATH nor a setting of corsproxy's reaches what is measured."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("CORSPROXY_WORKERS", "4")
    monkeypatch.setenv("LANG", "C.UTF-8")
    environ = clean_environ()
    assert not {"PYTHONPATH", "CORSPROXY_WORKERS"} & set(environ)
    assert environ["LANG"] == "C.UTF-8"


def test_cpu_of_children_counts(tmp_path: Path) -> None:
    """What a program's children have used is part of what it has cost."""
    port = free_port()
    child = "import time\nwhile time.process_time() < 0.2: pass\nprint(flush=True)\ninput()"
    parent = (
        "import socket, subprocess, sys, time\n"
        f"child = subprocess.Popen([sys.executable, '-c', {child!r}], stdin=-1, stdout=-1)\n"
        "child.stdout.readline()\n"
        f"server = socket.create_server(('127.0.0.1', {port}))\n"
        "while True: server.accept()\n"
    )
    process = Process((sys.executable, "-c", parent), port, log=tmp_path / "log", core=None)
    try:
        assert process.cpu_seconds() >= 0.2
    finally:
        process.stop()


def test_a_target_is_judged_by_medians() -> None:
    """The minimum and the pure form are shown beside the deciding ratio, and do not decide."""
    results = Results()
    for mine, pure, other in ((30e-6, 50e-6, 10e-6), (20e-6, 60e-6, 10e-6), (90e-6, 70e-6, 8e-6)):
        results.add(SCENARIO, "corsproxy", cpu=mine)
        results.add(SCENARIO, "corsproxy, pure Python", cpu=pure)
        results.add(SCENARIO, "nginx", cpu=other)
    assert said_of_nginx(results) == ("3.00 (of the least 2.50, pure Python 6.00)", False)


def test_a_target_without_its_peer_is_not_judged() -> None:
    """What nothing was held against is neither met nor missed."""
    results = Results()
    results.add(SCENARIO, "corsproxy", cpu=30e-6)
    assert said_of_nginx(results) == ("", None)


def test_a_report_says_what_is_not_compiled() -> None:
    """If the compiled form could not be built, it has no figures."""
    results = Results()
    results.add(SCENARIO, "corsproxy", cpu=30e-6)
    python = "CPython 3.11.7, built without profile-guided optimization"
    for compiled, label in ((True, "  corsproxy  "), (False, "  corsproxy (not compiled)  ")):
        under = Circumstances(
            machine={}, python=python, optimized=False, compiled=compiled, versions={"corsproxy": "0.1.0"}
        )
        lines = as_text(results, under).splitlines()
        assert python in lines
        assert [line for line in lines if line.startswith(label)]


def test_figures_of_a_shared_core_are_named() -> None:
    """A proxy that could not use its core costs more for each request, and the report says so."""
    results = Results()
    results.add(SCENARIO, "corsproxy", cpu=30e-6, busy=0.4)
    results.add(SCENARIO, "nginx", cpu=10e-6, busy=0.98)
    results.add("start-up", "corsproxy serve", cpu_seconds=0.3)
    assert disturbed(results) == [f"{SCENARIO}: corsproxy 40%"]


def test_the_data_path_is_measured_without_the_tree_in_front(tmp_path: Path) -> None:
    """As a file the measurement takes the corsproxy that its Python has, wherever it is run."""
    command = (sys.executable, "-P", str(ROOT / "benchmarks/hot_path.py"), "--once", "1", "get")
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=clean_environ())
    assert (done.returncode, done.stderr) == (0, "")
