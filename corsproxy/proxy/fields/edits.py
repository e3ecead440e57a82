"""Fields that the configuration sets and removes, applied to a finished head after everything else.

The names that may not be edited (framing, hop-by-hop, the policy's own) were refused when the file was loaded.
Knows fields as bytes; no messages, no sockets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from corsproxy import settings

SAID_BY_FORWARDED = frozenset({b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-port", b"x-forwarded-proto"})
"""Who writes or removes one of these wants no Forwarded that says otherwise: Rack and Spring believe that one first."""


@dataclass(frozen=True, slots=True)
class FieldEditor:
    """The compiled `request_headers` or `response_headers` of one upstream."""

    names: frozenset[bytes]
    """In lower case: every line with such a name is removed, whether it is set or not."""
    folds: bool
    """True if names with underscores for hyphens count too: CGI and WSGI make one variable of both, so a client could
    otherwise add another value to the one that is set. The names above then have hyphens."""
    set_names: tuple[bytes, ...]
    block: bytes = field(repr=False)
    """The finished lines that are written instead."""

    @classmethod
    def compile(cls, edits: settings.FieldEdits, *, folds: bool) -> FieldEditor | None:
        """Return the editor, or None if there is nothing to edit; it `folds` if a server reads the fields."""
        if edits.is_empty:
            return None
        pairs = [(name.encode("ascii"), value.encode("utf-8")) for name, value in edits.set]
        written = (name.encode("ascii").lower() for name in (*(name for name, _ in edits.set), *edits.remove))
        names = {_folded(name) if folds else name for name in written}
        if folds and names & SAID_BY_FORWARDED:
            names.add(b"forwarded")
        return cls(
            frozenset(names),
            folds,
            tuple(name for name, _ in pairs),
            b"".join(b"%b: %b\r\n" % pair for pair in pairs),
        )

    def edits(self, name: bytes) -> bool:
        """Return whether a field of this name, in any letter case, is set or removed."""
        name = name.lower()
        return (_folded(name) if self.folds else name) in self.names

    def kept(self, block: bytes) -> bytes:
        """Return finished lines without those that are set or removed."""
        lines = block.splitlines(keepends=True)
        return b"".join([line for line in lines if not self.edits(line.partition(b":")[0])])

    def kept_pairs(self, pairs: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """Return names and values without those that are set or removed (trailer fields)."""
        return [pair for pair in pairs if not self.edits(pair[0])]


def _folded(name: bytes) -> bytes:
    return name.replace(b"_", b"-")
