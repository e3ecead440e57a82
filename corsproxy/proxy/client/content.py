"""The content of one request, between its connection and its reader.

Pieces are kept as they arrive, so that content in a single segment is forwarded without a copy.
Knows nothing about transports: a `Backlog` pauses and resumes the client.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from corsproxy.proxy.errors import ClientError

_HIGH_WATER = 128 * 1024
"""Bytes to buffer before the client is paused."""

_LOW_WATER = 64 * 1024
"""Bytes left in the buffer when reading resumes."""


class Backlog(Protocol):
    """Pauses and resumes the client of some content."""

    def content_piles_up(self) -> None:
        """Pause: the buffer is full."""

    def content_drained(self) -> None:
        """Resume: the buffer has room again."""


class RequestContent:
    """Content that can be read while it arrives; it ends with `feed_eof` or `set_exception`."""

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
        """Return whether all content has arrived."""
        return self._eof

    def exception(self) -> ClientError | None:
        """Return why the content will never be complete; None without an error."""
        return self._error

    def read_nowait(self) -> bytes:
        """Return the buffered content, which may be empty; raise what `exception` returns."""
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
        """Return the buffered content, or wait for some; empty at the end. Raises `ClientError` if it has failed."""
        while not (self._pieces or self._eof or self._error is not None):
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return self.read_nowait()

    # --- for the connection -----------------------------------------------------------------------------------------

    def feed(self, piece: bytes) -> None:
        """Add a piece; it is dropped if the reader has stopped."""
        if self._error is not None or self._abandoned:
            return
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size > _HIGH_WATER and not self._full:
            self._full = True
            self._backlog.content_piles_up()
        self._wake()

    def feed_eof(self) -> None:
        """Mark the content as complete."""
        self._eof = True
        self._wake()

    def set_exception(self, error: ClientError) -> None:
        """Mark the content as failed, unless it is complete, and drop what is buffered."""
        if self._error is None and not self._eof:
            self._error = error
            self._pieces = []
            self._wake()

    def abandon(self) -> None:
        """Drop buffered and further content, because nobody reads it any more."""
        self._pieces = []
        self._abandoned = True
        if self._full:
            self._full = False
            self._backlog.content_drained()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class _NoBacklog:
    """The flow control of empty content."""

    def content_piles_up(self) -> None:
        """Never called."""

    def content_drained(self) -> None:
        """Never called."""


NO_CONTENT = RequestContent(_NoBacklog())
"""The content of every request that has none: complete from the start."""
NO_CONTENT.feed_eof()


class LengthReader:
    """Finds the end of content with a Content-Length (RFC 9112 section 6.2)."""

    __slots__ = ("_left", "complete")

    def __init__(self, length: int) -> None:
        self._left = length
        self.complete = not length
        """True once the last byte of the content has been read."""

    def read(self, data: bytes) -> tuple[list[bytes], bytes]:
        """Return the content in `data`, and the bytes after its end."""
        size = len(data)
        if size < self._left:
            self._left -= size
            return [data], b""
        end, self._left = self._left, 0
        self.complete = True
        return ([data], b"") if size == end else ([data[:end]], data[end:])
