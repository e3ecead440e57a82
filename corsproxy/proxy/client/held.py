"""What a client has sent and nobody has read yet: further requests, kept as bytes behind the one under way.

Parsed, a small field takes seventy times its bytes; and what is parsed early may be parsed wrong.
Knows no transport: `Flow` pauses the client if it sends too much.
"""

from __future__ import annotations

from typing import Final

from corsproxy.proxy.client.flow import NEXT_REQUESTS, Flow

_KEPT_BEHIND: Final = 16 * 1024
"""Bytes of further requests kept while one is under way; more waits in the kernel."""


class Held:
    """Bytes that wait, `data` from `at` on."""

    __slots__ = ("at", "data")

    def __init__(self) -> None:
        self.data = b""
        self.at = 0

    @property
    def is_empty(self) -> bool:
        """True if nothing waits."""
        return self.at >= len(self.data)

    def put(self, data: bytes, at: int) -> None:
        """Let `data` from `at` on wait, where nothing does."""
        self.data = data
        self.at = at

    def add(self, data: bytes, at: int, flow: Flow) -> None:
        """Let `data` from `at` on wait behind what does."""
        self.data = self.data[self.at :] + data[at:]
        self.at = 0
        self.settle(flow)

    def settle(self, flow: Flow) -> None:
        """Pause a client that has sent too much, or read on."""
        behind = len(self.data) - self.at
        if behind > _KEPT_BEHIND:
            flow.pause(NEXT_REQUESTS)
        elif behind:
            flow.resume(NEXT_REQUESTS)
        else:
            self.drop(flow)

    def drop(self, flow: Flow) -> None:
        """Let go of everything, and read on."""
        self.data = b""
        self.at = 0
        flow.resume(NEXT_REQUESTS)

    def take(self, flow: Flow) -> bytes:
        """Return everything that waits, and let go of it."""
        data = self.data[self.at :]
        self.drop(flow)
        return data
