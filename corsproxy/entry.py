"""The entry point: the command line, and a quick health check that does not load it.

A container runs its health check every few seconds, on a machine that may be short of CPU just then.
If `--admin` or CORSPROXY_ADMIN names the admin listener's address, a socket is enough to ask it.
The command line handles everything else, and whatever is not understood here.
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
        exit_on_stop_signals()
        gc.disable()  # until everything is loaded: see corsproxy/server/runtime.py
    from corsproxy.cli import main as command_line

    command_line()


def exit_on_stop_signals() -> None:
    """Exit with status 0 on SIGTERM or SIGINT while the program is still loading.

    Process 1 of a container ignores a signal without a handler (pid_namespaces(7)).
    The server later replaces these handlers with its own.
    """
    import signal

    def on_stop(_number: int, _frame: object) -> None:
        sys.exit(0)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_stop)


def quick_address(args: Sequence[str], environ: Mapping[str, str]) -> tuple[str, int] | None:
    """Return the host and port of the admin listener to check; None if the command line must find them."""
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
    """Return 0 if /healthz answers 200 and 1 after a time-out; None if the command line must find the reason."""
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
