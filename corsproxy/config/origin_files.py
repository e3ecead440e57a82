"""Files of origins that a policy names: one origin or pattern per line, tens of thousands of them.

This module only finds the lines and their places; the core parses the origins.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from corsproxy.config.problems import RefusedError, quote

MAX_BYTES = 64 * 1024 * 1024
"""Larger files are refused: a million origins take about 30 MB."""

_COMMENT = re.compile(r"(^|\s)#.*")
_NOT_HERE = {
    "*": "a file names origins one by one; write '*' in allow_origins itself",
    "null": "a file lists origins of known owners; write null in allow_origins itself",
}


@dataclass(frozen=True, slots=True)
class OriginLine:
    """One line with an origin."""

    text: str
    line: int
    column: int


def parse_lines(content: bytes) -> list[OriginLine]:
    """Return the origins, without comments and white space; raises `RefusedError` if the content is not UTF-8."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise RefusedError(f"invalid byte in line {line}: the file is not UTF-8; save it as UTF-8") from None
    lines = []
    for number, written in enumerate(text.splitlines(), 1):
        origin = (_COMMENT.sub("", written) if "#" in written else written).strip()
        if origin:
            lines.append(OriginLine(origin, number, written.index(origin) + 1))
    return lines


def why_not_in_file(text: str) -> str | None:
    """Return why a file of origins may not have an item that the configuration may have; None if it may."""
    if text in _NOT_HERE:
        return f"prohibited origin {quote(text)}: {_NOT_HERE[text]}"
    if text.startswith("regex:"):
        return f"prohibited origin {quote(text)}: a file holds no regular expressions; write it in allow_origins itself"
    return None
