"""A pool and the connections in it: which is lent to whom, and which is kept."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from corsproxy.proxy.errors import UpstreamError, UpstreamErrorKind
from corsproxy.proxy.upstream.pool import UpstreamPool
from tests.proxy.upstream.stage import (
    CLOSES,
    OK,
    PATIENT,
    Owner,
    stage,
    turns,
)

# --- lent and given back --------------------------------------------------------------------------------------------


async def test_the_states_of_a_connection() -> None:
    """From the dial to the end; each is counted in one state."""
    async with stage() as it:
        assert it.states() == (0, 0, 0, 0)
        lease = await it.pool.acquire()
        assert it.states() == (0, 1, 0, 0)
        await it.used(lease)
        lease.end()
        assert it.states() == (1, 0, 0, 0)
        again = it.pool.take_idle()
        assert again is not None
        assert again.connection is lease.connection
        assert again.connection.reused
        assert it.states() == (0, 1, 0, 0)
        again.connection.owner = Owner()
        assert it.states() == (0, 0, 1, 0)
        await it.used(again)
        again.end()
        assert it.states() == (0, 0, 1, 0)
        other = await it.pool.acquire()
        it.pool.count_as_tunnel(other.connection)
        assert it.states() == (0, 0, 1, 1)
        other.connection.abort()
        await turns()
        assert it.states() == (0, 0, 1, 0)


async def test_the_connection_used_last_is_lent_first() -> None:
    """The others may age out."""
    async with stage() as it:
        first, second = await it.idle(2)
        one, two = it.pool.take_idle(), it.pool.take_idle()
        assert one is not None
        assert two is not None
        assert (one.connection, two.connection) == (second, first)
        assert it.pool.take_idle() is None


async def test_an_idle_connection_is_lent_before_one_is_dialled() -> None:
    """Unless it must be one that nobody has used."""
    async with stage() as it:
        (idle,) = await it.idle()
        assert (await it.pool.acquire()).connection is idle
        other = await it.pool.acquire(fresh=True)
        assert other.connection is not idle
        assert not other.connection.reused


async def test_a_fresh_one_takes_the_place_of_the_oldest_idle_one() -> None:
    """If the pool is full, and only then."""
    async with stage() as it:
        first, second = await it.idle(2)
        fresh = await it.pool.acquire(fresh=True)
        await turns()
        assert fresh.connection not in {first, second}
        assert (first.closed, second.closed) == (True, False)
        assert it.states() == (1, 1, 0, 0)


@pytest.mark.parametrize("answer", [CLOSES, b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", OK + b"x"])
async def test_a_connection_that_is_not_clean_is_closed(answer: bytes) -> None:
    """Nobody gets it, and its place is free."""
    async with stage() as it:
        lease = await it.pool.acquire()
        await it.used(lease, answer)
        lease.end()
        assert it.pool.take_idle() is None
        await turns()
        assert it.states() == (0, 0, 0, 0)


async def test_those_who_wait_are_served_in_order() -> None:
    """One connection for each; what is idle then has nobody waiting for it."""
    async with stage() as it:
        first, second = await it.pool.acquire(), await it.pool.acquire()
        waiting = [await it.waiting() for _ in range(3)]
        for lease in (first, second):
            await it.used(lease)
            lease.end()
        assert it.pool.take_idle() is None
        assert it.states() == (0, 2, 0, 0)
        await turns()
        assert [task.done() for task in waiting] == [True, True, False]
        assert waiting[0].result().connection is first.connection
        assert waiting[1].result().connection is second.connection
        assert waiting[1].result().connection.reused
        await it.used(waiting[1].result())
        waiting[1].result().end()
        assert (await waiting[2]).connection is second.connection


async def test_the_next_in_line_may_need_a_fresh_one() -> None:
    """The one that comes back makes room for it."""
    async with stage(replace(PATIENT, max_connections=1)) as it:
        lease = await it.pool.acquire()
        waiting = await it.waiting(fresh=True)
        await it.used(lease)
        lease.end()
        fresh = await waiting
        assert fresh.connection is not lease.connection
        assert not fresh.connection.reused
        await turns()
        assert lease.connection.closed
        assert it.states() == (0, 1, 0, 0)


async def test_waiting_has_an_end() -> None:
    """Within `connect_timeout`; the place that is free later is the next one's."""
    async with stage(replace(PATIENT, max_connections=1)) as it:
        lease = await it.pool.acquire()
        it.pool.upstream = replace(it.pool.upstream, connect_timeout=0.05)
        with pytest.raises(UpstreamError) as error:
            await it.pool.acquire()
        assert error.value.kind is UpstreamErrorKind.POOL_TIMEOUT
        await it.used(lease)
        lease.end()
        assert it.states() == (1, 0, 0, 0)
        assert it.pool.take_idle() is not None


