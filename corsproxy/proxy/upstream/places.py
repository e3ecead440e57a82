"""A number of places, each held by one at a time and given back once.

Knows nothing of what they are places for.
"""

from __future__ import annotations


class Places:
    """As many places as there are."""

    __slots__ = ("_most", "taken")

    def __init__(self, most: int) -> None:
        self._most = most
        self.taken = 0

    def take(self) -> HeldPlace | None:
        """Return a place, None if none is left."""
        if self.taken >= self._most:
            return None
        self.taken += 1
        return HeldPlace(self)


class HeldPlace:
    """One place, until it is given back; as a context manager, until its block ends."""

    __slots__ = ("_is_held", "_places")

    def __init__(self, places: Places) -> None:
        self._places = places
        self._is_held = True

    def give_back(self) -> None:
        """Leave it to another; a second time does nothing."""
        if self._is_held:
            self._is_held = False
            self._places.taken -= 1

    def __enter__(self) -> None:
        """Hold it."""

    def __exit__(self, *_: object) -> None:
        """Return the place."""
        self.give_back()
