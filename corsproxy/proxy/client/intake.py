"""Moving the content of one request from the bytes of its connection to its reader, up to its end.

Knows nothing about transports or clocks.
"""

from __future__ import annotations

from corsproxy.proxy.client.chunks import ChunkError, ChunkReader
from corsproxy.proxy.client.content import LengthReader, RequestContent
from corsproxy.proxy.errors import ClientError, ClientErrorKind


class Intake:
    """Feeds the content of one request with the arriving bytes."""

    __slots__ = ("_content", "_reader", "is_over")

    def __init__(self, content: RequestContent, length: int, limit: int) -> None:
        self._content = content
        self._reader: LengthReader | ChunkReader = LengthReader(length) if length >= 0 else ChunkReader(limit)
        self.is_over = False
        """True once the content is complete, or its framing is broken."""

    def take(self, data: bytes, at: int) -> tuple[int, int]:
        """Feed the content in `data` from `at` on; return the index at which it ends, and its length in bytes."""
        try:
            pieces, rest = self._reader.read(data[at:] if at else data)
        except ChunkError:
            self.is_over = True
            self._content.set_exception(ClientError(ClientErrorKind.BAD_BODY))
            return len(data), 0
        # In one piece, because each piece is an object: one of two bytes would take forty.
        piece = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        if piece:
            self._content.feed(piece)
        if self._reader.complete:
            self.is_over = True
            self._content.feed_eof()
        return len(data) - len(rest), len(piece)
