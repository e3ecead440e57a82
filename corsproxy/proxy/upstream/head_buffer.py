"""What has come of the heads of one response that did not come whole in one segment, or are more than one.

Where the segments end changes nothing: a head is taken out when it is whole.
Knows bytes alone; how a head is read is not its business.
"""

from __future__ import annotations

import re
from typing import Final

from corsproxy.proxy.upstream.field_section import MAX_FIELD_LINES
from corsproxy.proxy.upstream.oddity import protocol_error

MAX_HEAD_BYTES: Final = 256 * 1024
"""All heads of one response together: interim ones included.

Requests are held to 32 KiB by default; real responses (many cookies, CSP, Link) are larger, and the upstream is ours.
nginx refuses at 4-8 KiB (proxy_buffer_size), Envoy at 60 KiB, Node at 16 KiB.
"""

_MAX_LINE_ENDS: Final = MAX_FIELD_LINES + 2
"""Of all heads of one response: the status line's, the field lines' and that of the empty line."""

_HEAD_END: Final = re.compile(rb"\n\r?\n")


class ResponseHeadBuffer:
    """Bytes in, whole heads out."""

    __slots__ = ("_known", "_line_ends", "_partial", "_taken", "has_begun")

    def __init__(self) -> None:
        self.has_begun = False
        """True once any byte has come."""
        self._partial = bytearray()
        """A head that is not whole yet, or what follows one."""
        self._known = 0
        """How many bytes of it have been searched for its end."""
        self._taken = 0
        """Bytes of the heads before it."""
        self._line_ends = 0

    def add(self, data: bytes) -> None:
        """Add the next bytes of the connection."""
        self.has_begun = True
        self._partial += data

    def next_head(self) -> bytes | None:
        """Take out a whole head, without its empty line; None if more is to come.

        Raises `UpstreamError` if too much has come.
        """
        partial, known = self._partial, self._known
        while partial[:1] == b"\n" or partial[:2] == b"\r\n":  # RFC 9112 section 2.2, of requests; servers do it, too
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
        """Take out what has come after the last head."""
        rest = bytes(self._partial)
        self._partial.clear()
        return rest
