"""The vocabulary in which the file's shape is declared: words, lists, maps of names, records of keys.

Only the vocabulary: what the file holds is in `declaration.py`, how it is read in `reader.py`, how it becomes a
JSON Schema in `json_schema.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Word:
    """A scalar: `parse` makes a value of its text, or raises `RefusedError`."""

    noun: str
    """What the reference calls it: `duration`, `rewrite | keep`."""
    parse: Callable[[str], Any]
    schema: tuple[Mapping[str, Any], ...]
    """JSON Schemas, one of which holds for the value as a YAML library would load it."""
    is_secret: bool = False
    """The value may be a credential: no message and no tool shows it."""


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list whose items have one shape."""

    item: Shape
    min_items: int = 0
    alone: Word | None = None
    """What may stand there instead of a list."""
    sample: str = ""
    """One that is valid, for messages about values of another shape."""


@dataclass(frozen=True, slots=True)
class MapOf:
    """A mapping from names that the user chooses to values of one shape."""

    noun: str
    item: Shape
    min_items: int = 0
    sample: str = ""
    """One that is valid, for messages about values of another shape."""
    name: Word | None = None
    """What a name may be, if it is not a label of the user's own."""
    is_secret: bool = False


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a record."""

    name: str
    shape: Shape
    description: str
    """One or two sentences, for the JSON Schema and the reference."""
    default: str | None = None
    """As it would be written in the file; None where the key has no default."""
    default_said: str = ""
    """What the reference says of a default that depends on other keys, which stands for None."""
    required: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """A mapping with these keys and no others."""

    noun: str
    keys: tuple[Key, ...]
    short: Word | None = None
    """A bare scalar may stand for the whole record."""
    short_for: str = ""
    """The name under which that scalar is then read."""
    is_secret: bool = False

    def key(self, name: str) -> Key | None:
        """Find a key by its name."""
        return next((key for key in self.keys if key.name == name), None)


Shape = Word | ListOf | MapOf | Record


def walk(shape: Shape, path: str = "") -> Iterator[tuple[str, Key]]:
    """Yield every declared key with its path (`policies.NAME.max_age`, `routes[].path`), in declared order."""
    match shape:
        case ListOf():
            yield from walk(shape.item, f"{path}[]")
        case MapOf():
            yield from walk(shape.item, f"{path}.NAME")
        case Record():
            for key in shape.keys:
                inner = f"{path}.{key.name}" if path else key.name
                yield inner, key
                yield from walk(key.shape, inner)
        case Word():
            return
