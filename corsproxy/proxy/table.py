"""The cache of the data path: one kind of table, bounded by entries and bytes.

Clients choose the keys, so a full table is emptied: filling it costs the attacker, and no order has to be kept.
Knows nothing of what it keeps.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Generic, TypeVar, cast

Key = TypeVar("Key")
Value = TypeVar("Value")

_MOST_ENTRIES: Final = 1024
"""More than the programs, names and origins that one proxy sees; only made-up values could fill the rest."""

_MOST_BYTES: Final = 256 * 1024
"""The most bytes of all keys together; their values take a few times as much."""

_LONGEST_NAME: Final = 64
"""Longer names are not cached."""


class Table(Generic[Key, Value]):
    """A bounded cache: look up in `known`, and `keep` a missing value."""

    __slots__ = ("_bytes", "known")

    def __init__(self) -> None:
        self._bytes = 0
        self.known: dict[Key, Value] = {}
        """For look-ups only."""

    def keep(self, key: Key, size: int, value: Value) -> Value:
        """Store a value under a key of `size` bytes; return it."""
        if len(self.known) >= _MOST_ENTRIES or self._bytes + size > _MOST_BYTES:
            self.known.clear()
            self._bytes = 0
        self._bytes += size
        self.known[key] = value
        return value


class NameTable(Generic[Value]):
    """The meaning of each name as spelled: classified once, then looked up."""

    __slots__ = ("_classify", "_table", "known")

    def __init__(self, classify: Callable[[bytes], Value]) -> None:
        self._classify = classify
        self._table: Table[bytes, Value] = Table()
        self.known = self._table.known
        """The names seen so far, for loops in which a call would cost too much; use `[]` for a missing one."""

    def __getitem__(self, name: bytes) -> Value:
        known = self.known.get(name)
        if known is not None or name in self.known:
            return cast("Value", known)
        value = self._classify(name)
        return self._table.keep(name, len(name), value) if len(name) <= _LONGEST_NAME else value


def marking_all_but(harmless: bytes) -> bytes:
    """Return a table for `bytes.translate` that leaves text unchanged if it has only `harmless` bytes, at least one.

    `text.translate(table) != text` costs a quarter of `text.translate(None, harmless)`, which first makes a table.
    """
    return bytes(byte if byte in harmless else harmless[0] for byte in range(256))
