"""The content of one response, parsed from bytes: one reader for each framing (RFC 9112 section 6.3).

Each gets the bytes after the head, adds content to the caller's list, and returns how many bytes belong to the message.
The reader of chunked content is in `chunks`. Knows nothing about sockets or heads.
"""

from __future__ import annotations

from typing import Final

from corsproxy.proxy.upstream.chunks import ResponseChunkReader


class ResponseLengthReader:
    """Reads the bytes that Content-Length announces; call `start` before each message."""

    __slots__ = ("_remaining", "is_complete")

    def __init__(self) -> None:
        self.start(0)

    def start(self, length: int) -> None:
        """Begin a message with `length` bytes of content."""
        self._remaining = length
        self.is_complete = False
        """True once the last byte has been read, but not before the first `feed`."""

    def feed(self, data: bytes, pieces: list[bytes]) -> int:
        """Add the content in `data` to `pieces`; return how many bytes belong to the message."""
        size, remaining = len(data), self._remaining
        if size > remaining:
            data, size = data[:remaining], remaining
        if size:
            pieces.append(data)
        self._remaining = remaining - size
        self.is_complete = size == remaining
        return size


class UntilCloseReader:
    """Reads everything: the content, or another protocol, ends with the connection."""

    __slots__ = ("is_complete",)

    def __init__(self) -> None:
        self.is_complete = False

    def feed(self, data: bytes, pieces: list[bytes]) -> int:
        """Add `data` to `pieces`; return its size."""
        if data:
            pieces.append(data)
        return len(data)


class NoContentReader:
    """Reads nothing: the message ends with its head."""

    __slots__ = ("is_complete",)

    def __init__(self) -> None:
        self.is_complete = True

    def feed(self, data: bytes, pieces: list[bytes]) -> int:  # noqa: ARG002 - as the others
        """Return 0, because no byte belongs to the message."""
        return 0


ContentReader = ResponseLengthReader | ResponseChunkReader | UntilCloseReader | NoContentReader

UNTIL_CLOSE: Final = UntilCloseReader()

NO_CONTENT: Final = NoContentReader()
