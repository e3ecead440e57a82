"""The head of an upstream's response: what was read, and where its content ends.

Knows nothing of how it is read.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from corsproxy.proxy.fields.lines import FieldLine
from corsproxy.proxy.fields.names import ResponseField


class Framing(Enum):
    """How the end of the content is known (RFC 9112 section 6.3)."""

    NONE = "none"
    LENGTH = "length"
    CHUNKED = "chunked"
    CLOSE = "close"


NO_CONTENT_STATUSES: Final = frozenset({204, 304})
"""RFC 9112 section 6.3: a response with one of these has no content, whatever its fields say."""

RESET_CONTENT: Final = 205
"""RFC 9110 section 15.3.6: has no content either, but its fields must say so; where none does, its head is its end, and
the connection carries no other response."""


class ResponseHead:
    """The status line and the field section of one response."""

    __slots__ = ("fields", "framing", "keep_alive", "length", "minor", "reason", "status")

    def __init__(self) -> None:
        self.minor = 1
        self.status = 0
        self.reason = b""
        self.fields: list[FieldLine[ResponseField]] = []
        """In order."""
        self.framing = _UNSETTLED
        self.length = -1
        """`Content-Length`; -1 if there was none."""
        self.keep_alive = True


_UNSETTLED: Final = Framing.NONE
