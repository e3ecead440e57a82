"""Every message of `check` as a whole, and each suggestion in one put back into the file.

The table is messages.txt: the mistake in its surroundings, where it is told, the whole message, and what in the file
the suggestion stands for.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.config.files import MINIMAL, problems, with_policy, with_routes, with_upstream

_ORIGIN = "allow_origins: [https://app.example.com]\n"
_AROUND: dict[str, Callable[[str], str]] = {
    "file": str,
    "top": lambda written: f"{MINIMAL}{written}",
    "upstream": with_upstream,
    "policy": with_policy,
    "policy with an origin": lambda written: with_policy(_ORIGIN + written),
    "routes": lambda written: with_routes(*written.splitlines()),
}
"""By the heading of a row: the file with the mistake."""

_SUGGESTION = re.compile(
    r"did you mean '([^']+)'\?"
    r"|(?<![a-z])write '([^']+)'"
    r"|write (\"\*\")"
    r"|[:;] write ([\[{].*|\S+?)(?: \(from .*\))?$"
)
"""What a person would copy out of a message."""


@dataclass(frozen=True)
class Row:
    """One mistake and its message."""

    around: str
    written: str
    path: str
    message: str
    wrong: str
    """What the suggestion is put in place of; empty if the message has none."""

    @property
    def text(self) -> str:
        """The whole file."""
        return _AROUND[self.around](self.written)


def rows() -> list[Row]:
    """Read the table."""
    text = (Path(__file__).parent / "messages.txt").read_text(encoding="utf-8")
    found = []
    for record in text.split("\n=== ")[1:]:
        around, _, rest = record.partition("\n")
        written, _, told = rest.partition("\n--- ")
        path, _, said = told.partition("\n")
        message, _, wrong = said.strip("\n").partition("\n+++ ")
        found.append(Row(around, written, path, message, wrong))
    return found


ROWS = rows()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.around}: {row.written[:60]!r}")
def test_a_mistake_has_this_message(row: Row) -> None:
    """The first problem of the file has this message, at this key."""
    first = problems(row.text)[0]
    assert (first.path, first.message) == (row.path, row.message)


@pytest.mark.parametrize("row", [row for row in ROWS if row.wrong], ids=lambda row: row.message[:80])
def test_a_suggestion_that_is_put_back_is_accepted(row: Row) -> None:
    """What a message says to write mends the file."""
    suggested = next(group for group in _SUGGESTION.findall(row.message)[0] if group)
    assert row.wrong in row.written
    before, _, after = row.written.rpartition(row.wrong)
    mended = Row(row.around, before + suggested + after, row.path, "", "")
    assert [problem.message for problem in problems(mended.text) if problem.severity == "error"] == []


def test_every_suggestion_is_put_back() -> None:
    """A row without what to put it in place of has a message without a suggestion."""
    assert [row.message for row in ROWS if _SUGGESTION.search(row.message) and not row.wrong] == []


def test_the_mistakes_are_many_and_different() -> None:
    """At least 150, and not spellings of one: what is quoted does not count."""
    assert len({re.sub(r"'[^']*'", "", row.message) for row in ROWS}) >= 150
