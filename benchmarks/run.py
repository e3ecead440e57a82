"""The whole comparison, from the command line: `python -m benchmarks --help`."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from benchmarks.peers import CACHE, HERE, PEERS, install
from benchmarks.processes import CannotStart, Process, free_port
from benchmarks.report import as_json, as_svg, as_text, machine
from benchmarks.results import Results, disturbed
from benchmarks.scenarios import SCENARIOS, Bench


def main() -> None:
    """Measure, print the table, write JSON and the picture."""
    options = _options()
    results = Results()
    for text in install():
        results.gap(text)
    if options.client_core is not None:
        os.sched_setaffinity(0, {options.client_core})  # the clients that run in this process
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        _measure(options, results, Path(folder))
    if found := disturbed(results):
        results.gap(
            "waited for clients or shared the core with other work, which makes a request dearer, for some more than "
            f"for others; what they had of the core: {'; '.join(found)}"
        )
    measured = {subject for _, subject in results.samples}
    versions = {peer.name: peer.version() for peer in PEERS if peer.name in measured}
    on = machine()
    print(as_text(results, versions, on), end="")
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "results.json").write_text(as_json(results, versions, on))
    (options.output / "results.svg").write_text(as_svg(results))
    print(f"\nwritten: {options.output / 'results.json'}, {options.output / 'results.svg'}", file=sys.stderr)


def _measure(options: argparse.Namespace, results: Results, folder: Path) -> None:
    port = free_port()
    command = (sys.executable, "-m", "benchmarks.upstream", str(port))
    environ = {"PYTHONPATH": str(HERE.parent)}
    try:
        upstream = Process(command, port, log=folder / "upstream.log", core=options.client_core, environ=environ)
    except CannotStart as error:
        sys.exit(f"the upstream does not start: {error}")
    try:
        bench = Bench(
            upstream=port,
            results=results,
            folder=folder,
            rounds=options.rounds,
            seconds=options.seconds,
            connections=options.connections,
            proxy_core=options.proxy_core,
            client_core=options.client_core,
            only=frozenset(options.peer),
        )
        for name in options.scenario or SCENARIOS:
            print(f"measuring: {name}", file=sys.stderr)
            SCENARIOS[name](bench)
    finally:
        upstream.stop()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure corsproxy beside its peers.")
    parser.add_argument("--scenario", action="append", default=[], choices=SCENARIOS, help="only this one; repeatable")
    names = [peer.name for peer in PEERS]
    parser.add_argument("--peer", action="append", default=[], choices=names, help="only this one; repeatable")
    parser.add_argument("--rounds", type=int, default=5, help="alternating rounds (default 5)")
    parser.add_argument("--seconds", type=int, default=2, help="seconds of load in a round (default 2)")
    parser.add_argument("--connections", type=int, default=32, help="clients at once (default 32)")
    cores = sorted(os.sched_getaffinity(0))
    pinned = len(cores) > 1
    parser.add_argument(
        "--proxy-core", type=int, default=cores[0] if pinned else None, help="CPU for the proxy (default: the first)"
    )
    parser.add_argument(
        "--client-core",
        type=int,
        default=cores[-1] if pinned else None,
        help="CPU for the clients and the upstream (default: the last)",
    )
    parser.add_argument(
        "--output", type=Path, default=CACHE / "results", help="folder for results.json and results.svg"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
