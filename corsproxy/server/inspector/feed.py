"""The feed: it collects the events of all recorders for the pages that watch.

Nothing runs without watchers. With watchers, the recorders are queried a few times a second, and their events go into
one ring, which each watcher reads at its own pace: a slow one misses events, but costs no more than a fast one.
Knows nothing about HTTP.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from corsproxy.server.inspector.recorder import Event, Ring
from corsproxy.server.observe.counters import Totals

EventSource = Callable[[], Awaitable[tuple[list[Event], int]]]
"""Returns the events of all processes since the last call, in order, and the number left out."""

INTERVAL = 0.2
"""Seconds between two queries of the recorders: short enough to look immediate."""

TOTALS_INTERVAL = 1.0
"""Seconds between two totals for a watcher, which also show that the connection is alive."""

MAX_WATCHERS = 16
"""The most pages open at once: enough for a team."""


class CrowdedError(Exception):
    """`MAX_WATCHERS` pages are already open."""


@dataclass(frozen=True, slots=True)
class News:
    """An update for a watcher: new events, or totals, or both."""

    events: list[Event]
    totals: dict[str, object] | None
    open: list[Event] | None = None
    """The open requests, if they have changed."""


class Feed:
    """The latest events of all processes, and their watchers."""

    def __init__(self, source: EventSource, totals: Totals) -> None:
        self.boot = secrets.token_hex(8)
        """Identifies this process, because the ids of events begin again in the next one."""
        self._source = source
        self._totals = totals
        self._ring = Ring()
        self._last_id = 0
        self._skipped = 0
        self._open: list[Event] = []
        self._open_version = 0
        self._watchers = 0
        self._pump: asyncio.Task[None] | None = None
        self._news = asyncio.Condition()
        self._closed = False

    async def watch(self, after: int = 0) -> AsyncGenerator[News, None]:
        """Yield the kept events with an id above `after`, and then new ones, until the feed is closed.

        Close the iterator if you leave it early (`contextlib.aclosing`).
        Raises `CrowdedError` if there are too many watchers.
        """
        if self._watchers >= MAX_WATCHERS:
            raise CrowdedError
        self._watchers += 1
        if self._pump is None:
            self._pump = asyncio.get_running_loop().create_task(self._query_regularly())
        try:
            async for news in self._updates(after):
                yield news
        finally:
            self._watchers -= 1

    async def close(self) -> None:
        """End every watch."""
        self._closed = True
        async with self._news:
            self._news.notify_all()

    async def _updates(self, after: int) -> AsyncIterator[News]:
        """Yield the updates for one watcher, as fast as it takes them."""
        loop = asyncio.get_running_loop()
        totals_due = 0.0
        missed = 0
        last = after
        open_version = -1
        while not self._closed:
            events = self._ring.since(last)
            if last > after:
                missed += self._last_id - last - len(events)
            last = self._last_id
            totals = None
            if loop.time() >= totals_due:
                totals = self._count(missed)
                totals_due = loop.time() + TOTALS_INTERVAL
            open_now = self._open if open_version != self._open_version else None
            open_version = self._open_version
            if events or totals is not None or open_now is not None:
                yield News(events, totals, open_now)
            async with self._news:
                if self._last_id == last and open_version == self._open_version and not self._closed:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._news.wait(), TOTALS_INTERVAL)

    async def _query_regularly(self) -> None:
        """Query the recorders while there are watchers; this is never cancelled, so that no events are lost."""
        while self._watchers and not self._closed:
            before = self._open_version
            events, skipped = await self._source()
            is_open = [event for event in events if event["open"]]
            events = [event for event in events if not event["open"]]
            if is_open or self._open:
                self._open, self._open_version = is_open, self._open_version + 1
            for event in events:
                self._last_id += 1
                self._ring.add({**event, "id": self._last_id})
            self._skipped += skipped
            if events or self._open_version != before:
                async with self._news:
                    self._news.notify_all()
            await asyncio.sleep(INTERVAL)
        self._pump = None

    def _count(self, missed: int) -> dict[str, object]:
        """Return the counts of the metrics since the start, summed over all processes."""
        counters = self._totals.counters
        reasons: dict[str, int] = {}
        granted = 0
        for (_, _, outcome, reason), count in counters.decisions.items():
            if outcome == "refused":
                reasons[reason] = reasons.get(reason, 0) + count
            else:
                granted += count
        return {
            "requests": sum(counters.requests.values()),
            "granted": granted,
            "refused": sum(reasons.values()),
            "reasons": reasons,
            "skipped": self._skipped + missed,
        }
