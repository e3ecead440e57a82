"""What the benchmarks say of a run, and that they measure what they say; nothing is measured here."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.processes import Process, free_port
from benchmarks.results import Results, disturbed
from benchmarks.targets import judge

SCENARIO = "GET 1 KiB"


def said_of_nginx(results: Results) -> tuple[str, bool | None]:
    """Return what is said of the target that holds a GET against nginx."""
    [verdict] = [
        verdict
        for verdict in judge(results)
        if verdict.target.scenario == SCENARIO and verdict.target.against == "nginx"
    ]
    return verdict.measured, verdict.kept


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
    """The least stands beside the ratio that decides, and does not decide."""
    results = Results()
    for mine, other in ((30e-6, 10e-6), (20e-6, 10e-6), (90e-6, 8e-6)):
        results.add(SCENARIO, "corsproxy", cpu=mine)
        results.add(SCENARIO, "nginx", cpu=other)
    assert said_of_nginx(results) == ("3.00 (of the least 2.50)", False)


def test_a_target_without_its_peer_is_not_judged() -> None:
    """What nothing was held against is neither met nor missed."""
    results = Results()
    results.add(SCENARIO, "corsproxy", cpu=30e-6)
    assert said_of_nginx(results) == ("", None)


def test_figures_of_a_shared_core_are_named() -> None:
    """A proxy that could not use its core costs more for each request, and the report says so."""
    results = Results()
    results.add(SCENARIO, "corsproxy", cpu=30e-6, busy=0.4)
    results.add(SCENARIO, "nginx", cpu=10e-6, busy=0.98)
    results.add("start-up", "corsproxy serve", cpu_seconds=0.3)
    assert disturbed(results) == [f"{SCENARIO}: corsproxy 40%"]
