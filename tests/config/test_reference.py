"""The example and the reference have every key of the declaration, with its default and text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from corsproxy.config.declaration import FILE
from corsproxy.config.shape import AnyShape, Key, ListOf, MapOf, Record, Word, walk

ROOT = Path(__file__).parents[2]
REFERENCE = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
EXAMPLE = (ROOT / "config.example.yaml").read_text(encoding="utf-8")
KEYS = list(walk(FILE))


def noun(shape: AnyShape) -> str:
    """Return what a value is, as the reference does."""
    match shape:
        case Word():
            return shape.noun
        case ListOf():
            alone = f"{shape.alone.noun} | " if shape.alone is not None else ""
            return f"{alone}list of {noun(shape.item)}"
        case MapOf():
            return f"mapping, name to {noun(shape.item)}"
        case Record():
            return f"{shape.short.noun} or mapping" if shape.short else "mapping"


def row(path: str, key: Key) -> str:
    """Return the row of the reference for a key."""
    shown = noun(key.shape).replace("|", "\\|")
    written = f"`{key.default}`" if key.default is not None else key.default_said or "none"
    default = "required" if key.required else written
    return f"| `{path}` | {shown} | {default} | {key.description} |"


@pytest.mark.parametrize(("path", "key"), KEYS, ids=[path for path, _ in KEYS])
def test_every_key_has_its_row_in_the_reference(path: str, key: Key) -> None:
    """Every key has its row in the reference."""
    assert row(path, key) in REFERENCE.splitlines()


def test_the_reference_has_no_row_of_a_key_that_is_gone() -> None:
    """The reference has no row of a key that is gone."""
    rows = re.findall(r"^\| `([^`]+)` \|.+\|.+\|.+\|$", REFERENCE, re.MULTILINE)
    assert sorted(rows) == sorted(path for path, _ in KEYS)


def test_the_bounds_of_numbers_are_those_of_the_declaration() -> None:
    """One section has the durations that may be 0, and the bounds."""
    section = REFERENCE.partition("### Durations and sizes\n")[2].partition("\n### ")[0]
    words = {path: key.shape for path, key in KEYS if isinstance(key.shape, Word)}
    bounds = {
        path: (schema["minimum"], schema["maximum"])
        for path, word in words.items()
        for schema in word.schema
        if "maximum" in schema
    }
    durations = {path: bounds[path] for path, word in words.items() if word.noun == "duration"}
    ports = {"listen", "admin"}
    others = {path: bounds[path] for path in bounds.keys() - durations.keys() - ports}
    [may_be_0] = re.findall(r"^Only these durations may be 0: (.+)\.$", section, re.MULTILINE)
    assert sorted(re.findall("`(.+?)`", may_be_0)) == sorted(
        re.sub(r"^\w+\.NAME\.", "", path) for path, (least, _) in durations.items() if least == 0
    )
    week = 168 * 3600
    assert {path: most for path, (_, most) in durations.items() if most != week} == {"policies.NAME.max_age": 24 * 3600}
    assert others == {
        "workers": (1, 1024),
        "upstreams.NAME.max_connections": (1, 1_000_000),
        "upstreams.NAME.max_tunnels": (1, 1_000_000),
        "limits.max_body": (0, 2**50),
        "limits.max_header_bytes": (256, 16 * 1024**2),
        "limits.max_header_lines": (1, 100_000),
        "limits.min_rate": (0, 2**50),
        "limits.max_connections": (1, 10_000_000),
    }
    assert "is at most 24h" in section
    for said in ("168h", "1024", "1000000", "10000000", "256 bytes to 16MiB", "1 to 100000"):
        assert said in section


@pytest.mark.parametrize("name", sorted({key.name for _, key in KEYS}))
def test_every_key_is_shown_in_the_example(name: str) -> None:
    """Those that need a file of their own are commented out."""
    assert re.search(rf"^ *(- |# *)*{name}:", EXAMPLE, re.MULTILINE)
