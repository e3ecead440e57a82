"""Request content that is collected before a connection to the upstream is taken.

Otherwise 256 clients that announce 100,000 bytes and send one would hold every connection of an upstream (the attack
R-U-Dead-Yet). nginx buffers whole uploads for the same reason.
Knows nothing about upstreams, routes or policies.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

SMALL: Final = 64 * 1024
"""Bytes of content to collect: all of it if no more is announced, otherwise the beginning."""

PATIENCE: Final = 1.0
"""Seconds after which longer content may be sent with what has arrived: it may be a stream that is slow on purpose."""

MOST: Final = 64 * 1024 * 1024
"""Bytes that a worker collects for all its clients; beyond that, content is streamed as it arrives."""


class Content(Protocol):
    """Content that is still arriving."""

    def is_eof(self) -> bool:
        """Return whether all content has arrived."""


class Budget:
    """Counts the content that a worker has collected for all its clients, in bytes."""

    __slots__ = ("collected",)

    def __init__(self) -> None:
        self.collected = 0

    @property
    def is_spent(self) -> bool:
        """Return whether no more may be collected."""
        return self.collected >= MOST


class Collection:
    """The collected content of one request."""

    __slots__ = ("_budget", "_pieces", "size")

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._pieces: list[bytes] = []
        self.size = 0

    async def fill(
        self, content: Content, announced: int, read: Callable[[], Awaitable[bytes]], may_begin: Callable[[], bool]
    ) -> None:
        """Collect content with `read`: all of it if at most `SMALL` bytes are `announced`, otherwise the first `SMALL`.

        Stops early if the budget is spent; for longer content also after `PATIENCE`, if `may_begin` returns True. If
        it returns False, it is asked again after the same time.
        """
        while True:
            try:
                async with asyncio.timeout(None if announced <= SMALL else PATIENCE):
                    await self._fill(content, read)
            except TimeoutError:
                if not may_begin():
                    continue
            return

    async def _fill(self, content: Content, read: Callable[[], Awaitable[bytes]]) -> None:
        while self.size < SMALL and not content.is_eof() and not self._budget.is_spent:
            piece = await read()
            self._pieces.append(piece)
            self.size += len(piece)
            self._budget.collected += len(piece)

    def take(self) -> list[bytes]:
        """Return what has been collected; the caller owns it, and it no longer counts towards the budget."""
        pieces, self._pieces = self._pieces, []
        self._budget.collected -= self.size
        self.size = 0
        return pieces
