"""The sending side of a connection: who has more to send waits until it is taken, or never will be."""

from __future__ import annotations

import asyncio

import pytest

from corsproxy.proxy.errors import UpstreamError, UpstreamErrorKind
from corsproxy.proxy.upstream.outflow import Outflow


async def draining(outflow: Outflow) -> asyncio.Task[None]:
    """Have a task wait until the upstream has taken what was sent."""
    task = asyncio.create_task(outflow.drain(asyncio.get_running_loop()))
    await asyncio.sleep(0)
    return task


async def test_nobody_waits_for_an_upstream_that_takes_everything() -> None:
    """Not for a turn of the loop."""
    outflow = Outflow()
    assert (await draining(outflow)).done()
    assert not outflow.is_awaited


async def test_who_sends_goes_on_when_the_upstream_takes_more() -> None:
    """Until then it waits."""
    outflow = Outflow()
    outflow.is_paused = True
    task = await draining(outflow)
    assert outflow.is_awaited
    assert not task.done()
    outflow.resume()
    await task
    assert not outflow.is_paused
    assert not outflow.is_awaited


async def test_who_sends_learns_of_a_failure() -> None:
    """The first one counts, and nobody waits any more."""
    outflow = Outflow()
    outflow.is_paused = True
    task = await draining(outflow)
    outflow.fail(UpstreamError(UpstreamErrorKind.CLOSED))
    outflow.fail(UpstreamError(UpstreamErrorKind.READ_TIMEOUT))
    outflow.resume()
    with pytest.raises(UpstreamError) as failed:
        await task
    assert failed.value.kind is UpstreamErrorKind.CLOSED


async def test_who_gives_up_is_not_waited_for() -> None:
    """A cancelled upload leaves nothing behind that a failure would trip over."""
    outflow = Outflow()
    outflow.is_paused = True
    task = await draining(outflow)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not outflow.is_awaited
    outflow.fail(UpstreamError(UpstreamErrorKind.CLOSED))
