"""Bytes from clients, made safe for a log line: no control character, no broken encoding, no second line.

Bytes or text in, text out; knows nothing about what it is part of.
"""

from __future__ import annotations

import time
from typing import overload


@overload
def readable(sent: bytes) -> str: ...
@overload
def readable(sent: bytes | None) -> str | None: ...
def readable(sent: bytes | None) -> str | None:
    r"""Return bytes of a head as text: UTF-8 as characters, any other byte as `\xNN`."""
    return sent.decode("utf-8", "backslashreplace") if sent is not None else None


class Clock:
    """Tells the time as RFC 3339 in UTC with milliseconds, making the text of a second once, and of a millisecond."""

    __slots__ = ("_beginning", "_millisecond", "_second", "_text")

    def __init__(self) -> None:
        self._millisecond = -1
        self._second = -1
        self._beginning = ""
        self._text = ""

    def text(self, now: float) -> str:
        """Return the text of `now`, seconds since the epoch."""
        milliseconds = int(now * 1000)
        if milliseconds == self._millisecond:
            return self._text
        second, rest = divmod(milliseconds, 1000)
        if second != self._second:
            self._second = second
            self._beginning = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        self._millisecond = milliseconds
        self._text = f"{self._beginning}.{rest:03d}Z"
        return self._text
