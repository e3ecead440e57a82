"""True if a client is read: one owner of pausing and resuming, which knows every reason there is.

The client is read again when the last reason is gone.
Knows the transport's two methods alone.
"""

from __future__ import annotations

import asyncio
from enum import IntFlag
from typing import Final


class PauseReason(IntFlag):
    """Why a client is not read for now."""

    CONTENT = 1
    """Content piles up: whoever reads it is slower than the client."""
    NEXT_REQUESTS = 2
    """Further requests wait for the one under way."""
    TUNNEL = 4
    """The other side of a tunnel takes no more for now."""


CONTENT: Final = int(PauseReason.CONTENT)
NEXT_REQUESTS: Final = int(PauseReason.NEXT_REQUESTS)
TUNNEL: Final = int(PauseReason.TUNNEL)


class Flow:
    """Pauses and resumes the reading of one transport."""

    __slots__ = ("_reasons", "_transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._reasons = 0

    @property
    def is_paused(self) -> bool:
        """True if the client is not read."""
        return self._reasons != 0

    def pause(self, reason: int) -> None:
        """Stop reading for `reason`, whatever others there are."""
        if not self._reasons and not self._transport.is_closing():
            self._transport.pause_reading()
        self._reasons |= reason

    def resume(self, reason: int) -> None:
        """Take back `reason`; read on if it was the last."""
        if self._reasons & reason:
            self._reasons &= ~reason
            if not self._reasons and not self._transport.is_closing():
                self._transport.resume_reading()

    def content_piles_up(self) -> None:
        """Read no more until the content has been taken."""
        self.pause(CONTENT)

    def content_drained(self) -> None:
        """Read on, as far as content is concerned."""
        self.resume(CONTENT)
