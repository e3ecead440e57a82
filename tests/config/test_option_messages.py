"""Every problem and note about options, and the file that they represent.

The table is option_messages.txt: options as YAML, those of a variable in the environment in capitals, and a file
`a.yaml` if there is one; then every word that the user would read.
`python -m tests.config.test_option_messages` writes the words anew after a change; read the diff.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from corsproxy.config import ConfigError, Options, find_source, load
from corsproxy.config.options import FLAGS
from corsproxy.config.quick import file_text
from corsproxy.errors import UsageError

TABLE = Path(__file__).parent / "option_messages.txt"


@dataclass(frozen=True)
class Row:
    """Options, and what the user reads of them."""

    written: str
    file: str
    """The text of `a.yaml`, empty if there is none."""
    said: str

    @property
    def options(self) -> Options:
        """The options as the command line and the environment give them."""
        values = yaml.safe_load(self.written) or {}
        names = {name.lower(): f"CORSPROXY_{name}" if name.isupper() else FLAGS[name] for name in values}
        given: dict[str, Any] = {
            name.lower(): tuple(value) if isinstance(value, list) else value for name, value in values.items()
        }
        return Options(**given, names=names)


def rows() -> list[Row]:
    """Read the table."""
    found = []
    for record in TABLE.read_text(encoding="utf-8").rstrip("\n").split("\n=== ")[1:]:
        given, _, said = record.partition("\n--- ")
        written, _, file = given.partition("\n+++ a.yaml\n")
        found.append(Row(written, file, f"--- {said}"))
    return found


def said_of(row: Row) -> str:
    """Return what the user reads, as the table has it; in a directory with the file alone."""
    with _directory():
        if row.file:
            Path("a.yaml").write_text(row.file, encoding="utf-8")
        return "\n".join(_said_of(row.options)) or "--- nothing"


@contextmanager
def _directory() -> Iterator[None]:
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as directory:
        os.chdir(directory)
        try:
            yield
        finally:
            os.chdir(before)


def _said_of(options: Options) -> Iterator[str]:
    try:
        configuration = load(find_source(options), {})
    except UsageError as refused:
        yield f"--- usage\n{refused}"
        return
    except ConfigError as refused:
        problems = refused.problems
    else:
        problems = configuration.warnings
        yield from (f"--- note\n{note}" for note in configuration.notes)
    for problem in problems:
        place = f"{problem.file}:{problem.line}:{problem.column} {problem.severity} {problem.reason} {problem.path}"
        yield f"--- {place}\n{problem.message}"
    if options.config is None and options.config_text is None and all(one.severity == "warning" for one in problems):
        yield f"--- file\n{file_text(options)}".rstrip("\n")


ROWS = rows() if TABLE.exists() else []


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.written[:80]!r}{' with a file' if row.file else ''}")
def test_options_come_to_this(row: Row) -> None:
    """These words and no others."""
    assert said_of(row) == row.said


def _rewrite() -> None:
    """Rewrite the messages of every row."""
    heading = "What options come to; how it is read: test_option_messages.py."
    files = [f"\n+++ a.yaml\n{row.file}" if row.file else "" for row in ROWS]
    records = [f"=== {row.written}{file}\n{said_of(row)}" for row, file in zip(ROWS, files, strict=True)]
    TABLE.write_text("\n".join([heading, *records]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    _rewrite()
