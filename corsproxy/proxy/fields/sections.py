"""Whole field sections of requests that come again: read once line by line, then looked up at once.

A program asks for one page's resources with the same lines each time, and only the request line differs. Such a section
is kept in a bounded table if each of its lines may be kept (`lines`). Its Referer, which names the page that a person
looks at, is taken out first: it is neither kept nor part of the key.
Knows nothing about sockets or policies.
"""

from __future__ import annotations

from typing import Final

from corsproxy.proxy.fields.lines import FieldLine
from corsproxy.proxy.fields.names import RequestField
from corsproxy.proxy.table import Table

_LONGEST: Final = 2048
"""The most bytes of a section to keep; a browser's has 500 to 900 without cookies."""

_REFERER: Final = b"\r\nReferer: "
"""As browsers spell it; any other is a line like all others."""


class FieldSection:
    """The field lines of a request, never changed: many requests may share it."""

    __slots__ = ("keep_alive", "lines", "referer")

    def __init__(self, lines: list[FieldLine[RequestField]], referer: int, *, keep_alive: bool) -> None:
        self.lines = lines
        """In order; `NO_REFERER` stands for the Referer."""
        self.referer = referer
        """The index of that; -1 if there is none."""
        self.keep_alive = keep_alive


NO_REFERER: Final = FieldLine(RequestField.REFERER, b"Referer", b"")
"""Stands in a kept section where each request has its own."""

KNOWN_SECTIONS: Final[Table[tuple[bytes, bytes], FieldSection]] = Table()
"""Sections seen before, by the bytes before and behind the Referer."""


def cut_referer(head: bytes, start: int) -> tuple[bytes, bytes, bytes]:
    """Split the field section of `head`, with the line end before it at `start`, at the value of its Referer.

    Return what stands before that line, the value, and what stands behind it: nothing if there is no Referer.
    """
    at = head.find(_REFERER, start)
    if at < 0:
        return head[start:], b"", b""
    value = at + len(_REFERER)
    end = head.find(b"\r\n", value)
    return head[start:at], head[value:end], head[end:]


def keep_section(
    head: bytes, start: int, lines: list[FieldLine[RequestField]], unknown: int, *, keep_alive: bool
) -> FieldSection | None:
    """Return the section of `head`, kept if all its lines were known, its Referer apart; `unknown` counts the others.

    So what comes only once is not stored at all.
    """
    if unknown > 1:
        return None
    before, _, behind = cut_referer(head, start)
    size = len(before) + len(behind)
    if size > _LONGEST or unknown != (1 if behind else 0):
        return None
    if (known := KNOWN_SECTIONS.known.get((before, behind))) is not None:
        return known
    referer = -1
    kept = lines.copy()
    if behind:
        referer = before.count(b"\r\n")
        kept[referer] = NO_REFERER
    return KNOWN_SECTIONS.keep((before, behind), size, FieldSection(kept, referer, keep_alive=keep_alive))
