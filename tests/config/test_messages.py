"""Every problem of `check` as a whole, and each suggestion in one put back into the file.

The table is messages.txt: a mistake in its surroundings, and every problem that the file then has, with its place, its
severity, its reason, its key path and its message; last, what in the file the suggestion of the first stands for.
`python -m tests.config.test_messages` writes the problems anew after a change of wording; read the diff.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.config.files import MINIMAL, problems, with_policy, with_routes, with_upstream

TABLE = Path(__file__).parent / "messages.txt"
NOTHING = "--- nothing"
"""The record of a file without a mistake."""
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
"""The part of a message that a person would copy."""

_OF_A_LIBRARY = re.compile(
    r"(?<=invalid YAML: )(?:[^:']|'[^']*')*|(?<=does not compile: )(?!it ).*?(?= at character|$)"
)
"""The words of the YAML parser and of `re`, which are theirs to change."""


@dataclass(frozen=True)
class Row:
    """One mistake and its problems."""

    around: str
    written: str
    said: str
    """The problems, as the table has them."""
    wrong: str
    """The text that the suggestion replaces; empty if the message has none."""

    @property
    def message(self) -> str:
        """The message of the first problem, empty if there is none."""
        return self.said.partition("\n")[2].partition("\n")[0]

    def mended(self, suggested: str) -> str:
        """Return the file with the suggestion put back."""
        before, _, after = self.written.rpartition(self.wrong)
        return _AROUND[self.around](before + suggested + after)


def rows() -> list[Row]:
    """Read the table."""
    found = []
    for record in TABLE.read_text(encoding="utf-8").split("\n=== ")[1:]:
        around, _, rest = record.partition("\n")
        written, _, said = rest.partition("\n--- ")
        said, _, wrong = said.strip("\n").partition("\n+++ ")
        found.append(Row(around, written, f"--- {said}", wrong))
    return found


def said_of(row: Row) -> str:
    """Return the problems of a row's file, as the table has them."""
    found = problems(_AROUND[row.around](row.written))
    return (
        NOTHING
        if not found
        else "\n".join(
            f"--- {problem.line}:{problem.column} {problem.severity} {problem.reason} {problem.path}".rstrip()
            + f"\n{_OF_A_LIBRARY.sub('…', problem.message)}"
            for problem in found
        )
    )


ROWS = rows()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.around}: {row.written[:60]!r}")
def test_a_mistake_has_these_problems(row: Row) -> None:
    """These and no others, each at its place."""
    assert said_of(row) == row.said


@pytest.mark.parametrize("row", [row for row in ROWS if row.wrong], ids=lambda row: row.message[:80])
def test_a_suggestion_that_is_put_back_is_accepted(row: Row) -> None:
    """The suggestion of a message fixes the file."""
    suggested = next(group for group in _SUGGESTION.findall(row.message)[0] if group)
    assert row.wrong in row.written
    assert [found.message for found in problems(row.mended(suggested)) if found.severity == "error"] == []


def test_every_suggestion_is_put_back() -> None:
    """An error without what to put it in place of has a message without a suggestion."""
    errors = [row for row in ROWS if " error " in row.said.partition("\n")[0]]
    assert [row.message for row in errors if _SUGGESTION.search(row.message) and not row.wrong] == []


def test_the_mistakes_are_many_and_different() -> None:
    """At least 150, and not spellings of one: what is quoted does not count."""
    assert len({re.sub(r"'[^']*'", "", row.message) for row in ROWS}) >= 150


def _rewrite() -> None:
    """Rewrite the problems of every row."""
    heading = TABLE.read_text(encoding="utf-8").partition("\n=== ")[0]
    records = [
        f"=== {row.around}\n{row.written}\n{said_of(row)}" + (f"\n+++ {row.wrong}" if row.wrong else "") for row in ROWS
    ]
    TABLE.write_text("\n\n".join([heading.rstrip("\n"), *records]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    _rewrite()
