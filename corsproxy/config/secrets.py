"""The configuration's text without values that may be credentials, for display."""

from __future__ import annotations

import re
from collections.abc import Iterable

from corsproxy.config.problems import Place, Span

_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""Line breaks of YAML 1.1, which the line of a place counts."""

MASK = "******"


def masked(text: str, spans: Iterable[Span]) -> str:
    """Return the text with the values at these spans masked; their line breaks stay, so line numbers do not change."""
    starts = [0, *(found.end() for found in _BREAK.finditer(text))]

    def offset(place: Place) -> int:
        return starts[place.line - 1] + place.column - 1

    # A value that aliases repeat has the same span each time.
    for span in sorted(set(spans), key=lambda one: (one.start.line, one.start.column), reverse=True):
        start, end = offset(span.start), offset(span.end)
        breaks = "".join(_BREAK.findall(text, start, end))
        text = text[:start] + MASK + breaks + text[end:]
    return text
