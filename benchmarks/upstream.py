"""The server behind every measured proxy: as little work for a request as Python allows.

    python -m benchmarks.upstream PORT

Answers every request with 1 KiB of JSON, `/large` with 100 MiB, reads any request content without keeping it, and
switches to an echo on an upgrade. It grants every origin, which is wrong, and which a proxy must remove.
Its own cost is not part of any figure.
"""

from __future__ import annotations

import asyncio
import re
import sys
from typing import cast

from uvloop import run

LARGE = 100 * 1024 * 1024
"""Bytes of the large download and upload."""

_PIECE = b"z" * (256 * 1024)

_FIELDS = (
    b"Server: legacy/1.0\r\nDate: Sat, 21 Nov 2026 03:39:30 GMT\r\nContent-Type: application/json\r\n"
    b'Cache-Control: no-cache\r\nETag: "5d8c72a5edda8"\r\nVary: Accept-Encoding\r\nConnection: keep-alive\r\n'
    b"Access-Control-Allow-Origin: *\r\n"
)
_SMALL_ANSWER = b"HTTP/1.1 200 OK\r\n" + _FIELDS + b"Content-Length: 1024\r\n\r\n" + b"y" * 1024
_LARGE_HEAD = b"HTTP/1.1 200 OK\r\n" + _FIELDS + b"Content-Length: %d\r\n\r\n" % LARGE
_SWITCH = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)

_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)\r\n", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked\r\n", re.IGNORECASE)
_UPGRADE = re.compile(rb"\r\nupgrade: *websocket\r\n", re.IGNORECASE)


class Upstream(asyncio.Protocol):
    """One connection of a proxy."""

    def __init__(self) -> None:
        self._head = b""
        self._answer = _SMALL_ANSWER
        self._remaining = 0
        self._chunked = False
        self._tunnel = False
        self._left_to_send = 0
        self._paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Store the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Handle bytes of a head, of content or of the other protocol."""
        if self._tunnel:
            self._transport.write(data)
        elif self._remaining or self._chunked:
            self._content(data)
        else:
            self._head += data
            end = self._head.find(b"\r\n\r\n")
            if end >= 0:
                head, rest = self._head[: end + 4], self._head[end + 4 :]
                self._head = b""
                self._request(head, rest)

    def _request(self, head: bytes, rest: bytes) -> None:
        if head.startswith(b"GET /large"):
            self._transport.write(_LARGE_HEAD)
            self._left_to_send = LARGE
            self._send()
        elif _UPGRADE.search(head):
            self._tunnel = True
            self._transport.write(_SWITCH)
        elif length := _LENGTH.search(head):
            self._remaining = int(length[1])
            self._content(rest)
        elif _CHUNKED.search(head):
            self._chunked = True
            self._content(rest)
        else:
            self._transport.write(_SMALL_ANSWER)

    def _content(self, data: bytes) -> None:
        if self._chunked:
            # No content sent here ends like a last chunk, unless it is one.
            self._chunked = not data.endswith(b"0\r\n\r\n")
        else:
            self._remaining -= len(data)
        if not self._chunked and not self._remaining:
            self._transport.write(_SMALL_ANSWER)

    def _send(self) -> None:
        while self._left_to_send and not self._paused:
            piece = _PIECE[: self._left_to_send]
            self._left_to_send -= len(piece)
            self._transport.write(piece)

    def pause_writing(self) -> None:
        """Stop sending while the proxy does not read."""
        self._paused = True

    def resume_writing(self) -> None:
        """Send again."""
        self._paused = False
        self._send()


async def main() -> None:
    """Serve until killed."""
    server = await asyncio.get_running_loop().create_server(Upstream, "127.0.0.1", int(sys.argv[1]), backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    run(main())
