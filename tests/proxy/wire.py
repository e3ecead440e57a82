"""A client of raw bytes: it sends exactly what a test says and reads exactly what came back.

Knows of HTTP where a response ends (RFC 9112 section 6.3), written apart from what is tested; nothing of corsproxy.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
from dataclasses import dataclass
from types import TracebackType
from typing import Self

DEADLINE = 60.0
"""Seconds until a blocking read gives up: a hung test should fail, not hang."""

GET = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Response:
    """One response: `head` up to and with the empty line, `raw_body` with its framing, `body` without."""

    head: bytes
    raw_body: bytes = b""
    body: bytes = b""
    trailers: bytes = b""
    whole: bool = True
    """False where the connection ended before the message did."""

    @property
    def status(self) -> int:
        """The status code; 0 if no head came."""
        return int(self.head.split(b" ", 2)[1]) if self.head else 0

    @property
    def status_line(self) -> bytes:
        """The status line without CRLF."""
        return self.head.split(b"\r\n", 1)[0]

    @property
    def lines(self) -> list[bytes]:
        """The field lines as they came."""
        return [line for line in self.head.split(b"\r\n")[1:] if line]

    def values(self, name: bytes) -> list[bytes]:
        """Every value of a field, in order, the name in any letter case."""
        pairs = (line.partition(b":") for line in self.lines)
        return [value.strip() for found, _, value in pairs if found.lower() == name.lower()]

    @property
    def cors(self) -> list[bytes]:
        """Every line of Access-Control-* and Vary, in the order of the names."""
        return sorted(line for line in self.lines if line.lower().startswith((b"access-control-", b"vary:")))


class EndedError(Exception):
    """The proxy closed or reset the connection before the bytes a test asked for had come."""


class Client:
    """One connection to the proxy; use it as a context manager."""

    def __init__(
        self,
        address: tuple[str, int] | str,
        *,
        tls: ssl.SSLContext | None = None,
        receive_buffer: int = 0,
    ) -> None:
        if isinstance(address, str):
            self.socket: socket.socket = socket.socket(socket.AF_UNIX)
        else:
            self.socket = socket.socket(socket.AF_INET)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(DEADLINE)
        self.socket.connect(address)
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_hostname="localhost")
        self.received = bytearray()
        """The bytes that have arrived unread."""
        self.ended: str | None = None
        """How the proxy ended the connection: None while it has not, else `closed` (FIN) or `reset`."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Send all of it; a proxy that is gone is no error."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.socket.sendall(data)

    def finish_sending(self) -> None:
        """Send a FIN, and go on reading."""
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """End the connection with a RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def read_until(self, end: bytes) -> bytes:
        """Read up to and with `end`; raises EndedError."""
        while (at := self.received.find(end)) < 0:
            self._receive()
        return self._take(at + len(end))

    def read_exactly(self, size: int) -> bytes:
        """Read so many bytes; raises EndedError."""
        while len(self.received) < size:
            self._receive()
        return self._take(size)

    def read_to_end(self) -> bytes:
        """Read until the proxy closes or resets; `ended` says which."""
        with contextlib.suppress(EndedError):
            while True:
                self._receive()
        return self._take(len(self.received))

    def read_head(self) -> Response:
        """Read one head, interim or final; raises EndedError."""
        return Response(self.read_until(b"\r\n\r\n"))

    def read_response(self, *, to: str = "GET") -> Response:
        """Read one whole final response, `to` being the method asked with; interim ones are dropped.

        What the end of the connection cuts is returned with `whole` False.
        """
        response = Response(b"", whole=False)
        try:
            while (response := self.read_head()).status // 100 == 1 and response.status != 101:
                pass
            return self._with_body(response, to)
        except EndedError:
            rest = self._take(len(self.received))
            return Response(response.head, rest, rest, whole=False)

    def _with_body(self, response: Response, to: str) -> Response:
        if to == "HEAD" or response.status in {101, 204, 304}:
            return response
        if response.values(b"Transfer-Encoding"):
            return self._chunked(response)
        lengths = response.values(b"Content-Length")
        if lengths:
            body = self.read_exactly(int(lengths[0]))
            return Response(response.head, body, body)
        body = self.read_to_end()
        return Response(response.head, body, body, whole=self.ended == "closed")

    def _chunked(self, response: Response) -> Response:
        raw = bytearray()
        body = bytearray()
        try:
            while size := int((line := self.read_until(b"\r\n")), 16):
                chunk = self.read_exactly(size + 2)
                raw += line + chunk
                body += chunk[:-2]
            raw += line
            trailers = b""
            while (line := self.read_until(b"\r\n")) != b"\r\n":
                trailers += line
        except EndedError:
            rest = bytes(raw) + self._take(len(self.received))
            return Response(response.head, rest, bytes(body), whole=False)
        return Response(response.head, bytes(raw) + trailers + line, bytes(body), trailers)

    def _receive(self) -> None:
        try:
            data = self.socket.recv(65536)
        except TimeoutError:
            raise
        except OSError:
            self.ended = "reset"
            raise EndedError("reset") from None
        if not data:
            self.ended = "closed"
            raise EndedError("closed")
        self.received += data

    def _take(self, size: int) -> bytes:
        taken = bytes(self.received[:size])
        del self.received[:size]
        return taken


def ask(address: tuple[str, int] | str, request: bytes, *, tls: ssl.SSLContext | None = None) -> Response:
    """Send `request` on a connection of its own and return the final response."""
    with Client(address, tls=tls) as client:
        client.send(request)
        return client.read_response(to=request.split(b" ", 1)[0].decode("latin-1"))
