"""The measurements, one function for each kind; `SCENARIOS` is the list.

Rounds alternate between the subjects, so that other load on the machine affects all of them alike.
"""

from __future__ import annotations

import resource
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from benchmarks import variants
from benchmarks.clients import download, field_values, open_idle, open_tunnels, upload
from benchmarks.installations import Installation
from benchmarks.load import LoadFailed, apply_load
from benchmarks.peers import SERVERS, Peer, start
from benchmarks.processes import CannotStart, Process, clean_environ, pin
from benchmarks.results import Results
from benchmarks.traffic import ADVERSARIAL, GET, NESTED, ORIGIN, POST, PREFLIGHT, VARIED, Request
from benchmarks.upstream import LARGE

MIB = 1024 * 1024

_WARM_UP_ROUNDS = 3
"""Unmeasured rounds of one second of each kind, while Node still compiles and Caddy's heap still grows."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Bench:
    """The surroundings of all measurements."""

    upstream: int
    """The upstream's port."""
    results: Results
    folder: Path
    """A folder for the programs' files."""
    rounds: int
    seconds: int
    """Seconds of load in each round."""
    connections: int
    """Concurrent connections of clients."""
    proxy_core: int | None
    client_core: int | None
    corsproxy: Peer
    """The peer for scenarios without a comparison."""
    installation: Installation
    """The installation of that peer."""
    peers: tuple[Peer, ...]
    """The peers to compare."""

    def path(self, peer: Peer, request: Request) -> str:
        """Return the path of a request as clients of this peer send it."""
        return peer.path_prefix.replace("@UPSTREAM@", str(self.upstream)) + request.path

    @contextmanager
    def running(self, peer: Peer, configuration: str | None = None, label: str = "") -> Iterator[Process | None]:
        """Run a peer, or yield None and record that it does not start."""
        try:
            process = start(
                peer,
                upstream=self.upstream,
                core=self.proxy_core,
                folder=self.folder,
                configuration=configuration,
                label=label,
            )
        except CannotStart as error:
            self.results.gap(f"{peer.name} was not measured: {error}")
            yield None
            return
        try:
            yield process
        finally:
            process.stop()

    def load(self, scenario: str, subject: str, process: Process, request: Request, *, warm_up: bool = False) -> None:
        """Put load on a process for a round, and record its cost."""
        try:
            load = apply_load(
                process,
                request,
                seconds=1 if warm_up else self.seconds,
                connections=self.connections,
                core=self.client_core,
                folder=self.folder,
            )
        except LoadFailed as error:
            self.results.gap(f"{scenario}, {subject}: {error}")
            return
        if not warm_up:
            self.results.add(
                scenario,
                subject,
                cpu=load.cpu_per_request,
                rate=load.per_second,
                p50=load.p50,
                p99=load.p99,
                busy=load.busy,
            )


def requests(bench: Bench) -> None:
    """Measure proxied GET and POST of 1 KiB, GETs that never repeat, and preflights, for every peer."""
    kinds = {"GET 1 KiB": GET, "varied GET": VARIED, "POST 1 KiB": POST, "preflight": PREFLIGHT}
    with ExitStack() as stack:
        running = [(peer, stack.enter_context(bench.running(peer))) for peer in bench.peers]
        for peer, process in running:
            if process is not None:
                _note_what_is_left_undone(bench, peer, process)
        for round_number in range(-_WARM_UP_ROUNDS, bench.rounds):
            for scenario, request in kinds.items():
                for peer, process in _turned(running, round_number):
                    if process is not None:
                        sent = replace(request, path=bench.path(peer, request))
                        bench.load(scenario, peer.name, process, sent, warm_up=round_number < 0)
        for peer, process in running:
            if process is not None:
                bench.results.add("memory after load", peer.name, memory=process.resident_bytes())


