"""Further requests behind the one under way: kept in order, and only so many bytes of them."""

from __future__ import annotations

import asyncio

import pytest

from corsproxy.proxy.client.flow import CONTENT, Flow
from corsproxy.proxy.client.held import Held

MOST = 16 * 1024


class Transport(asyncio.Transport):
    """Notes whether it is read."""

    def __init__(self) -> None:
        super().__init__()
        self._is_read = True

    def is_read(self) -> bool:
        """Return whether it is."""
        return self._is_read

    def is_closing(self) -> bool:
        """Return False: it stays open."""
        return False

    def pause_reading(self) -> None:
        """Note it."""
        self._is_read = False

    def resume_reading(self) -> None:
        """Note it."""
        self._is_read = True


def fresh() -> tuple[Held, Transport, Flow]:
    """Return nothing that waits, and a client that is read."""
    transport = Transport()
    return Held(), transport, Flow(transport)


def test_bytes_wait_in_order() -> None:
    """What was taken already is no part of them, and once taken they are gone."""
    held, _, flow = fresh()
    assert held.is_empty
    held.put(b"xxab", 2)
    assert (held.data, held.at, held.is_empty) == (b"xxab", 2, False)
    held.at = 3
    held.add(b"yycd", 2, flow)
    assert held.take(flow) == b"bcd"
    assert (held.data, held.at, held.is_empty) == (b"", 0, True)
    assert held.take(flow) == b""


def test_what_was_read_to_its_end_is_empty() -> None:
    """Then the bytes are let go of when the reader says so."""
    held, _, flow = fresh()
    held.put(b"ab", 1)
    held.at = 2
    assert held.is_empty
    held.settle(flow)
    assert (held.data, held.at) == (b"", 0)


@pytest.mark.parametrize(("size", "is_read"), [(1, True), (MOST, True), (MOST + 1, False), (3 * MOST, False)])
def test_a_client_that_sends_too_much_waits(size: int, is_read: bool) -> None:
    """A pipeline without bound would be our memory; the rest stays in the kernel."""
    held, transport, flow = fresh()
    held.add(b"x" * size, 0, flow)
    assert transport.is_read() is is_read
    held.at = size - MOST if size > MOST else 0
    held.settle(flow)
    assert transport.is_read()
    held.add(b"y" * (MOST + 1), 0, flow)
    assert not transport.is_read()
    held.drop(flow)
    assert (transport.is_read(), held.is_empty) == (True, True)


def test_another_reason_to_wait_stays() -> None:
    """Only what this has asked for is taken back."""
    held, transport, flow = fresh()
    flow.pause(CONTENT)
    held.add(b"x" * (MOST + 1), 0, flow)
    assert held.take(flow) == b"x" * (MOST + 1)
    assert not transport.is_read()
    flow.resume(CONTENT)
    assert transport.is_read()
