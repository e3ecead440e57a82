"""The demo's table: columns as wide as what is in them, the last one wrapped.

Pure text; knows nothing about CORS.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

GAP = "  "
NARROWEST = 28
"""Characters of the last column, however narrow the terminal: the longest name of a header needs 27."""


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, width: int) -> str:
    """Align `rows` under `header`, and wrap the last column so that lines are at most `width` characters long.

    A row of one cell is a heading: it stands across all columns.
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
