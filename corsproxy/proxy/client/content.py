"""The content of one request between the connection it comes on and whoever reads it.

Pieces are kept as they came: what is whole in one segment is sent on without being copied.
Knows no transport: `Backlog` says when there is too much to go on reading.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from corsproxy.proxy.errors import ClientError

_HIGH_WATER = 128 * 1024
"""Bytes kept before the client is paused."""

_LOW_WATER = 64 * 1024
"""Bytes left when it is read again."""


class Backlog(Protocol):
    """What holds the client back."""

    def content_piles_up(self) -> None:
        """There is more content than is kept."""

    def content_drained(self) -> None:
        """There is room for more."""


class RequestContent:
    """Content that is read while it comes; ends at `feed_eof`, or with an exception."""

    __slots__ = ("_abandoned", "_backlog", "_eof", "_error", "_full", "_pieces", "_size", "_waiter")

    def __init__(self, backlog: Backlog) -> None:
        self._backlog = backlog
        self._pieces: list[bytes] = []
        self._size = 0
        self._full = False
        self._abandoned = False
        self._eof = False
        self._error: ClientError | None = None
        self._waiter: asyncio.Future[None] | None = None

    # --- for the reader ---------------------------------------------------------------------------------------------

    def is_eof(self) -> bool:
        """Return whether all of it has come."""
        return self._eof

    def exception(self) -> ClientError | None:
        """Return why it will never be whole; None if nothing has gone wrong."""
        return self._error

    def read_nowait(self) -> bytes:
        """Return what is here; raises what `exception` returns."""
        if self._error is not None:
            raise self._error
        pieces = self._pieces
        if not pieces:
            return b""
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        self._pieces = []
        self._size = 0
        if self._full:
            self._full = False
            self._backlog.content_drained()
        return data

    async def read(self) -> bytes:
        """Return what is here, or the next that comes; empty at the end. Raises `ClientError`."""
        while not (self._pieces or self._eof or self._error is not None):
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return self.read_nowait()

    # --- for the connection -----------------------------------------------------------------------------------------

    def feed(self, piece: bytes) -> None:
        """Take a piece; dropped if nobody can want it any more."""
        if self._error is not None or self._abandoned:
            return
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size > _HIGH_WATER and not self._full:
            self._full = True
            self._backlog.content_piles_up()
        self._wake()

    def feed_eof(self) -> None:
        """All of it has come."""
        self._eof = True
        self._wake()

    def set_exception(self, error: ClientError) -> None:
        """It will never be whole; what has come is not to be read any more."""
        if self._error is None and not self._eof:
            self._error = error
            self._pieces = []
            self._wake()

    def abandon(self) -> None:
        """Nobody reads it any more: what is here and what still comes is dropped."""
        self._pieces = []
        self._abandoned = True
        if self._full:
            self._full = False
            self._backlog.content_drained()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class _NoBacklog:
    """Of content that there is none of."""

    def content_piles_up(self) -> None:
        """Never called."""

    def content_drained(self) -> None:
        """Never called."""


NO_CONTENT = RequestContent(_NoBacklog())
"""Of every request without content: at its end from the start."""
NO_CONTENT.feed_eof()


class LengthReader:
    """Finds the end of content whose length was announced (RFC 9112 section 6.2)."""

    __slots__ = ("_left", "complete")

    def __init__(self, length: int) -> None:
        self._left = length
        self.complete = not length
        """True once the last byte of the content has been read."""

    def read(self, data: bytes) -> tuple[list[bytes], bytes]:
        """Return the content in `data`, and what stands behind its end."""
        size = len(data)
        if size < self._left:
            self._left -= size
            return [data], b""
        end, self._left = self._left, 0
        self.complete = True
        return ([data], b"") if size == end else ([data[:end]], data[end:])
