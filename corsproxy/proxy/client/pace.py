"""The rate at which a client sends bytes that it owes, or reads bytes that wait for it.

A client that moves a byte a minute never exceeds a limit of silence; 256 of them would hold every connection of an
upstream for hours. Only time in which bytes are owed counts, from one check to the next, so a quiet stream is not slow.
Knows nothing about clocks: times are parameters, in seconds.
"""

from __future__ import annotations

from collections import deque
from typing import Final

LEAST_WINDOW: Final = 10.0
"""Seconds of the shortest window: a mobile network may be gone for a few seconds."""

_SLOTS: Final = 16
"""Parts of the window; when a new one is complete, the oldest is dropped."""


class Pace:
    """Compares the bytes moved in the last window of owed time with a rate."""

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
        """The time of the last check; None if no bytes were owed then."""
        self._moved = moved
        self._slot_seconds = 0.0
        self._slot_bytes = 0
        self._slots: deque[tuple[float, int]] = deque()
        self._seconds = 0.0
        """The seconds of all slots, as `_bytes` are their bytes."""
        self._bytes = 0

    def is_too_slow(self, now: float, moved: int, *, is_owed: bool) -> bool:
        """Note the total of `moved` bytes; return whether the last whole window had too few."""
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
