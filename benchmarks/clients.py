"""Clients for tasks that wrk lacks: read an answer, send long content, hold thousands of connections open."""

from __future__ import annotations

import socket
from collections.abc import Callable

from benchmarks.upstream import LARGE

_PIECE = 256 * 1024
"""Bytes sent or received at a time."""

_LOOK_EVERY = 4 * 1024 * 1024
"""Bytes between two measurements of the program's memory."""

_HANDSHAKE = (
    b"GET /socket HTTP/1.1\r\nHost: api.example.com\r\nOrigin: https://app.example.com\r\nConnection: Upgrade\r\n"
    b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)

_GET = b"GET /orders/7 HTTP/1.1\r\nHost: api.example.com\r\nOrigin: https://app.example.com\r\n\r\n"


def field_values(port: int, path: str, origin: str) -> dict[str, list[str]]:
    """Send one GET and return the values of each field of the answer, by its name in lower case."""
    head = b""
    with _connected(port) as client:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: api.example.com\r\nOrigin: {origin}\r\n\r\n".encode())
        while b"\r\n\r\n" not in head:
            head += _some(client)
    values: dict[str, list[str]] = {}
    for line in head.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]:
        name, _, value = line.partition(":")
        values.setdefault(name.lower(), []).append(value.strip())
    return values


def download(port: int, look: Callable[[], None]) -> None:
    """Read the large content, and call `look` now and then."""
    with _connected(port) as client:
        client.sendall(b"GET /large HTTP/1.1\r\nHost: api.example.com\r\nOrigin: https://app.example.com\r\n\r\n")
        buffer = bytearray(_PIECE)
        received = next_look = 0
        while received < LARGE:
            size = client.recv_into(buffer)
            if not size:
                raise ConnectionError("the download was cut")
            received += size
            if received >= next_look:
                next_look += _LOOK_EVERY
                look()


def upload(port: int, look: Callable[[], None]) -> None:
    """Send content of that size, and call `look` now and then."""
    with _connected(port) as client:
        client.sendall(
            b"POST /upload HTTP/1.1\r\nHost: api.example.com\r\nOrigin: https://app.example.com\r\n"
            b"Content-Length: %d\r\n\r\n" % LARGE
        )
        piece = b"z" * _PIECE
        for sent in range(0, LARGE, _PIECE):
            client.sendall(piece)
            if sent % _LOOK_EVERY == 0:
                look()
        _read_small_answer(client)


def open_idle(port: int, count: int) -> list[socket.socket]:
    """Open connections, make one request on each, and return them open."""
    kept = []
    for _ in range(count):
        client = _connected(port)
        kept.append(client)
        client.sendall(_GET)
        _read_small_answer(client)
    return kept


def open_tunnels(port: int, count: int) -> list[socket.socket]:
    """Open WebSocket tunnels, echo one frame through each, and return them open."""
    kept = []
    for _ in range(count):
        client = _connected(port)
        kept.append(client)
        client.sendall(_HANDSHAKE)
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            answer += _some(client)
        if b" 101 " not in answer[:20]:
            raise ConnectionError("no tunnel was opened")
        client.sendall(b"\x81\x84abcd" + bytes(4))
        received = 0
        while received < 10:
            received += len(_some(client))
    return kept


def _connected(port: int) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port), timeout=60)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client


def _read_small_answer(client: socket.socket) -> None:
    answer = b""
    while b"\r\n\r\n" not in answer or answer.count(b"y", answer.index(b"\r\n\r\n")) < 1024:
        answer += _some(client)


def _some(client: socket.socket) -> bytes:
    received = client.recv(65536)
    if not received:
        raise ConnectionError("the connection was closed")
    return received
