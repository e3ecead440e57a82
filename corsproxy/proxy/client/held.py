"""Bytes that a client sent after its current request: further requests, not parsed until it has ended.

Parsed, a small field takes seventy times its bytes; and what is parsed early may be parsed wrong.
Knows nothing about transports: `Flow` pauses the client if it sends too much.
"""

from __future__ import annotations

from typing import Final

from corsproxy.proxy.client.flow import NEXT_REQUESTS, Flow

_KEPT_BEHIND: Final = 16 * 1024
"""Bytes of further requests to keep during a request; more waits in the kernel."""


class Held:
    """The waiting bytes: `data` from `at` on."""

    __slots__ = ("at", "data")

    def __init__(self) -> None:
        self.data = b""
        self.at = 0

    @property
    def is_empty(self) -> bool:
        """True if nothing waits."""
        return self.at >= len(self.data)

    def put(self, data: bytes, at: int) -> None:
        """Hold `data` from `at` on; nothing else is held."""
        self.data = data
        self.at = at

    def add(self, data: bytes, at: int, flow: Flow) -> None:
        """Hold `data` from `at` on, after the held bytes."""
        self.data = self.data[self.at :] + data[at:]
        self.at = 0
        self.settle(flow)

    def settle(self, flow: Flow) -> None:
        """Pause a client that has sent too much, or resume it."""
        behind = len(self.data) - self.at
        if behind > _KEPT_BEHIND:
            flow.pause(NEXT_REQUESTS)
        elif behind:
            flow.resume(NEXT_REQUESTS)
        else:
            self.drop(flow)

    def drop(self, flow: Flow) -> None:
        """Drop all held bytes, and resume reading."""
        self.data = b""
        self.at = 0
        flow.resume(NEXT_REQUESTS)

    def take(self, flow: Flow) -> bytes:
        """Return and release all held bytes."""
        data = self.data[self.at :]
        self.drop(flow)
        return data
