"""The whole comparison, from the command line: `python -m benchmarks --help`."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from benchmarks.installations import CannotInstall, Installations, install_both
from benchmarks.interpreters import Interpreter, Unusable, examine
from benchmarks.peers import CACHE, CORSPROXY, HERE, NAMES, Peer, fetch_others, peers_with
from benchmarks.processes import CannotStart, Process, free_port
from benchmarks.report import Circumstances, as_json, as_svg, as_text, machine
from benchmarks.results import Results, disturbed
from benchmarks.scenarios import SCENARIOS, Bench


def main() -> None:
    """Measure, print the table, write JSON and the picture."""
    options = _options()
    results = Results()
    interpreter, installations = _installed(options.python)
    for text in (*fetch_others(), *installations.gaps):
        results.gap(text)
    peers = peers_with(installations)
    if options.client_core is not None:
        os.sched_setaffinity(0, {options.client_core})  # the clients that run in this process
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        _measure(options, results, Path(folder), peers, installations)
    _note_circumstances(results, interpreter)
    measured = {subject for _, subject in results.samples}
    under = Circumstances(
        machine=machine(),
        python=interpreter.said,
        optimized=interpreter.optimized,
        compiled=installations.image.compiled,
        versions={peer.name: peer.version() for peer in peers if peer.name in {CORSPROXY, *measured}},
    )
    print(as_text(results, under), end="")
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "results.json").write_text(as_json(results, under))
    (options.output / "results.svg").write_text(as_svg(results, under))
    print(f"\nwritten: {options.output / 'results.json'}, {options.output / 'results.svg'}", file=sys.stderr)


def _installed(python: Path) -> tuple[Interpreter, Installations]:
    """Install corsproxy for the interpreter, or exit with the reason."""
    try:
        interpreter = examine(python)
        print(f"installing corsproxy, unless it is there: {interpreter.said}", file=sys.stderr)
        return interpreter, install_both(interpreter)
    except Unusable as error:
        sys.exit(str(error))
    except CannotInstall as error:
        sys.exit(f"corsproxy cannot be installed for {python}: {error}")


def _note_circumstances(results: Results, interpreter: Interpreter) -> None:
    """Return warnings about conditions that distort the figures."""
    if interpreter.optimized is False:
        results.gap(
            "corsproxy ran on a Python built without profile-guided optimization: "
            "on one built with it, its figures are about a fifth better (--python names another)"
        )
    if found := disturbed(results):
        results.gap(
            "waited for clients or shared the core with other work, which makes a request dearer, for some more than "
            f"for others; what they had of the core: {'; '.join(found)}"
        )


def _measure(
    options: argparse.Namespace, results: Results, folder: Path, peers: tuple[Peer, ...], installations: Installations
) -> None:
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
            corsproxy=peers[0],
            installation=installations.image,
            peers=tuple(peer for peer in peers if not options.peer or peer.name in options.peer),
        )
        for name in options.scenario or SCENARIOS:
            print(f"measuring: {name}", file=sys.stderr)
            SCENARIOS[name](bench)
    finally:
        upstream.stop()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure corsproxy beside its peers.")
    parser.add_argument("--scenario", action="append", default=[], choices=SCENARIOS, help="only this one; repeatable")
    parser.add_argument("--peer", action="append", default=[], choices=NAMES, help="only this one; repeatable")
    parser.add_argument(
        "--python",
        type=Path,
        default=Path(sys.executable),
        metavar="PATH",
        help="the Python that corsproxy is installed for and measured on (default: the one that runs this)",
    )
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
