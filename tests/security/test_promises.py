"""docs/security.md: each promise names the tests that hold it, and they exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

PAGE = (ROOT / "docs/security.md").read_text(encoding="utf-8")

PROMISES = re.findall(r"^- .*$", PAGE.partition("## What is defended")[2].partition("\n## ")[0], re.MULTILINE)


def test_the_promises_are_found() -> None:
    """The page has its sections."""
    assert len(PROMISES) > 15


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise[2:40])
def test_each_promise_names_its_tests(promise: str) -> None:
    """At its end, by their files."""
    named = re.search(r"\((`tests/\S+?`(?:, )?)+\)$", promise)
    assert named is not None
    for name in re.findall(r"`(tests/\S+?)`", named.group()):
        assert (ROOT / name).is_file(), name
