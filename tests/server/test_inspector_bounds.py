"""The inspector's memory and work are bounded for any traffic and any watchers, and omissions are counted."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import itertools
import json
import time
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import pytest

from corsproxy.cors import CorsRequest, OriginSpec, PolicySpec, compile_policy, decide
from corsproxy.proxy import RequestRecord
from corsproxy.server.inspector import Event, EventBudget, Recorder, merged
from corsproxy.server.inspector.feed import MAX_WATCHERS, CrowdedError, Feed, News
from corsproxy.server.inspector.recorder import KEPT, RATE, record_event
from corsproxy.server.observe.counters import Totals
from tests.server.event_stream import event_stream
from tests.server.setup import APP, OTHER, ask_on, config
from tests.support.process import DEADLINE, started
from tests.support.upstream import OK, Upstream

POLICY = compile_policy(PolicySpec((OriginSpec(APP),)))
SECONDS = 100.0
"""Some time on the monotonic clock."""


def record(path: str = "/", origin: str | None = None, at: float = SECONDS) -> RequestRecord:
    """Make a finished request as the data path does."""
    made = RequestRecord("GET", at, "127.0.0.1")
    made.raw_path, made.status, made.route = path.encode(), 200, "/"
    made.origin = origin.encode() if origin is not None else None
    made.decision = decide(POLICY, CorsRequest("GET", (made.origin,) if made.origin is not None else ()))
    return made


def test_a_second_has_room_for_so_many_and_the_rest_is_counted() -> None:
    """Of ten thousand refusals in one second half the rate is kept, and none is lost from the count."""
    recorder = Recorder()
    for number in range(10_000):
        recorder(record(f"/{number}", OTHER))
    events, skipped = recorder.take()
    assert len(events) == RATE // 2
    assert len(events) + skipped == 10_000


@pytest.mark.parametrize(
    ("flood", "single"),
    [
        pytest.param(APP, OTHER, id="one refusal among a flood of grants"),
        pytest.param(OTHER, APP, id="one grant among a flood of refusals"),
    ],
)
def test_a_flood_does_not_hide_what_is_rare(flood: str, single: str) -> None:
    """Refused requests and all others have room of their own, in a second and in the ring."""
    recorder = Recorder()
    recorder(record("/single", single, at=SECONDS))
    for second, number in itertools.product(range(10), range(1000)):
        recorder(record(f"/{number}", flood, at=SECONDS + second))
    recorder(record("/last", single, at=SECONDS + 9.5))
    events, _ = recorder.take()
    assert [event["path"] for event in events if event["origin"] == single] == ["/single", "/last"]
    assert len(events) <= KEPT


def test_what_is_kept_is_bounded_when_nobody_ever_asks() -> None:
    """After an hour of requests there is a ring of the latest, and what the ring let go is no debt."""
    recorder = Recorder()
    for second in range(3600):
        recorder(record(f"/{second}", at=SECONDS + second))
    events, _ = recorder.take()
    assert [event["path"] for event in events] == [f"/{number}" for number in range(3600 - KEPT // 2, 3600)]
    assert recorder.take() == ([], 0)


def test_one_event_is_bounded_whatever_was_sent() -> None:
    """A head may be as long as the limits let it; what is kept of it is not."""
    long = record("/" + "a" * 60_000, "https://" + "b" * 60_000)
    long.requested_headers = b"x," * 30_000
    assert len(json.dumps(record_event(long, 0.0))) < 8_000


def test_several_recorders_together_keep_no_more_than_one() -> None:
    """What the workers hand over is put in order, and cut to the rate of one."""
    recorders = [Recorder() for _ in range(4)]
    for number in range(1000):
        recorders[number % 4](record(f"/{number}"))
    events, skipped = merged([recorder.take() for recorder in recorders], EventBudget())
    assert [event["time"] for event in events] == sorted(event["time"] for event in events)
    assert len(events) <= RATE
    assert len(events) + skipped == 1000


def event(path: str) -> Event:
    """Make an event as a recorder does."""
    return record_event(record(path), time.time())


class Source:
    """What the feed asks: hands over what a test has put there, and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.next: list[Event] = []

    async def __call__(self) -> tuple[list[Event], int]:
        """Hand over."""
        self.asked += 1
        events, self.next = self.next, []
        return events, 0


