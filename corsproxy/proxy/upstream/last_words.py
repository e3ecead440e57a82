"""The last bytes of an upstream before its connection was lost, above all a response that refuses an upload.

Such an upstream responds, closes, and resets the connection when more content arrives. The event loop closes a socket
at the first error, although bytes received before can still be read: over a second descriptor of the same socket, and
over TLS through the buffer of incoming ciphertext.
Knows nothing about HTTP.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
from collections.abc import Iterator
from typing import Any

_AT_ONCE = 64 * 1024
"""The most bytes of one read; their total is bounded by the kernel's buffer."""


class _Context(ssl.SSLContext):
    """A context whose connections expose their incoming ciphertext, which no event loop does."""

    def wrap_bio(self, incoming: ssl.MemoryBIO, *args: Any, **options: Any) -> ssl.SSLObject:
        """Return the TLS object of a connection, with its buffer of incoming ciphertext as an attribute."""
        made = super().wrap_bio(incoming, *args, **options)
        made.incoming = incoming  # type: ignore[attr-defined]  # for `LastWords`
        return made


def exposing_ciphertext(context: ssl.SSLContext) -> ssl.SSLContext:
    """Return the same context, changed so that the last words of its connections can be read."""
    context.__class__ = _Context
    return context


class LastWords:
    """Reads the last bytes of one connection; create it while that is open, and close it in any case."""

    __slots__ = ("_socket", "_tls")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._socket: socket.socket | None = None
        self._tls: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
        original = transport.get_extra_info("socket")
        if original is not None:
            with contextlib.suppress(OSError):
                self._socket = socket.socket(fileno=os.dup(original.fileno()))

    def read(self) -> Iterator[bytes]:
        """Yield the bytes that had arrived but were not read."""
        if self._socket is None:
            return
        self._socket.setblocking(False)
        with contextlib.suppress(OSError):  # nothing has arrived, or only part of a TLS record
            while data := self._socket.recv(_AT_ONCE):
                if self._tls is None:
                    yield data
                    continue
                self._tls.incoming.write(data)  # type: ignore[attr-defined]  # set by `_Context`
                with contextlib.suppress(ssl.SSLWantReadError):
                    while plain := self._tls.read(_AT_ONCE):
                        yield plain

    def close(self) -> None:
        """Close the duplicate socket, which ends the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
