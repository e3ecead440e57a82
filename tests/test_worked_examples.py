"""docs/architecture.md: the worked examples name every place, so that following one leaves nothing out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
EXAMPLES = {"Add a key to the file": "tunnel_timeout", "Add a reason": "headers_not_allowed"}


def places(title: str) -> list[str]:
    """Read the places of a worked example."""
    section = PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)


def holds(path: Path, word: str) -> bool:
    """Return whether a file has the word, in either letter case."""
    return word in path.read_text(encoding="utf-8").lower()


@pytest.mark.parametrize(("title", "word"), EXAMPLES.items(), ids=EXAMPLES)
def test_each_place_has_what_was_added(title: str, word: str) -> None:
    """The example names its word, and each place that it lists has it."""
    assert f"`{word}`" in PAGE.partition(f"\n## {title}\n")[2].partition("|")[0]
    assert [place for place in places(title) if not holds(ROOT / place, word)] == []


@pytest.mark.parametrize(("title", "word"), EXAMPLES.items(), ids=EXAMPLES)
def test_no_place_is_left_out(title: str, word: str) -> None:
    """No other file of the package has the word, so the example is complete."""
    package = [path for path in (ROOT / "corsproxy").rglob("*") if path.suffix in {".py", ".js", ".html", ".yaml"}]
    found = {str(path.relative_to(ROOT)) for path in package if holds(path, word)}
    assert found == {place for place in places(title) if place.startswith("corsproxy/")}
