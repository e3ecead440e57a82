"""What the acceptance tests share: one raw request on a connection of its own, and what of the answer counts.

Knows HTTP on the wire, and nothing of corsproxy.
"""

from __future__ import annotations

import contextlib
import socket
from dataclasses import dataclass

from tests.support.process import DEADLINE

APP = b"Origin: https://app.example.com"
OTHER = b"Origin: https://other.example.com"


@dataclass(frozen=True, slots=True)
class Answer:
    """The bytes that came back, in their parts."""

    status: int
    fields: tuple[str, ...]
    """The field lines, in order, as sent."""
    body: bytes

    @property
    def cors(self) -> set[str]:
        """The CORS fields, Timing-Allow-Origin and Vary, names in lower case: nothing less and nothing more."""
        split = (line.partition(": ") for line in self.fields)
        return {
            f"{name.lower()}: {value}"
            for name, _, value in split
            if name.lower().startswith("access-control-") or name.lower() in ("vary", "timing-allow-origin")
        }


def ask(address: tuple[str, int], path: bytes, *lines: bytes, method: bytes = b"GET", host: bytes = b"h") -> Answer:
    """Send the only request of a connection, and read to the end."""
    fields = b"".join(line + b"\r\n" for line in (b"Host: " + host, b"Connection: close", *lines))
    return send(address, b"%b %b HTTP/1.1\r\n%b\r\n" % (method, path, fields))


def upgrade(address: tuple[str, int], path: bytes, *lines: bytes, host: bytes = b"h") -> Answer:
    """Ask for a WebSocket, and read the answer up to the end of its head, or of the connection if it is refused."""
    fields = b"".join(line + b"\r\n" for line in (b"Host: " + host, *HANDSHAKE, *lines))
    return send(address, b"GET %b HTTP/1.1\r\n%b\r\n" % (path, fields), until=b"\r\n\r\n")


HANDSHAKE = (
    b"Connection: Upgrade",
    b"Upgrade: websocket",
    b"Sec-WebSocket-Version: 13",
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)


def send(address: tuple[str, int], data: bytes, until: bytes | None = None) -> Answer:
    """Send raw bytes and parse what comes back, to its end, or up to `until` and the content announced before it."""
    received = b""
    with socket.create_connection(address, timeout=DEADLINE) as sock:
        sock.sendall(data)
        with contextlib.suppress(ConnectionResetError):
            while until is None or not _is_whole(received, until):
                if not (more := sock.recv(65536)):
                    break
                received += more
    head, _, body = received.partition(b"\r\n\r\n")
    status, *fields = head.decode("latin-1").split("\r\n")
    return Answer(int(status.split(" ")[1]), tuple(fields), body)


def _is_whole(received: bytes, until: bytes) -> bool:
    head, found, body = received.partition(until)
    length = next(
        (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")),
        0,
    )
    return bool(found) and len(body) >= length
