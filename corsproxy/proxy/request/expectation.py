"""The 100 that a client expects before it sends content (RFC 9110 section 10.1.1).

The request goes to the upstream with its `Expect`, whose 100 or final answer is the client's: a server that refuses an
upload can do so before the first byte of it. Servers that know nothing of it keep silent; to them the content is
sent after a second, as curl does.
Knows nothing about sockets: what says 100 is handed in.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

SILENCE: Final = 1.0
"""Seconds of silence from the upstream after which the proxy sends 100 itself; curl waits as long."""

CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


class Expectation:
    """Send 100 once: the upstream's or, after a while, the proxy's own."""

    __slots__ = ("_is_over", "_say", "_timer")

    def __init__(self, say: Callable[[], None], patience: float) -> None:
        self._say = say
        """Send 100 to the client; not called after `end`."""
        self._is_over = False
        self._timer = asyncio.get_running_loop().call_later(patience, self._go_on)

    def upstream_says(self) -> bool:
        """Take a 100 of the upstream; return whether to forward it, because the client has not had one."""
        is_first = not self._is_over
        self.end()
        return is_first

    def end(self) -> None:
        """Send nothing any more."""
        self._is_over = True
        self._timer.cancel()

    def _go_on(self) -> None:
        if not self._is_over:
            self.end()
            self._say()
