"""Fields that the configuration sets and removes, applied to a finished head after everything else.

Names that must not be edited (framing, hop-by-hop, CORS) are refused when the configuration is loaded.
Knows fields as bytes; no messages, no sockets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from corsproxy import settings

REPEATED_IN_FORWARDED = frozenset(
    {b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-port", b"x-forwarded-proto"},
)
"""If one of these is set or removed, Forwarded goes too: Rack and Spring prefer it, and it would defeat the edit."""


@dataclass(frozen=True, slots=True)
class FieldEditor:
    """The compiled `request_headers` or `response_headers` of one upstream."""

    names: frozenset[bytes]
    """In lower case: the client's or upstream's lines with these names are removed, those that are set included."""
    folds: bool
    """True if a name with underscores is the same as one with hyphens: CGI and WSGI make one variable of both, so a
    client could otherwise add a value to the one that is set. `names` then contains hyphens only."""
    set_names: tuple[bytes, ...]
    block: bytes = field(repr=False)
    """The finished lines that are set."""

    @classmethod
    def compile(cls, edits: settings.FieldEdits, *, folds: bool) -> FieldEditor | None:
        """Compile the edits; None if there are none. `folds` for a request, whose fields a server reads."""
        if edits.is_empty:
            return None
        pairs = [(name.encode("ascii"), value.encode("utf-8")) for name, value in edits.set]
        written = (name.encode("ascii").lower() for name in (*(name for name, _ in edits.set), *edits.remove))
        names = {_folded(name) if folds else name for name in written}
        if folds and names & REPEATED_IN_FORWARDED:
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
        """Return the lines of `block` that are neither set nor removed."""
        lines = block.splitlines(keepends=True)
        return b"".join([line for line in lines if not self.edits(line.partition(b":")[0])])

    def kept_pairs(self, pairs: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """Return the trailer fields, as name and value, that are neither set nor removed."""
        return [pair for pair in pairs if not self.edits(pair[0])]


def _folded(name: bytes) -> bytes:
    return name.replace(b"_", b"-")
