"""Connections that are not in use: how long they are kept, and for whom; time is moved by making them older."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from corsproxy.proxy.errors import UpstreamErrorKind
from corsproxy.proxy.upstream.connection import UpstreamConnection
from corsproxy.proxy.upstream.pool import HANDSHAKE, REST
from tests.proxy.upstream.stage import (
    ASKS,
    NO_CONTENT,
    OK,
    PATIENT,
    Owner,
    heard,
    idle_for,
    stage,
    turns,
)

# --- rest, age and idleness -----------------------------------------------------------------------------------------


async def test_a_connection_rests_after_an_answer_without_content() -> None:
    """Old servers send content all the same, a moment later."""
    async with stage() as it:
        lease = await it.pool.acquire()
        await it.used(lease, NO_CONTENT)
        lease.end()
        assert it.pool.take_idle() is None
        assert it.states() == (1, 0, 0, 0)
        assert not lease.connection.busy
        await asyncio.sleep(REST)  # a timer that was set after the one that is tested
        again = it.pool.take_idle()
        assert again is not None
        assert again.connection is lease.connection


async def test_who_waits_is_given_a_connection_that_has_rested() -> None:
    """Not before."""
    async with stage(replace(PATIENT, max_connections=1)) as it:
        lease = await it.pool.acquire()
        waiting = await it.waiting()
        await it.used(lease, NO_CONTENT)
        lease.end()
        await turns()
        assert not waiting.done()
        assert (await waiting).connection is lease.connection


async def test_what_comes_during_the_rest_closes_the_connection() -> None:
    """It belongs to no request."""
    async with stage(replace(PATIENT, max_connections=1)) as it:
        lease = await it.pool.acquire()
        waiting = await it.waiting()
        await it.used(lease, NO_CONTENT)
        lease.end()
        it.writers[0].write(b"late")
        other = await waiting
        assert other.connection is not lease.connection
        assert lease.connection.closed
        await asyncio.sleep(2 * REST)
        assert it.pool.take_idle() is None


Older = Callable[[UpstreamConnection, float], None]


def open_for(connection: UpstreamConnection, seconds: float) -> None:
    """Make it look open for so long."""
    connection.born = asyncio.get_running_loop().time() - seconds


AGES = pytest.mark.parametrize(
    ("keepalive", "most_age", "older", "seconds", "is_over"),
    [
        (60.0, 0.0, idle_for, 50.0, False),
        (60.0, 0.0, idle_for, 60.0, True),
        (60.0, 0.0, open_for, 1e6, False),
        (60.0, 600.0, open_for, 590.0, False),
        (60.0, 600.0, open_for, 600.0, True),
    ],
)


@AGES
async def test_a_connection_that_is_too_old_is_not_lent(
    keepalive: float, most_age: float, older: Older, seconds: float, is_over: bool
) -> None:
    """The next one that is not is."""
    async with stage(replace(PATIENT, keepalive_timeout=keepalive, max_connection_age=most_age)) as it:
        young, old = await it.idle(2)
        older(old, seconds)
        lease = it.pool.take_idle()
        assert lease is not None
        assert lease.connection is (young if is_over else old)
        await turns()
        assert old.closed is is_over


@AGES
async def test_what_is_too_old_is_swept_away(
    keepalive: float, most_age: float, older: Older, seconds: float, is_over: bool
) -> None:
    """Without a request for it, too; younger ones stay."""
    async with stage(replace(PATIENT, keepalive_timeout=keepalive, max_connection_age=most_age)) as it:
        young, old = await it.idle(2)
        older(old, seconds)
        it.pool.sweep(asyncio.get_running_loop().time())
        await turns()
        assert (young.closed, old.closed) == (False, is_over)
        lease = it.pool.take_idle()
        assert lease is not None
        assert lease.connection is (young if is_over else old)


@pytest.mark.parametrize("seconds", [590.0, 600.0])
async def test_a_worn_connection_is_not_kept(seconds: float) -> None:
    """However busy it is: it would never come to rest."""
    async with stage(replace(PATIENT, max_connection_age=600.0)) as it:
        lease = await it.pool.acquire()
        await it.used(lease)
        open_for(lease.connection, seconds)
        lease.end()
        await turns()
        assert lease.connection.closed is (seconds >= 600)


async def test_no_connection_is_kept_without_a_keepalive_timeout() -> None:
    """Each request has its own."""
    async with stage(replace(PATIENT, keepalive_timeout=0.0)) as it:
        (connection,) = await it.idle()
        assert it.pool.take_idle() is None
        await turns()
        assert connection.closed


async def test_idle_time_begins_when_a_connection_comes_back() -> None:
    """Not when it was dialled, nor when it was lent before."""
    async with stage() as it:
        for answer in (OK, NO_CONTENT):
            lease = await it.pool.acquire()
            lease.connection.idle_since = -1e9
            await it.used(lease, answer)
            lease.end()
            assert asyncio.get_running_loop().time() - lease.connection.idle_since < 30


@pytest.mark.parametrize("last", [b"x", b""], ids=["a byte", "its end"])
async def test_an_idle_connection_that_has_spoken_is_not_lent(last: bytes) -> None:
    """The socket is asked, as the loop may not have read it yet."""
    async with stage() as it:
        (connection,) = await it.idle()
        if last:
            it.writers[0].write(last)
        else:
            it.writers[0].write_eof()
        heard(connection)
        assert it.pool.take_idle() is None
        await turns()
        assert connection.closed


async def test_an_exchange_that_is_overdue_is_failed() -> None:
    """By its own deadline, whatever it waits for; a tunnel, too."""
    async with stage() as it:
        now = asyncio.get_running_loop().time()
        lease, tunnel = await it.pool.acquire(), await it.pool.acquire()
        it.pool.count_as_tunnel(tunnel.connection)
        for connection in (lease.connection, tunnel.connection):
            connection.set_deadline(50, UpstreamErrorKind.READ_TIMEOUT)
        failed = []
        for seconds in (49, 51):
            it.pool.sweep(now + seconds)
            failed.append((lease.connection.failed, tunnel.connection.failed))
        assert failed == [(False, False), (True, True)]


async def test_a_busy_connection_is_not_swept_for_its_age() -> None:
    """It is idle for as long as nobody has it."""
    async with stage() as it:
        lease = await it.pool.acquire()
        idle_for(lease.connection, 1e6)
        it.pool.sweep(asyncio.get_running_loop().time())
        await it.used(lease)
        lease.end()
        assert it.states() == (1, 0, 0, 0)


# --- reserved for a client ------------------------------------------------------------------------------------------


async def test_a_reserved_connection_is_its_clients_alone() -> None:
    """It is not lent to others, nor swept away, and its owner learns of its end."""
    async with stage() as it:
        owner = Owner()
        connection = await it.bound(owner)
        assert not connection.busy
        assert it.pool.take_idle() is None
        idle_for(connection, 1e6)
        it.pool.sweep(asyncio.get_running_loop().time())
        own = it.pool.take_reserved(connection)
        assert own is not None
        assert own.connection is connection
        assert (connection.busy, connection.reused) == (True, True)
        connection.abort()
        await turns()
        assert owner.ended == [connection]
        assert it.pool.take_reserved(connection) is None


async def test_a_reserved_connection_that_has_spoken_ends() -> None:
    """It is not lent to its client either."""
    async with stage() as it:
        owner = Owner()
        connection = await it.bound(owner)
        it.writers[0].write(b"x")
        heard(connection)
        assert it.pool.take_reserved(connection) is None
        await turns()
        assert owner.ended == [connection]


@pytest.mark.parametrize(
    ("keepalive", "answer", "seconds", "is_dropped"),
    [
        (60.0, OK, 50.0, False),
        (60.0, OK, 60.0, True),
        (60.0, ASKS, 60.0, True),
        (0.5, OK, 0.6, True),
        (0.5, ASKS, 0.6, False),
        (0.5, ASKS, HANDSHAKE, True),
    ],
)
async def test_a_full_pool_takes_back_reserved_connections(
    keepalive: float, answer: bytes, seconds: float, is_dropped: bool
) -> None:
    """The one that has been idle longest, if it has been for `keepalive_timeout`; a login has a moment to go on."""
    upstream = replace(PATIENT, keepalive_timeout=keepalive)
    for by_sweep in (False, True):
        async with stage(upstream) as it:
            owner = Owner()
            older, younger = await it.bound(owner, answer), await it.bound(owner, answer)
            idle_for(younger, 0.0)
            idle_for(older, 0.0 if by_sweep else seconds)
            waiting = asyncio.create_task(it.pool.acquire())
            await asyncio.sleep(0)
            if by_sweep:
                idle_for(older, seconds)
                idle_for(younger, 0.0)
                it.pool.sweep(asyncio.get_running_loop().time())
            if is_dropped:
                lease = await waiting
                assert lease.connection not in {older, younger}
                await turns()
                assert (older.closed, younger.closed) == (True, False)
                assert owner.ended == [older]
            else:
                await turns()
                assert not waiting.done()
                waiting.cancel()


async def test_a_reserved_connection_that_is_busy_is_not_taken_back() -> None:
    """Its client waits for an answer."""
    async with stage(replace(PATIENT, max_connections=1, keepalive_timeout=0.5)) as it:
        connection = await it.bound(Owner())
        own = it.pool.take_reserved(connection)
        assert own is not None
        idle_for(connection, 1e6)
        waiting = await it.waiting()
        it.pool.sweep(asyncio.get_running_loop().time())
        await turns()
        assert not waiting.done()
        assert not connection.closed
        waiting.cancel()


async def test_nothing_is_taken_back_for_nobody() -> None:
    """A pool that is full, and in which nobody waits, stays as it is."""
    async with stage(replace(PATIENT, max_connections=1)) as it:
        connection = await it.bound(Owner())
        idle_for(connection, 1e6)
        it.pool.sweep(asyncio.get_running_loop().time())
        await turns()
        assert not connection.closed
