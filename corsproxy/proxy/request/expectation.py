"""The 100 that a client has asked for before it sends content (RFC 9110 section 10.1.1).

The request goes to the upstream with its `Expect`, whose 100 or final answer is the client's: a server that refuses an
upload can do so before the first byte of it. Servers that know nothing of it keep silent; to them the content is
sent after a second, as curl does.
Knows no sockets: what says 100 is handed in.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

SILENCE: Final = 1.0
"""Seconds without a word from the upstream after which the client is told to go on: curl's own patience."""

CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


class Expectation:
    """Says 100 once: the upstream's, or after a while our own."""

    __slots__ = ("_is_over", "_say", "_timer")

    def __init__(self, say: Callable[[], None], patience: float) -> None:
        self._say = say
        """Tells the client to go on; not called after `end`."""
        self._is_over = False
        self._timer = asyncio.get_running_loop().call_later(patience, self._go_on)

    def upstream_says(self) -> bool:
        """Take a 100 of the upstream; return whether it is the client's, who has heard none yet."""
        is_first = not self._is_over
        self.end()
        return is_first

    def end(self) -> None:
        """Report nothing any more."""
        self._is_over = True
        self._timer.cancel()

    def _go_on(self) -> None:
        if not self._is_over:
            self.end()
            self._say()
