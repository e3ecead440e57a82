"""Rows that set our rewriting of a field line beside what nginx and Node's http-proxy make of the same line."""

from __future__ import annotations

from dataclasses import dataclass

OFF = b"<no such setting>"
"""The answer of a program that cannot be set up to do the same."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of an upstream, three answers to it (None is ours again), and why they differ."""

    value: bytes
    ours: bytes
    nginx: bytes | None = None
    node: bytes | None = None
    why: str = ""

    @property
    def differs(self) -> bool:
        """True if one of the other two answers differs from ours."""
        return any(theirs not in {None, OFF, self.ours} for theirs in (self.nginx, self.node))


def kept(value: bytes, nginx: bytes | None = None, node: bytes | None = None, why: str = "") -> Row:
    """Return a row whose value is untouched."""
    return Row(value, value, nginx, node, why)
