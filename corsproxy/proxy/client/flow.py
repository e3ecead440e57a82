"""Flow control of a client: the only code that pauses and resumes reading, because it knows all reasons.

Reading resumes when the last reason is gone.
Knows the transport only.
"""

from __future__ import annotations

import asyncio
from enum import IntFlag
from typing import Final


class PauseReason(IntFlag):
    """Why reading from a client is paused."""

    CONTENT = 1
    """The content buffer is full: its reader is slower than the client."""
    NEXT_REQUESTS = 2
    """Further requests wait for the current one."""
    TUNNEL = 4
    """The other side of a tunnel has stopped reading."""


CONTENT: Final = int(PauseReason.CONTENT)
NEXT_REQUESTS: Final = int(PauseReason.NEXT_REQUESTS)
TUNNEL: Final = int(PauseReason.TUNNEL)


class Flow:
    """Pause and resume the reading of one transport."""

    __slots__ = ("_reasons", "_transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._reasons = 0

    @property
    def is_paused(self) -> bool:
        """Return whether reading is paused."""
        return self._reasons != 0

    def pause(self, reason: int) -> None:
        """Pause reading for `reason`, in addition to any others."""
        if not self._reasons and not self._transport.is_closing():
            self._transport.pause_reading()
        self._reasons |= reason

    def resume(self, reason: int) -> None:
        """Remove `reason`; resume reading if it was the last."""
        if self._reasons & reason:
            self._reasons &= ~reason
            if not self._reasons and not self._transport.is_closing():
                self._transport.resume_reading()

    def content_piles_up(self) -> None:
        """Pause reading until the content has been consumed."""
        self.pause(CONTENT)

    def content_drained(self) -> None:
        """Resume reading, unless another reason remains."""
        self.resume(CONTENT)
