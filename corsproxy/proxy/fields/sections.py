"""Whole field sections of requests, for those that are repeated: parsed line by line once, then looked up.

A browser requests the resources of one page with the same field lines each time; only the request line differs. Such a
section is cached if each of its lines may be (`lines`). Its Referer, which names the page that a person looks at, is
cut out first: it is neither stored nor part of the key.
Knows nothing about sockets or policies.
"""

from __future__ import annotations

from typing import Final

from corsproxy.proxy.fields.lines import FieldLine
from corsproxy.proxy.fields.names import RequestField
from corsproxy.proxy.table import Table

_LONGEST: Final = 2048
"""The most bytes of a section to cache; a browser's has 500 to 900 without cookies."""

_REFERER: Final = b"\r\nReferer: "
"""As browsers spell it; in another letter case it is an ordinary line."""


class FieldSection:
    """The field lines of a request; immutable, because many requests share it."""

    __slots__ = ("keep_alive", "lines", "referer")

    def __init__(self, lines: list[FieldLine[RequestField]], referer: int, *, keep_alive: bool) -> None:
        self.lines = lines
        """In order; `NO_REFERER` is in the place of the Referer."""
        self.referer = referer
        """The index of the Referer; -1 if there is none."""
        self.keep_alive = keep_alive


NO_REFERER: Final = FieldLine(RequestField.REFERER, b"Referer", b"")
"""The placeholder in a cached section where each request has its own Referer."""

KNOWN_SECTIONS: Final[Table[tuple[bytes, bytes], FieldSection]] = Table()
"""Sections seen before, by the bytes before and behind the Referer line."""


def cut_referer(head: bytes, start: int) -> tuple[bytes, bytes, bytes]:
    """Split the field section of `head` at the value of its Referer; `start` is the line end before the section.

    Return what precedes the Referer line, the value, and what follows it; the last two are empty without a Referer.
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
    """Cache the section of `head` and return it; None if it may not be cached.

    `unknown` counts the lines that were not known before. All but the Referer must have been, so that a section that
    comes only once is never stored.
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
