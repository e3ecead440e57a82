"""What the tests of the process share: a configuration around an upstream, and a client that shows the whole answer."""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.support.process import DEADLINE
from tests.support.upstream import Upstream

APP = "https://app.example.com"
OTHER = "https://other.example.com"


def config(upstream: Upstream | str, extra: str = "", policy: str = f"allow_origins: [{APP}]") -> str:
    """Write a configuration with one route for everything and one policy; `extra` is further top-level YAML."""
    url = upstream if isinstance(upstream, str) else upstream.url
    return (
        f"upstreams: {{api: '{url}'}}\n"
        f"policies: {{app: {{{policy}}}}}\n"
        "routes: [{path: /, upstream: api, policy: app}]\n"
        f"{extra}\n"
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """A response as the client saw it; field names in lower case."""

    status: int
    fields: dict[str, str]
    body: bytes

    @property
    def cors(self) -> dict[str, str]:
        """The CORS fields and Vary, and nothing else."""
        return {
            name: value for name, value in self.fields.items() if name.startswith("access-control-") or name == "vary"
        }


def ask(
    address: tuple[str, int], path: str = "/", method: str = "GET", body: bytes | None = None, **fields: str
) -> Answer:
    """Make one request on a connection of its own; `_` in a field's name stands for `-`."""
    with contextlib.closing(http.client.HTTPConnection(*address, timeout=DEADLINE)) as connection:
        return ask_on(connection, path, method, body, **fields)


def ask_on(
    connection: http.client.HTTPConnection,
    path: str = "/",
    method: str = "GET",
    body: bytes | None = None,
    **fields: str,
) -> Answer:
    """Make one request on a connection that stays open."""
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in fields.items()})
    response = connection.getresponse()
    return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())


def connect(address: tuple[str, int]) -> socket.socket:
    """Open a connection for raw bytes."""
    return socket.create_connection(address, timeout=DEADLINE)


def receive_until(sock: socket.socket, end: bytes) -> bytes:
    """Read up to `end`, and whatever came with it; fails if the connection ends first."""
    received = b""
    while end not in received:
        data = sock.recv(65536)
        assert data, f"the connection ended after {received!r}"
        received += data
    return received


def receive_all(sock: socket.socket) -> bytes:
    """Read to the end of the connection, a reset counting as one."""
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while data := sock.recv(65536):
            received += data
    return received


def until(condition: Callable[[], bool], what: str) -> None:
    """Poll for a condition that has no event."""
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, f"never happened: {what}"
        time.sleep(0.01)


def children(pid: int) -> list[int]:
    """List the processes that `pid` has started and that live."""
    try:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    except FileNotFoundError:
        return []
    return [int(child) for child in found.split() if is_alive(int(child))]


def is_alive(pid: int) -> bool:
    """Return whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def descriptors(pid: int) -> int:
    """Count the open descriptors of a process."""
    return len(os.listdir(f"/proc/{pid}/fd"))
