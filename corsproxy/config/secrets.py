"""The configuration's text without values that may be credentials, for display."""

from __future__ import annotations

import re
from collections.abc import Iterable

from corsproxy.config.problems import Place, Span

_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""What ends a line in YAML 1.1, and so what a place's line counts."""

MASK = "******"


def masked(text: str, spans: Iterable[Span]) -> str:
    """Return the text with each of these values hidden; breaks inside one stay, so that lines keep their number."""
    starts = [0, *(found.end() for found in _BREAK.finditer(text))]

    def offset(place: Place) -> int:
        return starts[place.line - 1] + place.column - 1

    # An alias has one span read twice.
    for span in sorted(set(spans), key=lambda one: (one.start.line, one.start.column), reverse=True):
        start, end = offset(span.start), offset(span.end)
        breaks = "".join(_BREAK.findall(text, start, end))
        text = text[:start] + MASK + breaks + text[end:]
    return text
