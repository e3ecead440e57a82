"""The content of one response, read from bytes: one reader for each framing (RFC 9112 section 6.3).

Each is fed the bytes after the head, adds content to the caller's list, and says how many bytes were its own.
`chunks` has the one that is more than a count. Knows nothing about sockets or heads.
"""

from __future__ import annotations

from typing import Final

from corsproxy.proxy.upstream.chunks import ResponseChunkReader


class ResponseLengthReader:
    """Read as many bytes as the head has announced; call `start` before each message."""

    __slots__ = ("_remaining", "is_complete")

    def __init__(self) -> None:
        self.start(0)

    def start(self, length: int) -> None:
        """Start the next message."""
        self._remaining = length
        self.is_complete = False
        """True from the last byte on, at the earliest after the first `feed`."""

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
    """Read whatever comes: the content, or another protocol, ends with the connection."""

    __slots__ = ("is_complete",)

    def __init__(self) -> None:
        self.is_complete = False

    def feed(self, data: bytes, pieces: list[bytes]) -> int:
        """Add `data` to `pieces`; return its size."""
        if data:
            pieces.append(data)
        return len(data)


class NoContentReader:
    """Read nothing: the message ends with its head, and bytes after it belong to no message."""

    __slots__ = ("is_complete",)

    def __init__(self) -> None:
        self.is_complete = True

    def feed(self, data: bytes, pieces: list[bytes]) -> int:  # noqa: ARG002 - as the others
        """Return 0."""
        return 0


ContentReader = ResponseLengthReader | ResponseChunkReader | UntilCloseReader | NoContentReader

UNTIL_CLOSE: Final = UntilCloseReader()

NO_CONTENT: Final = NoContentReader()
