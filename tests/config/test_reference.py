"""The example and the reference are held to the declaration: a key that is not shown does not exist for its user."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from corsproxy.config.declaration import FILE
from corsproxy.config.shape import Key, ListOf, MapOf, Record, Shape, Word, walk

ROOT = Path(__file__).parents[2]
REFERENCE = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
EXAMPLE = (ROOT / "config.example.yaml").read_text(encoding="utf-8")
KEYS = list(walk(FILE))


def noun(shape: Shape) -> str:
    """Say what a value is, as the reference does."""
    match shape:
        case Word():
            return shape.noun
        case ListOf():
            return f"list of {noun(shape.item)}"
        case MapOf():
            return f"mapping, name to {noun(shape.item)}"
        case Record():
            return f"{shape.short.noun} or mapping" if shape.short else "mapping"


def row(path: str, key: Key) -> str:
    """Give the row of the reference for a key."""
    shown = noun(key.shape).replace("|", "\\|")
    default = "required" if key.required else f"`{key.default}`" if key.default is not None else "none"
    return f"| `{path}` | {shown} | {default} | {key.description} |"


@pytest.mark.parametrize(("path", "key"), KEYS, ids=[path for path, _ in KEYS])
def test_every_key_has_its_row_in_the_reference(path: str, key: Key) -> None:
    """Every key has its row in the reference."""
    assert row(path, key) in REFERENCE.splitlines()


def test_the_reference_has_no_row_of_a_key_that_is_gone() -> None:
    """The reference has no row of a key that is gone."""
    rows = re.findall(r"^\| `([^`]+)` \|.+\|.+\|.+\|$", REFERENCE, re.MULTILINE)
    assert sorted(rows) == sorted(path for path, _ in KEYS)


@pytest.mark.parametrize("name", sorted({key.name for _, key in KEYS}))
def test_every_key_is_shown_in_the_example(name: str) -> None:
    """Those that need a file of their own are commented out."""
    assert re.search(rf"^ *(- |# *)*{name}:", EXAMPLE, re.MULTILINE)
