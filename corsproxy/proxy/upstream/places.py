"""A limited number of places, each of which one user holds and gives back once.

Knows nothing about the users.
"""

from __future__ import annotations


class Places:
    """At most `most` places at a time."""

    __slots__ = ("_most", "taken")

    def __init__(self, most: int) -> None:
        self._most = most
        self.taken = 0

    def take(self) -> HeldPlace | None:
        """Return a place, or None if all are taken."""
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
        """Free the place; a second call does nothing."""
        if self._is_held:
            self._is_held = False
            self._places.taken -= 1

    def __enter__(self) -> None:
        """Do nothing: the place is held already."""

    def __exit__(self, *_: object) -> None:
        """Free the place."""
        self.give_back()