async def test_a_connection_that_ends_makes_room() -> None:
    """For the one who waits longest, which dials."""
    async with stage() as it:
        first, _ = await it.pool.acquire(), await it.pool.acquire()
        one, two = await it.waiting(), await it.waiting()
        first.connection.abort()
        lease = await one
        assert lease.connection is not first.connection
        await turns()
        assert not two.done()
        two.cancel()


# --- tunnels and places ---------------------------------------------------------------------------------------------


async def test_a_tunnel_leaves_its_place() -> None:
    """For the one who waits; a connection that is none of the pool's changes nothing."""
    async with stage(replace(PATIENT, max_connections=1)) as it:
        lease = await it.pool.acquire()
        waiting = await it.waiting()
        it.pool.count_as_tunnel(lease.connection)
        other = await waiting
        assert it.states() == (0, 1, 0, 1)
        it.pool.count_as_tunnel(lease.connection)
        assert it.states() == (0, 1, 0, 1)
        other.connection.abort()
        await turns()
        it.pool.count_as_tunnel(other.connection)
        assert it.states() == (0, 0, 0, 1)


async def test_so_many_tunnels() -> None:
    """One more is refused until one has ended."""
    async with stage(replace(PATIENT, max_tunnels=2)) as it:
        with it.pool.place_for_tunnel():
            with it.pool.place_for_tunnel(), pytest.raises(UpstreamError) as error:
                it.pool.place_for_tunnel()
            assert error.value.kind is UpstreamErrorKind.TUNNELS_FULL
            with it.pool.place_for_tunnel():
                pass


@pytest.mark.parametrize(("most", "places"), [(1, 1), (2, 1), (3, 1), (4, 2), (9, 4)])
async def test_half_of_the_connections_are_for_slow_clients(most: int, places: int) -> None:
    """But at least one is."""
    pool = UpstreamPool(replace(PATIENT, max_connections=most), None, asyncio.get_running_loop())
    assert all(pool.slow_places.take() is not None for _ in range(places))
    assert pool.slow_places.take() is None


# --- its end --------------------------------------------------------------------------------------------------------


async def test_a_retired_pool_keeps_nothing() -> None:
    """What is idle or reserved ends at once, what is under way when it is given back."""
    async with stage(replace(PATIENT, max_connections=3)) as it:
        owner = Owner()
        bound = await it.bound(owner)
        (idle,) = await it.idle()
        lease, own = await it.pool.acquire(fresh=True), await it.pool.acquire(fresh=True)
        del lease
        it.pool.retire()
        await turns()
        assert (bound.closed, idle.closed, own.connection.closed) == (True, True, False)
        assert it.pool.take_reserved(bound) is None
        await it.used(own)
        own.end()
        assert it.pool.take_idle() is None
        await turns()
        assert own.connection.closed


async def test_a_retired_pool_lends_no_reserved_connection() -> None:
    """Its client goes on with another."""
    async with stage() as it:
        own = it.pool.take_reserved(await it.bound(Owner()))
        assert own is not None
        it.pool.retire()
        await it.used(own)
        assert it.pool.take_reserved(own.connection) is None
        await turns()
        assert own.connection.closed


async def test_a_closed_pool_has_no_connection() -> None:
    """Nor a tunnel, and none is idle afterwards."""
    async with stage(replace(PATIENT, max_connections=3)) as it:
        (idle,) = await it.idle()
        busy, tunnel = await it.pool.acquire(fresh=True), await it.pool.acquire(fresh=True)
        it.pool.count_as_tunnel(tunnel.connection)
        it.pool.close()
        await turns()
        assert [one.closed for one in (idle, busy.connection, tunnel.connection)] == [True] * 3
        assert it.states() == (0, 0, 0, 0)
        late = await it.pool.acquire()
        await it.used(late)
        late.end()
        assert it.pool.take_idle() is None
