"""Request content that is collected before a connection to the upstream is taken: a slow client holds nothing that
others need.

256 clients that announce 100,000 bytes and send one take every connection of an upstream otherwise; nginx buffers whole
uploads for that reason, Apache dies of it (Slowloris' cousin, R-U-Dead-Yet).
Knows nothing about upstreams, routes or policies.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

SMALL: Final = 64 * 1024
"""Bytes of content that are collected: all of it if so much is announced, else the beginning."""

PATIENCE: Final = 1.0
"""Seconds after which longer content begins with what has come: it streams, and may be meant to be slow."""

MOST: Final = 64 * 1024 * 1024
"""Bytes collected by a worker for all its clients; above that content streams as it comes."""


class Content(Protocol):
    """Content that is still arriving."""

    def is_eof(self) -> bool:
        """Return whether all content has arrived."""


class Budget:
    """The content that a worker has collected for all its clients."""

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
        """Collect with `read` what `announced` says is to be collected, as far as the budget goes.

        `may_begin` is asked each time that patience with longer content is at its end.
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
        """Return what has been collected: it is the taker's from now on."""
        pieces, self._pieces = self._pieces, []
        self._budget.collected -= self.size
        self.size = 0
        return pieces