def _note_what_is_left_undone(bench: Bench, peer: Peer, process: Process) -> None:
    """Record a peer that does not do the same work: remove the upstream's grant, add its own and Vary."""
    undone: dict[str, None] = {}
    for origin, granted in ((ORIGIN, [ORIGIN]), (f"{ORIGIN}.evil.example", [])):
        try:
            values = field_values(process.port, bench.path(peer, GET), origin)
        except OSError as error:
            undone[f"{origin}: {error}"] = None
            continue
        if (said := values.get("access-control-allow-origin", [])) != granted:
            undone[f"{origin} is granted {', '.join(said) or 'nothing'}"] = None
        if "origin" not in ", ".join(values.get("vary", [])).lower():
            undone["no Vary: Origin"] = None
    if undone:
        bench.results.gap(f"{peer.name} does less than the others: {'; '.join(undone)}")


def _turned(subjects: Sequence[T], round_number: int) -> Sequence[T]:
    """Return the subjects in another order for each round, so that none always follows the same one."""
    first = max(round_number, 0) % len(subjects) if subjects else 0
    return [*subjects[first:], *subjects[:first]]


def access_log(bench: Bench) -> None:
    """Measure the same GET with the JSON access log on and off; the log goes to a file."""
    _alternate(bench, "access log", {"off": (None, GET), "JSON": (variants.json_log(), GET)})


def at_a_host(number: int | str) -> Request:
    """Return a request for a host under one of the domains of `variants.methods_and_hosts`."""
    return replace(GET, path="/orders/{m}", fields={**GET.fields, "Host": f"n{{n}}.site{number}.example.com"})


def scaling(bench: Bench) -> None:
    """Measure the same request under small and large configurations; origins and paths change with every request."""
    _alternate(
        bench,
        "configuration",
        {
            "1 exact origin": (None, GET),
            "10,000 exact origins": (
                variants.exact_origins(10_000),
                replace(GET.from_origin("https://app{m}.example.com"), cycle=10_000),
            ),
            "100,000 origins from a file": (
                variants.origins_from_file(100_000),
                replace(GET.from_origin("https://app{m}.example.com"), cycle=100_000),
            ),
            "1 policy": (
                variants.policies(1),
                replace(GET.from_origin("https://app0.example.com"), path="/r0/orders/{m}"),
            ),
            "1,000 policies": (
                variants.policies(1000),
                replace(GET.from_origin("https://app{m}.example.com"), path="/r{m}/orders/{m}"),
            ),
            "1 route with methods and hosts": (variants.methods_and_hosts(1), at_a_host(0)),
            "1,000 routes with methods and hosts": (variants.methods_and_hosts(1000), at_a_host("{m}")),
            "1 pattern": (variants.patterns(1), GET.from_origin("https://n{n}.site0.example.com")),
            "1,000 patterns": (variants.patterns(1000), GET.from_origin("https://n{n}.site{m}.example.com")),
            "1 route": (variants.routes(1), replace(GET, path="/r0/orders/{m}")),
            "1,000 routes": (variants.routes(1000), replace(GET, path="/r{m}/orders/{m}")),
        },
    )


def adversarial(bench: Bench) -> None:
    """Measure requests at the header limit beside normal ones; paths also with nested routes."""
    kinds = {"normal GET": GET, "normal preflight": PREFLIGHT, **ADVERSARIAL}
    nested = variants.nested_routes()
    cases: dict[str, tuple[str | None, Request]] = {subject: (None, request) for subject, request in kinds.items()}
    cases |= {f"{subject}{NESTED}": (nested, kinds[subject]) for subject in kinds if subject.startswith("path")}
    _alternate(bench, "adversarial", cases)


