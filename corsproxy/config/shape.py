"""The vocabulary in which the file's shape is declared: words, lists, maps of names, records of keys.

Each shape knows the type of the value that is read for it, so that a record is a frozen dataclass whose fields mypy
holds against their keys.
Only the vocabulary: what the file holds is in `declaration/`, how it is read in `reader.py`, how it becomes a
JSON Schema in `json_schema.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from enum import Enum
from typing import Any, Final, Generic, TypeVar, cast, overload

V = TypeVar("V")
V_co = TypeVar("V_co", covariant=True)
A = TypeVar("A")

Items = tuple[tuple[int, V], ...]
"""A list as read: each value with its index, so that what is said later about an item names its place in the file."""

JsonSchema = dict[str, object]


class Bad(Enum):
    """The type of `BAD`."""

    BAD = "bad"


BAD: Final = Bad.BAD
"""Stands for a value that was reported."""


def written(value: V | None) -> V:
    """Return the value of a required key, which is there in a file in which nothing is wrong."""
    if value is None:
        raise LookupError("a required key is missing, and that was not reported")
    return value


class Shape(Generic[V_co]):
    """What a value of the type `V_co` is written as: one of the four below."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Word(Shape[V_co], Generic[V_co]):
    """A scalar: `parse` makes a value of its text, or raises `RefusedError`."""

    noun: str
    """What the reference calls it: `duration`, `rewrite | keep`."""
    parse: Callable[[str], V_co]
    schema: tuple[JsonSchema, ...]
    """JSON Schemas, one of which holds for the value as a YAML library would load it."""
    is_secret: bool = False
    """The value may be a credential: no message and no tool shows it."""


@dataclass(frozen=True, slots=True)
class ListOf(Shape[Items[V_co]], Generic[V_co]):
    """A list whose items have one shape."""

    item: Word[V_co] | Record[V_co]
    min_items: int = 0
    alone: Word[object] | None = None
    """What may stand there instead of a list."""
    sample: str = ""
    """One that is valid, for messages about values of another shape."""


def list_or(word: Word[A], item: Word[V]) -> Shape[A | Items[V]]:
    """Take a list, or one word of another kind alone."""
    return cast("Shape[A | Items[V]]", ListOf(item, alone=word))  # `alone` has no part in the type of the list


@dataclass(frozen=True, slots=True)
class MapOf(Shape[Mapping[str, V_co | Bad]], Generic[V_co]):
    """A mapping from names that the user chooses to values of one shape; `BAD` for each that was reported."""

    noun: str
    item: Word[V_co] | Record[V_co]
    min_items: int = 0
    sample: str = ""
    """One that is valid, for messages about values of another shape."""
    name: Word[str] | None = None
    """What a name may be, if it is not a label of the user's own."""
    is_secret: bool = False


@dataclass(frozen=True, slots=True)
class Record(Shape[V_co], Generic[V_co]):
    """A mapping with the keys that the fields of `make` declare, and no others."""

    noun: str
    make: Callable[..., V_co]
    """A dataclass whose fields are made by `key`; it takes every key by its name."""
    keys: tuple[Key, ...]
    short: Word[object] | None = None
    """A bare scalar may stand for the whole record."""
    short_for: str = ""
    """The field that this scalar then is."""
    is_secret: bool = False

    def key(self, name: str) -> Key | None:
        """Find a key by its name."""
        return next((key for key in self.keys if key.name == name), None)


AnyShape = Word[object] | ListOf[object] | MapOf[object] | Record[object]


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a record."""

    name: str
    shape: AnyShape
    description: str
    """One or two sentences, for the JSON Schema and the reference."""
    default: str | None = None
    """As it would be written in the file; None if the key has no default."""
    default_said: str = ""
    """What the reference says about a default that depends on other keys, which stands for None."""
    required: bool = False


@overload
def key(shape: Shape[V], description: str, default: str) -> V: ...


@overload
def key(shape: Shape[V], description: str, *, default_said: str = ..., required: bool = ...) -> V | None: ...


def key(
    shape: Shape[V], description: str, default: str | None = None, *, default_said: str = "", required: bool = False
) -> V | None:
    """Declare a field of a record's dataclass as a key of the file.

    Where the key is absent or bad, its value is the default, or None.
    """
    if not isinstance(shape, Word | ListOf | MapOf | Record):
        raise TypeError(shape)
    declared = Key("", shape, description, default, default_said, required)
    made: V | None = field(metadata={_KEY: declared})
    return made


def record(
    noun: str,
    make: type[V],
    *,
    short: Word[object] | None = None,
    short_for: str = "",
    is_secret: bool = False,
) -> Record[V]:
    """Declare the record whose keys are the fields of the dataclass `make`."""
    declared: Any = make  # a dataclass, which no type says
    keys = tuple(
        Key(one.name, known.shape, known.description, known.default, known.default_said, known.required)
        for one in fields(declared)
        if (known := one.metadata.get(_KEY)) is not None
    )
    return Record(noun, make, keys, short, short_for, is_secret)


_KEY = "corsproxy.key"


def walk(shape: AnyShape, path: str = "") -> Iterator[tuple[str, Key]]:
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
