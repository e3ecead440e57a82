"""The text of bytes from clients, and of times, for a log line.

Knows nothing about the rest of the line.
"""

from __future__ import annotations

import time
from typing import overload


@overload
def readable(sent: bytes) -> str: ...
@overload
def readable(sent: bytes | None) -> str | None: ...
def readable(sent: bytes | None) -> str | None:
    r"""Return bytes of a head as text, with `\xNN` for each byte that is not UTF-8. Control characters stay."""
    return sent.decode("utf-8", "backslashreplace") if sent is not None else None


class Clock:
    """Formats times as in RFC 3339, in UTC with milliseconds; the text is cached for a millisecond, its beginning for a
    second.
    """

    __slots__ = ("_beginning", "_millisecond", "_second", "_text")

    def __init__(self) -> None:
        self._millisecond = -1
        self._second = -1
        self._beginning = ""
        self._text = ""

    def text(self, now: float) -> str:
        """Return the text of `now`, in seconds since the epoch."""
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
