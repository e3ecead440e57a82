"""The bytes that a client has sent after its current request: further requests, not parsed before that has ended.

Parsed, a small field takes seventy times its bytes; and after an upgrade the bytes are not HTTP at all.
Knows nothing about transports: `Flow` pauses a client that sends too much.
"""

from __future__ import annotations

from typing import Final

from corsproxy.proxy.client.flow import NEXT_REQUESTS, Flow

_KEPT_BEHIND: Final = 16 * 1024
"""Bytes to hold during a request before the client is paused, so that more waits in the kernel."""


class Held:
    """The held bytes: `data` from `at` on."""

    __slots__ = ("at", "data")

    def __init__(self) -> None:
        self.data = b""
        self.at = 0

    @property
    def is_empty(self) -> bool:
        """True if no bytes are held."""
        return self.at >= len(self.data)

    def put(self, data: bytes, at: int) -> None:
        """Hold `data` from `at` on, in place of anything held before."""
        self.data = data
        self.at = at

    def add(self, data: bytes, at: int, flow: Flow) -> None:
        """Hold `data` from `at` on, after the held bytes."""
        self.data = self.data[self.at :] + data[at:]
        self.at = 0
        self.settle(flow)

    def settle(self, flow: Flow) -> None:
        """Pause the client if it has sent too much, otherwise resume it."""
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
