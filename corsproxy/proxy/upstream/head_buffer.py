"""The bytes of one response's heads, if they do not arrive as a single head in one segment.

Where segments end makes no difference: a head is returned when it is complete.
Knows bytes only, not how a head is parsed.
"""

from __future__ import annotations

import re
from typing import Final

from corsproxy.proxy.upstream.field_section import MAX_FIELD_LINES
from corsproxy.proxy.upstream.oddity import protocol_error

MAX_HEAD_BYTES: Final = 256 * 1024
"""The most bytes of all heads of one response together, interim ones included.

Requests are limited to 32 KiB by default, but responses are larger (many cookies, CSP, Link), and upstreams are known.
nginx refuses at 4-8 KiB (proxy_buffer_size), Envoy at 60 KiB, Node at 16 KiB.
"""

_MAX_LINE_ENDS: Final = MAX_FIELD_LINES + 2
"""The most line ends in all heads of one response: of the status line, the field lines and the empty line."""

_HEAD_END: Final = re.compile(rb"\n\r?\n")


class ResponseHeadBuffer:
    """Bytes in, whole heads out."""

    __slots__ = ("_known", "_line_ends", "_partial", "_taken", "has_begun")

    def __init__(self) -> None:
        self.has_begun = False
        """True once any byte has arrived."""
        self._partial = bytearray()
        """A head that is not complete yet, or what follows the last one."""
        self._known = 0
        """How many bytes of `_partial` have been searched for the end of a head."""
        self._taken = 0
        """Bytes of the heads before `_partial`."""
        self._line_ends = 0

    def add(self, data: bytes) -> None:
        """Add the next bytes of the connection."""
        self.has_begun = True
        self._partial += data

    def next_head(self) -> bytes | None:
        """Remove and return a complete head, without its empty line; None if there is none.

        Raises `UpstreamError` if the heads have too many bytes or lines.
        """
        partial, known = self._partial, self._known
        while partial[:1] == b"\n" or partial[:2] == b"\r\n":  # servers send empty lines too
            size = 1 if partial[:1] == b"\n" else 2
            del partial[:size]
            self._taken += size
            known = max(known - size, 0)
        match = _HEAD_END.search(partial, max(known - 2, 0))
        end = match.end() if match is not None else len(partial)
        if self._taken + end > MAX_HEAD_BYTES:
            raise protocol_error(f"head larger than {MAX_HEAD_BYTES} bytes")
        self._line_ends += partial.count(b"\n", known, end)
        if self._line_ends > _MAX_LINE_ENDS:
            raise protocol_error(f"more than {MAX_FIELD_LINES} field lines")
        if match is None:
            self._known = end
            return None
        head = bytes(partial[: match.start()])
        del partial[:end]
        self._known = 0
        self._taken += end
        return head

    def rest(self) -> bytes:
        """Remove and return the bytes after the last head."""
        rest = bytes(self._partial)
        self._partial.clear()
        return rest
