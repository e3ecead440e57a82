"""The head of an upstream's response, and where its content ends.

Knows nothing about parsing.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from corsproxy.proxy.fields.lines import FieldLine
from corsproxy.proxy.fields.names import ResponseField


class Framing(Enum):
    """How the end of the content is determined (RFC 9112 section 6.3)."""

    NONE = "none"
    LENGTH = "length"
    CHUNKED = "chunked"
    CLOSE = "close"


NO_CONTENT_STATUSES: Final = frozenset({204, 304})
"""A response with one of these statuses has no content, whatever its fields say (RFC 9112 section 6.3)."""

RESET_CONTENT: Final = 205
"""A 205 has no content either, but its fields must say so (RFC 9110 section 15.3.6). If they do not, it ends with its
head, and the connection is not used again."""


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
