"""The bytes of a request head until it is complete: bounded, and kept as received.

Parsed, a small field takes seventy times its bytes, so nothing parsed is kept before the head is complete.
Knows nothing about sockets or parsers: bytes in, a head out.
"""

from __future__ import annotations

from typing import Final

HEAD_END: Final = b"\r\n\r\n"


class HeadTooLargeError(Exception):
    """The head has more bytes than this server accepts."""


class HeadBuffer:
    """Finds the end of one head after another; a head has at most `limit` bytes."""

    __slots__ = ("_limit", "unfinished")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.unfinished = bytearray()
        """The beginning of a head that is not complete."""

    def take(self, data: bytes, start: int) -> tuple[bytes, int]:
        """Take `data` from `start` on; return the head that it completes and the index at which that ends.

        If no head is complete, return empty bytes and the length of `data`. Raises `HeadTooLargeError`.
        RFC 9112 section 2.2: "a server that is expecting to receive and parse a request-line SHOULD ignore at least one
        empty line (CRLF) received prior to the request-line".
        """
        known = self.unfinished
        if not known:
            while data.startswith(b"\r\n", start):
                start += 2
            end = data.find(HEAD_END, start) + len(HEAD_END)
            if end >= len(HEAD_END):
                if end - start > self._limit:
                    raise HeadTooLargeError
                return data[start:end], end
            known += data[start:]
            self._check_size()
            return b"", len(data)
        if known == b"\r":  # perhaps the beginning of a blank line
            self.unfinished = bytearray()
            head, end = self.take(b"\r" + data[start:], 0)
            return head, start + end - 1
        before = len(known)
        known += data[start:]
        end = known.find(HEAD_END, max(0, before - len(HEAD_END) + 1)) + len(HEAD_END)
        if end < len(HEAD_END):
            self._check_size()
            return b"", len(data)
        if end > self._limit:
            raise HeadTooLargeError
        head = bytes(known[:end])
        self.unfinished = bytearray()
        return head, start + end - before

    def _check_size(self) -> None:
        if len(self.unfinished) > self._limit:
            raise HeadTooLargeError
