"""Where the program begins: the command line, and before it the one command that has no time to load it.

A container's health check runs every few seconds, on a machine that may be short of CPU just then. Where the admin
listener's address is named outright, by `--admin` or CORSPROXY_ADMIN, nothing but a socket is needed to ask it.
Everything else, and whatever is not understood here, is the command line's.
"""

from __future__ import annotations

import gc
import os
import re
import sys
from collections.abc import Mapping, Sequence

from corsproxy.health import LOOPBACK_OF, TIMEOUT

_ADDRESS = re.compile(r"(?:(?P<host>[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):)?(?P<port>[0-9]{1,5})")


def main() -> None:
    """Run the command line, or the quick health check."""
    address = quick_address(sys.argv[1:], os.environ)
    if address is not None:
        status = quick_healthcheck(address)
        if status is not None:
            sys.exit(status)
    if sys.argv[1:2] == ["serve"]:
        hear_stops()
        gc.disable()  # until everything is loaded: see corsproxy/server/runtime.py
    from corsproxy.cli import main as command_line

    command_line()


def hear_stops() -> None:
    """Have a stop end the program with status 0 while it is still loading.

    As process 1 of a container it would not hear it otherwise.
    The server's own handlers take over once it is there.
    """
    import signal

    def on_stop(_number: int, _frame: object) -> None:
        sys.exit(0)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_stop)


def quick_address(args: Sequence[str], environ: Mapping[str, str]) -> tuple[str, int] | None:
    """Return host and port of the admin listener that a health check is to ask; None if that is unclear."""
    if args[:1] != ["healthcheck"]:
        return None
    named = environ.get("CORSPROXY_ADMIN", "").strip()
    match args[1:]:
        case []:
            pass
        case ["--admin", named]:
            pass
        case [one] if one.startswith("--admin="):
            named = one.removeprefix("--admin=")
        case _:
            return None
    found = _ADDRESS.fullmatch(named)
    if found is None or not 0 < int(found["port"]) < 65536:
        return None
    host = (found["host"] or "127.0.0.1").strip("[]")
    return LOOPBACK_OF.get(host, host), int(found["port"])


def quick_healthcheck(address: tuple[str, int]) -> int | None:
    """Return 0 if /healthz answers 200 and 1 if it answers too late; None if the command line has to answer."""
    import socket

    try:
        with socket.create_connection(address, TIMEOUT) as sock:
            sock.settimeout(TIMEOUT)
            sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            answer = b""
            while b"\r\n" not in answer and len(answer) < 1000:
                piece = sock.recv(1000)
                if not piece:
                    return None
                answer += piece
    except TimeoutError:
        host = f"[{address[0]}]" if ":" in address[0] else address[0]
        print(f"unhealthy: {host}:{address[1]}: timed out", file=sys.stderr)
        return 1
    except OSError:
        return None
    return 0 if answer.startswith(b"HTTP/1.1 200 ") else None
