"""True if a client that owes bytes, or for which bytes wait, moves them at the least rate.

A byte a minute keeps every silence short; 256 such clients would hold every connection of an upstream for hours.
Only time in which bytes are owed counts, from one look to the next, so a quiet stream is not slow.
Knows nothing about clocks: times are numbers that come in.
"""

from __future__ import annotations

from collections import deque
from typing import Final

LEAST_WINDOW: Final = 10.0
"""The shortest window of the rate in seconds: a mobile network may be gone for a few."""

_SLOTS: Final = 16
"""Parts of the window; the oldest is let go when a new one is whole."""


class Pace:
    """The bytes moved in the last window of time in which bytes were owed."""

    __slots__ = (
        "_bytes",
        "_looked",
        "_moved",
        "_rate",
        "_seconds",
        "_slot_bytes",
        "_slot_seconds",
        "_slots",
        "_window",
    )

    def __init__(self, rate: int, window: float, now: float, moved: int) -> None:
        self._rate = rate
        """Bytes a second."""
        self._window = window
        self._looked: float | None = now
        """When the last check was, if bytes were owed then."""
        self._moved = moved
        self._slot_seconds = 0.0
        self._slot_bytes = 0
        self._slots: deque[tuple[float, int]] = deque()
        self._seconds = 0.0
        """Of all slots."""
        self._bytes = 0

    def is_too_slow(self, now: float, moved: int, *, is_owed: bool) -> bool:
        """Update with the total of `moved` bytes; return whether the last window had too few."""
        seconds = now - self._looked if is_owed and self._looked is not None else 0.0
        grown = max(0, moved - self._moved)
        self._looked = now if is_owed else None
        self._moved = moved
        if not seconds:
            return False
        self._slot_seconds += seconds
        self._slot_bytes += grown
        if self._slot_seconds < self._window / _SLOTS:
            return False
        self._slots.append((self._slot_seconds, self._slot_bytes))
        self._seconds += self._slot_seconds
        self._bytes += self._slot_bytes
        self._slot_seconds, self._slot_bytes = 0.0, 0
        if self._seconds < self._window:
            return False
        if self._bytes < self._rate * self._seconds:
            return True
        while self._seconds - self._slots[0][0] >= self._window:
            self._drop_oldest()
        self._drop_oldest()
        return False

    def _drop_oldest(self) -> None:
        seconds, size = self._slots.popleft()
        self._seconds -= seconds
        self._bytes -= size
