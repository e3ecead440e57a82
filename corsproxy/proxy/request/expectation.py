"""The 100 (Continue) that a client expects before it sends content (RFC 9110 section 10.1.1).

Expect is forwarded, and so is the upstream's 100 or final response: a server that refuses an upload can do so before
the first byte. A server that does not know Expect stays silent; after a second the proxy sends the 100 itself, just as
curl then sends the content without one.
Knows nothing about sockets: the function that sends 100 is a parameter.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

SILENCE: Final = 1.0
"""Seconds for the upstream to answer before the proxy sends 100 itself; curl waits as long for a 100."""

CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


class Expectation:
    """One client's expectation: it gets one 100, the upstream's or, after a while, the proxy's own."""

    __slots__ = ("_is_over", "_send_continue", "_timer")

    def __init__(self, send_continue: Callable[[], None], silence: float) -> None:
        """Call `send_continue` after `silence` seconds, unless `end` or `upstream_continues` is called before."""
        self._send_continue = send_continue
        self._is_over = False
        self._timer = asyncio.get_running_loop().call_later(silence, self._expire)

    def upstream_continues(self) -> bool:
        """Note a 100 from the upstream; return whether to forward it, because the client has not had one."""
        is_first = not self._is_over
        self.end()
        return is_first

    def end(self) -> None:
        """Send no 100 from now on."""
        self._is_over = True
        self._timer.cancel()

    def _expire(self) -> None:
        if not self._is_over:
            self.end()
            self._send_continue()
