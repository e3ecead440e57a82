"""The package's own regular expressions mean the same on every Python that it supports."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator

import pytest

import corsproxy

# Python before 3.11.5 does not go back to where a group began that matched in part and then failed, if the group's
# quantifier is possessive (gh-106052): `(?:;a)*+x` matches `;x` there. What was refused is then taken.
POSSESSIVE_GROUP = re.compile(r"\)(?:[*+?]|\{\d*,?\d*\})\+")
ATOMIC_GROUP = "(?>"
SET_OR_ESCAPE = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)


def expressions() -> Iterator[tuple[str, str]]:
    """List the expressions that the modules of the package keep, with the names of both."""
    for module in pkgutil.walk_packages(corsproxy.__path__, "corsproxy."):
        if module.name.endswith("__main__"):
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            if isinstance(value, re.Pattern):
                text = value.pattern
                yield f"{module.name}.{name}", text if isinstance(text, str) else text.decode("latin-1")


@pytest.mark.parametrize(
    ("text", "found"),
    [(r"(?:;a)*+x", True), (r"(a){1,2}+", True), (r"(a)?+", True), (r"([a-z]++)+", False), (r"[()*+]+\)*+", False)],
)
def test_possessive_groups_are_found(text: str, found: bool) -> None:
    """In the expression itself, not in its sets of characters and escapes."""
    assert bool(POSSESSIVE_GROUP.search(SET_OR_ESCAPE.sub("x", text))) == found


def test_no_group_is_possessive() -> None:
    """Sets of characters may be; groups mean something else before Python 3.11.5, which Debian 12 has."""
    known = dict(expressions())
    assert len(known) > 30
    for name, text in known.items():
        bare = SET_OR_ESCAPE.sub("x", text)
        assert not POSSESSIVE_GROUP.search(bare), f"{name}: {text}"
        assert ATOMIC_GROUP not in bare, f"{name}: {text}"
