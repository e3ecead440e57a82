"""The vocabulary of the file's declaration: words, lists, maps of names, records of keys.

Each shape has the type of its values, so mypy checks the fields of a record's dataclass against their keys.
`declaration/` uses the vocabulary, `reader.py` reads files with it, `json_schema.py` makes a JSON Schema of it.
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
"""A list as read: each value with its index, so that later messages about an item have its place in the file."""

JsonSchema = dict[str, object]


class Bad(Enum):
    """The type of `BAD`."""

    BAD = "bad"


BAD: Final = Bad.BAD
"""Stands for a value that was reported."""


def present(value: V | None) -> V:
    """Return the value of a required key; a file without errors has it."""
    if value is None:
        raise LookupError("a required key is missing, and that was not reported")
    return value


class Shape(Generic[V_co]):
    """How a value of the type `V_co` is written: one of the four classes below."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Word(Shape[V_co], Generic[V_co]):
    """A scalar: `parse` makes a value of its text, or raises `RefusedError`."""

    noun: str
    """Its name in the reference: `duration`, `rewrite | keep`."""
    parse: Callable[[str], V_co]
    schema: tuple[JsonSchema, ...]
    """JSON Schemas, one of which matches the value as a YAML library would load it."""
    is_secret: bool = False
    """True if the value may be a credential: no message and no tool shows it."""


@dataclass(frozen=True, slots=True)
class ListOf(Shape[Items[V_co]], Generic[V_co]):
    """A list whose items have one shape."""

    item: Word[V_co] | Record[V_co]
    min_items: int = 0
    alone: Word[object] | None = None
    """A word that may be written instead of a list."""
    sample: str = ""
    """A valid list, for messages about values of another shape."""


def list_or(word: Word[A], item: Word[V]) -> Shape[A | Items[V]]:
    """Return the shape of a list, or of one `word` in its place."""
    return cast("Shape[A | Items[V]]", ListOf(item, alone=word))  # the type of `ListOf` does not include `alone`


@dataclass(frozen=True, slots=True)
class MapOf(Shape[Mapping[str, V_co | Bad]], Generic[V_co]):
    """A mapping from names that the user chooses to values of one shape; `BAD` for each that was reported."""

    noun: str
    item: Word[V_co] | Record[V_co]
    min_items: int = 0
    sample: str = ""
    """A valid mapping, for messages about values of another shape."""
    name: Word[str] | None = None
    """The word for a name; None is a label."""
    is_secret: bool = False


@dataclass(frozen=True, slots=True)
class Record(Shape[V_co], Generic[V_co]):
    """A mapping with the keys that the fields of `make` declare, and no others."""

    noun: str
    make: Callable[..., V_co]
    """A dataclass whose fields were declared with `key`."""
    keys: tuple[Key, ...]
    short: Word[object] | None = None
    """A scalar that may be written instead of the mapping."""
    short_for: str = ""
    """The field with the value of that scalar."""
    is_secret: bool = False

    def key(self, name: str) -> Key | None:
        """Return the key with this name, or None."""
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
    """The reference's text about a default that depends on other keys; `default` is then None."""
    required: bool = False


@overload
def key(shape: Shape[V], description: str, default: str) -> V: ...


@overload
def key(shape: Shape[V], description: str, *, default_said: str = ..., required: bool = ...) -> V | None: ...


def key(
    shape: Shape[V], description: str, default: str | None = None, *, default_said: str = "", required: bool = False
) -> V | None:
    """Declare a field of a record's dataclass as a key of the file.

    If the key is absent or bad, its value is the default, or None.
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
    declared: Any = make  # a dataclass, which `type` cannot express
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
