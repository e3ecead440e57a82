"""The demo's table: columns as wide as their cells, the last one wrapped.

Pure text; it must not know CORS.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

GAP = "  "
NARROWEST = 28
"""The least characters of the last column, however narrow the terminal: the longest name of a header has 27."""


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, width: int) -> str:
    """Return `rows` under `header`, with the last column wrapped so that lines have at most `width` characters.

    A row of one cell is a heading across all columns.
    """
    columns = list(zip(header, *(row for row in rows if len(row) > 1), strict=True))
    widths = [max(map(len, column)) for column in columns[:-1]]
    room = max(NARROWEST, width - sum(widths) - len(GAP) * len(widths))
    widest = min(room, max(map(len, columns[-1])))
    lines = [*_lines(header, widths, room), GAP.join("-" * each for each in (*widths, widest))]
    for row in rows:
        lines += _lines(row, widths, room) if len(row) > 1 else row
    return "\n".join(lines)


def _lines(row: Sequence[str], widths: Sequence[int], room: int) -> Iterator[str]:
    first, *more = textwrap.wrap(row[-1], room, break_on_hyphens=False) or [""]
    cells = [cell.ljust(each) for cell, each in zip(row[:-1], widths, strict=True)]
    yield GAP.join([*cells, first]).rstrip()
    for line in more:
        yield GAP.join([*(" " * each for each in widths), line])
