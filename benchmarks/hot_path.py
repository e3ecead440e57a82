"""The data path without sockets: CPU time per request through parser, relay, reader and writer, on fake transports.

    python -m benchmarks.hot_path [get|varied|post|preflight]
    python -m benchmarks.hot_path --instructions [get|varied|post|preflight]
    python -m benchmarks.hot_path --form compiled --python /usr/bin/python3.11
    ENVIRONMENT/bin/python benchmarks/hot_path.py

Prints microseconds per request, the best of five rounds: what the proxy itself costs, without the kernel.
With `--instructions` it counts instructions per request instead, under `valgrind --tool=callgrind`, which
no neighbour disturbs: a change of the code shows to a tenth of a per cent.

It measures the corsproxy that it imports, and says which: as a module the working tree, as a file the package that is
installed for the Python which runs it. With `--form` that is an installation of the tree made for benchmarks.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import importlib.machinery
import itertools
import os
import platform
import random
import re
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import uvloop

import corsproxy
from corsproxy.cors import OriginSpec, PolicySpec, compile_policy
from corsproxy.proxy import Proxy, compile_plan, relay
from corsproxy.proxy.upstream.connection import UpstreamConnection
from corsproxy.settings import PolicySettings, Route, Settings, Upstream

_BROWSER_FIELDS = (
    b"Host: api.example.com\r\n"
    b"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 "
    b"Safari/537.36\r\n"
    b"Accept: application/json\r\nAccept-Encoding: gzip, deflate, br\r\nAccept-Language: en-US,en;q=0.9\r\n"
    b"Origin: https://app.example.com\r\nReferer: https://app.example.com/orders\r\n"
    b"Sec-Fetch-Mode: cors\r\nSec-Fetch-Site: same-site\r\nSec-Fetch-Dest: empty\r\nCache-Control: no-cache\r\n"
)


def _varied(count: int) -> list[bytes]:
    """Return requests with different paths, User-Agents, cookies, tokens and traces from one to the next."""
    chosen = random.Random(7)
    agents = [_BROWSER_FIELDS.replace(b"130.0.0.0", b"%d.0.%d.0" % (90 + n % 50, n)) for n in range(200)]

    def digits(count: int) -> bytes:
        return b"%0*x" % (count, chosen.getrandbits(4 * count))

    return [
        b"GET /orders/%d?page=%d HTTP/1.1\r\n%bCookie: session=%b\r\nAuthorization: Bearer %b\r\n"
        b"traceparent: 00-%b-%b-01\r\n\r\n"
        % (
            chosen.randrange(10**9),
            chosen.randrange(100),
            chosen.choice(agents),
            digits(32),
            digits(64),
            digits(32),
            digits(16),
        )
        for _ in range(count)
    ]


REQUESTS = {
    "get": [b"GET /orders/7?page=2 HTTP/1.1\r\n" + _BROWSER_FIELDS + b"\r\n"],
    "varied": _varied(5000),
    "post": [
        b"POST /orders HTTP/1.1\r\n"
        + _BROWSER_FIELDS
        + b"Content-Type: application/json\r\nContent-Length: 1024\r\n\r\n"
        + b"x" * 1024
    ],
    "preflight": [
        b"OPTIONS /orders/7 HTTP/1.1\r\n"
        + _BROWSER_FIELDS
        + b"Access-Control-Request-Method: PUT\r\nAccess-Control-Request-Headers: content-type\r\n\r\n"
    ],
}

RESPONSE = (
    b"HTTP/1.1 200 OK\r\nServer: legacy/1.0\r\nDate: Sat, 21 Nov 2026 03:39:30 GMT\r\n"
    b"Content-Type: application/json\r\nContent-Length: 1024\r\nConnection: keep-alive\r\n\r\n" + b"y" * 1024
)


class _Transport(asyncio.Transport):
    """A transport that passes written bytes to a callback; its socket exists but never has data."""

    def __init__(self, on_write: Any) -> None:
        super().__init__()
        self._on_write = on_write
        self._closing = False
        self._sockets = socket.socketpair()

    def write(self, data: Any) -> None:
        self._on_write(data)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return {"peername": ("127.0.0.1", 40000), "socket": self._sockets[0]}.get(name, default)

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        self._closing = True
        for sock in self._sockets:
            sock.close()

    abort = close

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def get_write_buffer_size(self) -> int:
        return 0


def _ignore(_: object) -> None:
    """Ignore the value."""


async def measure(kind: str, count: int) -> float:
    """Send `count` requests one after another on one connection; return CPU seconds per request."""
    upstream = Upstream("legacy", "http", "127.0.0.1", 1)
    policy = compile_policy(
        PolicySpec(
            allow_origins=(OriginSpec("https://app.example.com"),),
            allow_methods=("GET", "PUT", "POST"),
            allow_headers=("Content-Type",),
        )
    )
    plan = compile_plan(Settings(routes=(Route("/", (), upstream, PolicySettings("app", policy)),)))
    proxy = Proxy(plan, [_ignore])
    loop = asyncio.get_running_loop()
    # The pool is given the one connection that it would have dialled.
    backend = UpstreamConnection(loop, _ignore)
    backend.connection_made(_Transport(lambda _: loop.call_soon(backend.data_received, RESPONSE)))
    backend.idle_since = float("inf")
    backend.busy = False
    plan.pools[0].connections.add(backend)
    plan.pools[0]._idle.append(backend)

    client: Any = proxy.protocol_factory()
    answered = asyncio.Event()
    client.connection_made(_Transport(lambda _: answered.set()))
    requests = itertools.cycle(REQUESTS[kind])
    for round_count in (200, count):
        start = time.process_time()
        for _ in range(round_count):
            answered.clear()
            client.data_received(next(requests))
            await answered.wait()
        spent = time.process_time() - start
    await proxy.close()
    return spent / count


def instructions(kind: str) -> float:
    """Return the instructions per request by callgrind, without those of the start; needs valgrind."""
    # The child has the package from where this process has it.
    environ = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": str(Path(corsproxy.__file__).parent.parent)}
    counts = []
    for requests in (1000, 3000):
        command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", sys.executable, "-P", __file__]
        done = subprocess.run(
            [*command, "--once", str(requests), kind], capture_output=True, text=True, check=False, env=environ
        )
        found = re.search(r"Collected : (\d+)", done.stderr)
        if found is None:
            sys.exit(f"callgrind: {done.stderr.strip().splitlines()[-1:]}")
        counts.append(int(found[1]))
    return (counts[1] - counts[0]) / 2000


def _run_installed(form: str, python: Path, arguments: list[str]) -> None:
    """Replace this process with the same program on an installation of the tree."""
    # Imported only here: run as a file, this module has neither the tree nor its neighbours.
    from benchmarks.installations import CannotInstall, install_both
    from benchmarks.interpreters import Unusable, examine
    from benchmarks.processes import clean_environ

    try:
        both = install_both(examine(python))
    except (CannotInstall, Unusable) as error:
        sys.exit(str(error))
    for gap in both.gaps:
        print(gap, file=sys.stderr)
    chosen = both.image if form == "compiled" else both.pure
    os.execve(chosen.python, [str(chosen.python), "-P", __file__, *arguments], clean_environ())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure CPU per request without sockets.")
    parser.add_argument("kinds", nargs="*", metavar="get|varied|post|preflight", help="default: all of them")
    parser.add_argument("--instructions", action="store_true", help="count instructions, with valgrind")
    parser.add_argument("--form", choices=("compiled", "pure"), help="an installation of the tree, not the tree itself")
    parser.add_argument("--python", type=Path, default=Path(sys.executable), help="the Python it is installed for")
    parser.add_argument("--once", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.kinds = options.kinds or list(REQUESTS)
    if unknown := set(options.kinds) - set(REQUESTS):
        parser.error(f"no kind of request: {', '.join(sorted(unknown))}")
    return options


def main() -> None:
    """Run from the command line."""
    options = _options()
    if options.form:
        _run_installed(options.form, options.python, ["--instructions"] * options.instructions + options.kinds)
    if options.once:
        gc.disable()
        uvloop.run(measure(options.kinds[0], options.once))
        return
    compiled = relay.__file__.endswith(tuple(importlib.machinery.EXTENSION_SUFFIXES))
    form = "compiled" if compiled else "pure Python"
    python = f"{platform.python_implementation()} {platform.python_version()}"
    print(f"corsproxy {corsproxy.__version__}, {form}, on {python}, from {Path(corsproxy.__file__).parent}")
    for kind in options.kinds:
        if options.instructions:
            print(f"{kind:10} {instructions(kind):8.0f} instructions per request, without the kernel")
            continue
        gc.freeze()
        best = min(uvloop.run(measure(kind, 20_000)) for _ in range(5))
        print(f"{kind:10} {best * 1e6:6.1f} µs of CPU per request, without the kernel")


if __name__ == "__main__":
    main()
