"""A soak: steady mixed traffic with reloads, while memory and descriptors are watched.

    python -m benchmarks.soak [SECONDS] [REQUESTS_A_SECOND]

Ten minutes at 100 requests a second by default: GET, POST, preflights granted and refused, downloads that the client
gives up, and a reload between two policies every five seconds.
Prints resident memory, descriptors and failures twice a minute, and exits 1 where a request failed, a descriptor was
left over, or memory grew by more than a tenth after the first quarter.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from benchmarks.processes import Process, free_port

_ORIGIN = "https://app.example.com"

_FILE = """
upstreams: {legacy: "http://127.0.0.1:@UPSTREAM@"}
policies:
  app: {allow_origins: ["https://app.example.com"], allow_methods: [GET, PUT], max_age: @MAX_AGE@s}
routes: [{path: /, upstream: legacy, policy: app}]
log: {access: false, level: warning}
"""

_RELOAD_EVERY = 5.0
_SAMPLE_EVERY = 30.0
_WARM_UP = 0.25
"""The part of the run after which memory should be stable."""


@dataclass
class Tally:
    """The observations of the run so far."""

    sent: int = 0
    reloads: int = 0
    failures: list[str] = field(default_factory=list)
    samples: list[tuple[float, int, int]] = field(default_factory=list)
    """Seconds since the start, resident KiB, open descriptors."""


async def _request(session: aiohttp.ClientSession, url: str, number: int, tally: Tally) -> None:
    """Send one request of the mix; the mix repeats every ten."""
    kind = number % 10
    fields = {"Origin": _ORIGIN if kind != 7 else "https://evil.example"}
    tally.sent += 1
    if kind in {6, 7}:
        fields["Access-Control-Request-Method"] = "PUT"
        async with session.options(f"{url}/orders/{number}", headers=fields) as response:
            wrong = response.status != (204 if kind == 6 else 403)
    elif kind == 8:
        async with session.post(f"{url}/orders", data=b"x" * 4096, headers=fields) as response:
            wrong = response.status != 200 or not await response.read()
    elif kind == 9 and number % 100 == 9:
        async with session.get(f"{url}/large", headers=fields) as response:
            wrong = len(await response.content.read(65536)) == 0
            response.close()  # the client walks away in the middle
    else:
        async with session.get(f"{url}/orders/{number}", headers=fields) as response:
            body = await response.read()
            wrong = len(body) != 1024 or response.headers.get("Access-Control-Allow-Origin") != _ORIGIN
    if wrong:
        tally.failures.append(f"request {number} (kind {kind}): status {response.status}")


async def _traffic(url: str, seconds: float, rate: int, tally: Tally) -> None:
    tasks: set[asyncio.Task[None]] = set()
    start = time.monotonic()

    def done(task: asyncio.Task[None]) -> None:
        tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            tally.failures.append(repr(error))

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=64)) as session:
        for number in itertools.count():
            due = start + number / rate
            if due - start >= seconds:
                break
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            task = asyncio.create_task(_request(session, url, number, tally))
            tasks.add(task)
            task.add_done_callback(done)
        await asyncio.gather(*tasks, return_exceptions=True)


async def _reloads(write: Callable[[int], None], pid: int, tally: Tally) -> None:
    for max_age in itertools.cycle((60, 600)):
        await asyncio.sleep(_RELOAD_EVERY)
        write(max_age)
        os.kill(pid, signal.SIGHUP)
        tally.reloads += 1


async def _watch(pid: int, start: float, tally: Tally) -> None:
    while True:
        tally.samples.append(_sample(pid, start))
        seconds, resident, descriptors = tally.samples[-1]
        print(
            f"{seconds:6.0f} s  {tally.sent:8} requests  {tally.reloads:4} reloads  {len(tally.failures):3} failures  "
            f"{resident:7} KiB resident  {descriptors:4} descriptors",
            flush=True,
        )
        await asyncio.sleep(_SAMPLE_EVERY)


def _sample(pid: int, start: float) -> tuple[float, int, int]:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    resident = int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))
    return time.monotonic() - start, resident, len(os.listdir(f"/proc/{pid}/fd"))


async def soak(seconds: float, rate: int) -> int:
    """Run the soak; return the exit status."""
    with tempfile.TemporaryDirectory(prefix="corsproxy-soak-") as home:
        directory = Path(home)
        file, port, upstream_port = directory / "corsproxy.yaml", free_port(), free_port()

        def write(max_age: int) -> None:
            text = _FILE.replace("@UPSTREAM@", str(upstream_port)).replace("@MAX_AGE@", str(max_age))
            file.write_text(text, encoding="utf-8")

        write(600)
        python = sys.executable
        upstream = Process(
            [python, "-m", "benchmarks.upstream", str(upstream_port)],
            upstream_port,
            log=directory / "upstream.log",
            core=None,
        )
        command = [python, "-m", "corsproxy", "serve", "-c", str(file), "--listen", f"127.0.0.1:{port}"]
        proxy = Process(command, port, log=directory / "proxy.log", core=None)
        tally, start = Tally(), time.monotonic()
        try:
            chores = [
                asyncio.create_task(_reloads(write, proxy.pid, tally)),
                asyncio.create_task(_watch(proxy.pid, start, tally)),
            ]
            await _traffic(f"http://127.0.0.1:{port}", seconds, rate, tally)
            for chore in chores:
                chore.cancel()
            await asyncio.sleep(6)  # longer than idle connections to the upstream are kept
            tally.samples.append(_sample(proxy.pid, start))
        finally:
            proxy.stop()
            upstream.stop()
        said = (directory / "proxy.log").read_text(errors="replace")
    return _verdict(tally, seconds, said)


def _verdict(tally: Tally, seconds: float, said: str) -> int:
    first = tally.samples[0]
    level = next(sample for sample in tally.samples if sample[0] >= seconds * _WARM_UP)
    last = tally.samples[-1]
    faults = [*tally.failures[:10]]
    if "Traceback" in said:
        faults.append("a traceback on stderr:\n" + said)
    if last[2] > first[2] + 4:
        faults.append(f"descriptors: {first[2]} at the start, {last[2]} at the end")
    if last[1] > level[1] * 1.1:
        faults.append(f"memory: {level[1]} KiB after the warm-up, {last[1]} KiB at the end")
    print(
        f"\n{tally.sent} requests, {tally.reloads} reloads, {len(tally.failures)} failures; "
        f"resident {first[1]} KiB at the start, {level[1]} KiB after {level[0]:.0f} s, {last[1]} KiB at the end; "
        f"descriptors {first[2]}, then {last[2]}"
    )
    for fault in faults:
        print(f"fault: {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    given = [float(word) for word in sys.argv[1:3]]
    sys.exit(asyncio.run(soak(given[0] if given else 600.0, int(given[1]) if len(given) > 1 else 100)))
