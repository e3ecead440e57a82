"""The cache of the data path: one kind of table, bounded by entries and bytes.

Clients choose the keys. A full table is emptied, which needs no record of use: an attacker who fills it only makes the
next look-ups slower.
Knows nothing about what is cached.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Generic, TypeVar, cast

Key = TypeVar("Key")
Value = TypeVar("Value")

_MOST_ENTRIES: Final = 1024
"""More than the programs, names and origins that one proxy sees; only made-up values fill a table."""

_MOST_BYTES: Final = 256 * 1024
"""The most bytes of all keys of a table; the values take a few times as much."""

_LONGEST_NAME: Final = 64
"""Bytes of a name; longer ones are not cached."""


class Table(Generic[Key, Value]):
    """A bounded cache: look values up in `known`, and add a missing one with `keep`."""

    __slots__ = ("_bytes", "known")

    def __init__(self) -> None:
        self._bytes = 0
        self.known: dict[Key, Value] = {}
        """For look-ups only: a caller must not change it."""

    def keep(self, key: Key, size: int, value: Value) -> Value:
        """Add a value under a key of `size` bytes, and return it; empty the table before if it is full."""
        if len(self.known) >= _MOST_ENTRIES or self._bytes + size > _MOST_BYTES:
            self.known.clear()
            self._bytes = 0
        self._bytes += size
        self.known[key] = value
        return value


class NameTable(Generic[Value]):
    """A bounded cache of a function of names: called once for each spelling, then looked up."""

    __slots__ = ("_classify", "_table", "known")

    def __init__(self, classify: Callable[[bytes], Value]) -> None:
        self._classify = classify
        self._table: Table[bytes, Value] = Table()
        self.known = self._table.known
        """The cached values, for loops in which a call would be too slow; use `[]` for a missing one."""

    def __getitem__(self, name: bytes) -> Value:
        known = self.known.get(name)
        if known is not None or name in self.known:
            return cast("Value", known)
        value = self._classify(name)
        return self._table.keep(name, len(name), value) if len(name) <= _LONGEST_NAME else value


def marking_all_but(harmless: bytes) -> bytes:
    """Return a table for `bytes.translate` that changes every byte but the `harmless` ones.

    So `text.translate(table) != text` finds other bytes, at a quarter of the cost of `text.translate(None, harmless)`,
    which builds a table for each call.
    """
    return bytes(byte if byte in harmless else harmless[0] for byte in range(256))
