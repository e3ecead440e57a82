"""Each numbered line of docs/http.md has a test that names it, and each number that a test names is a line there."""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).parent


def test_every_number_has_its_line_and_its_test() -> None:
    """The page says what is tested, and nothing else."""
    page = (HERE.parents[1] / "docs/http.md").read_text(encoding="utf-8")
    said = [int(number) for number in re.findall(r"^- \*\*http-(\d+)\*\*", page, re.MULTILINE)]
    assert said == sorted(set(said))
    tested = {
        int(number)
        for path in HERE.rglob("test_*.py")
        if path.name != Path(__file__).name
        for number in re.findall(r"http[-_](\d+)", path.read_text(encoding="utf-8"))
    }
    assert tested == set(said)