def _alternate(bench: Bench, scenario: str, cases: Mapping[str, tuple[str | None, Request]]) -> None:
    """Measure corsproxy under each configuration with its request, in alternating rounds."""
    with ExitStack() as stack:
        # One process for each configuration, whichever cases share it.
        running = {
            configuration: stack.enter_context(bench.running(bench.corsproxy, configuration, f"{scenario} {number}"))
            for number, configuration in enumerate(dict.fromkeys(configuration for configuration, _ in cases.values()))
        }
        for round_number in range(-1, bench.rounds):
            for name, (configuration, request) in _turned(list(cases.items()), round_number):
                process = running[configuration]
                if process is not None:
                    bench.load(scenario, name, process, request, warm_up=round_number < 0)


def transfers(bench: Bench) -> None:
    """Measure 100 MiB each way: CPU per MiB, and the growth of memory since before the first transfer."""
    kinds = {"download 100 MiB": download, "upload 100 MiB": upload}
    with ExitStack() as stack:
        running = [
            (peer, process)
            for peer in bench.peers
            if peer.name in SERVERS and (process := stack.enter_context(bench.running(peer))) is not None
        ]
        for _, process in running:
            open_idle(process.port, 1)[0].close()
        before = {peer.name: process.resident_bytes() for peer, process in running}
        for round_number in range(-1, bench.rounds):
            for scenario, transfer in kinds.items():
                for peer, process in _turned(running, round_number):
                    try:
                        used, highest = _transfer(process, transfer)
                    except OSError as error:
                        bench.results.gap(f"{scenario}, {peer.name}: {error}")
                        continue
                    # The first warms up; what memory it takes counts all the same.
                    bench.results.add(scenario, peer.name, growth=highest - before[peer.name])
                    if round_number >= 0:
                        bench.results.add(scenario, peer.name, cpu_per_mib=used / LARGE * MIB)


def _transfer(process: Process, transfer: Callable[[int, Callable[[], None]], None]) -> tuple[float, int]:
    """Return the CPU seconds of a transfer, and the most memory during it; raises OSError."""
    highest = 0

    def look() -> None:
        nonlocal highest
        highest = max(highest, process.resident_bytes())

    used = process.cpu_seconds()
    transfer(process.port, look)
    return process.cpu_seconds() - used, highest


def idle(bench: Bench) -> None:
    """Measure the memory of idle connections, after one request or one frame on each."""
    for scenario, count, opener in (
        ("idle connections (10,000)", 10_000, open_idle),
        ("idle WebSocket tunnels (2,000)", 2000, open_tunnels),
    ):
        for peer in bench.peers:
            if peer.name not in SERVERS:
                continue
            with bench.running(peer) as process:
                if process is None:
                    continue
                kept = []
                try:
                    kept += opener(process.port, 100)
                    before = process.resident_bytes()
                    kept += opener(process.port, count)
                    bench.results.add(scenario, peer.name, each=(process.resident_bytes() - before) / count)
                except OSError as error:
                    bench.results.gap(f"{scenario}, {peer.name}: {error}")
                finally:
                    for client in kept:
                        client.close()


def start_up(bench: Bench) -> None:
    """Measure CPU until `corsproxy --version` has printed, and until `serve` accepts."""
    commands = {
        "python -c pass": (str(bench.installation.python), "-c", "pass"),
        "corsproxy --version": (str(bench.installation.program), "--version"),
    }
    for round_number in range(-1, max(5, bench.rounds)):
        for subject, command in commands.items():
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run((*pin(bench.proxy_core), *command), check=True, capture_output=True, env=clean_environ())
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            if round_number >= 0:
                bench.results.add("start-up", subject, cpu_seconds=used)
        with bench.running(bench.corsproxy, label="start-up") as process:
            if process is not None and round_number >= 0:
                time.sleep(0.2)  # what it does once it accepts belongs to starting too
                bench.results.add("start-up", "corsproxy serve", cpu_seconds=process.cpu_seconds())


SCENARIOS: dict[str, Callable[[Bench], None]] = {
    "requests": requests,
    "log": access_log,
    "transfers": transfers,
    "idle": idle,
    "scaling": scaling,
    "adversarial": adversarial,
    "start": start_up,
}
"""The measurements, by their names on the command line."""
