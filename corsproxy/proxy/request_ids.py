"""Ids for requests that come without a valid one.

Knows nothing about requests.
"""

from __future__ import annotations

import secrets
from typing import Final

_ENDS: Final = [b"%02x" % number for number in range(256)]
"""The last two digits of ids: the rest of an id is formatted once for 256 of them, for speed."""


class RequestIds:
    """Generates ids: a random prefix, which no other worker has, and a number."""

    __slots__ = ("_beginning", "_count", "_own")

    def __init__(self) -> None:
        self._own = secrets.token_hex(6).encode()
        self._count = 0
        self._beginning = b""

    def next(self) -> bytes:
        """Return the next id."""
        self._count += 1
        end = self._count & 0xFF
        if not end or not self._beginning:
            self._beginning = b"%b-%x" % (self._own, self._count >> 8)
        return self._beginning + _ENDS[end]