async def next_events(watch: AsyncGenerator[News, None]) -> Sequence[Event]:
    """Return the next events of a watch, totals passed over."""
    async with asyncio.timeout(DEADLINE):
        while not (news := await anext(watch)).events:
            pass
    return news.events


async def test_nothing_runs_while_nobody_watches() -> None:
    """The recorders are asked from the first watcher on, and no more when the last has left."""
    source = Source()
    feed = Feed(source, Totals())
    await asyncio.sleep(0)
    assert source.asked == 0
    source.next = [event("/a")]
    async with contextlib.aclosing(feed.watch()) as watch:
        assert [one["path"] for one in await next_events(watch)] == ["/a"]
    asking = asyncio.all_tasks() - {asyncio.current_task()}
    _, pending = await asyncio.wait(asking, timeout=DEADLINE)
    assert (len(asking), pending) == (1, set())
    # What was seen is still there for the next one to look.
    async with contextlib.aclosing(feed.watch()) as watch:
        assert [one["path"] for one in await next_events(watch)] == ["/a"]


async def test_a_slow_watcher_misses_events_and_is_told_how_many() -> None:
    """The ring goes on without it: its memory is that of the ring, and the totals say what it did not see."""
    source = Source()
    feed = Feed(source, Totals())
    source.next = [event("/first")]
    async with contextlib.aclosing(feed.watch()) as slow, contextlib.aclosing(feed.watch()) as quick:
        await next_events(slow)
        await next_events(quick)
        seen = 0
        for _ in range(4):
            source.next = [event(f"/{number}") for number in range(200)]
            seen += len(await next_events(quick))
        assert seen == 800
        assert len(await next_events(slow)) == KEPT // 2
        async with asyncio.timeout(DEADLINE):
            while (totals := (await anext(slow)).totals) is None or not totals["skipped"]:
                pass
    assert totals["skipped"] == 800 - KEPT // 2


async def test_there_is_room_for_so_many_watchers() -> None:
    """One more is turned away, and finds room when another leaves."""
    feed = Feed(Source(), Totals())
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(MAX_WATCHERS):
            await anext(await stack.enter_async_context(contextlib.aclosing(feed.watch())))
        with pytest.raises(CrowdedError):
            await anext(feed.watch())
    async with contextlib.aclosing(feed.watch()) as watch:
        assert (await anext(watch)).totals is not None


async def test_closing_the_feed_ends_every_watch() -> None:
    """A watch that waits ends at once, and none begins any more."""
    feed = Feed(Source(), Totals())

    async def watch() -> list[Any]:
        return [news async for news in feed.watch()]

    async with asyncio.timeout(DEADLINE), asyncio.TaskGroup() as group:
        watching = [group.create_task(watch()) for _ in range(2)]
        await asyncio.sleep(0)
        await feed.close()
    assert all(task.done() for task in watching)
    assert await watch() == []


def test_a_flood_through_the_proxy_is_answered_shown_in_part_and_counted_in_full() -> None:
    """Each request is answered, no more events come than the seconds have room for, and the counters know them all."""
    with (
        Upstream.answering(OK) as upstream,
        started(config(upstream, "log: {access: false}"), "--inspect", admin=True) as proxy,
        event_stream(proxy.admin) as stream,
    ):
        began = time.monotonic()
        with contextlib.closing(http.client.HTTPConnection(*proxy.address, timeout=DEADLINE)) as connection:
            for number in range(3000):
                origin = OTHER if number % 10 == 0 else APP
                assert ask_on(
                    connection, f"/{number}", "OPTIONS", Origin=origin, Access_Control_Request_Method="GET"
                ).status
        took = time.monotonic() - began
        stream.wait(lambda stream: stream.totals["requests"] == 3000)
        stream.wait(lambda stream: len(stream.requests) + stream.totals["skipped"] == 3000)
    assert stream.totals["refused"] == 300
    assert len(stream.requests) <= RATE * (took + 2)
