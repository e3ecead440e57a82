"""Reading is paused while there is a reason, whichever came first."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from corsproxy.proxy.client.flow import CONTENT, NEXT_REQUESTS, TUNNEL, Flow


class Transport(asyncio.Transport):
    """A transport without a socket, which takes no call twice, as uvloop's does."""

    def __init__(self) -> None:
        super().__init__()
        self.paused = False
        self.closing = False

    def pause_reading(self) -> None:
        """Note it."""
        assert not self.paused
        assert not self.closing
        self.paused = True

    def resume_reading(self) -> None:
        """Note it."""
        assert self.paused
        assert not self.closing
        self.paused = False

    def is_closing(self) -> bool:
        """Return whether it is closed."""
        return self.closing


@given(steps=st.lists(st.tuples(st.booleans(), st.sampled_from([CONTENT, NEXT_REQUESTS, TUNNEL])), max_size=20))
def test_reading_is_paused_while_there_is_a_reason(steps: list[tuple[bool, int]]) -> None:
    """The transport is paused for the first reason and resumed after the last."""
    transport = Transport()
    flow = Flow(transport)
    reasons = set()
    for pauses, reason in steps:
        if pauses:
            flow.pause(reason)
            reasons.add(reason)
        else:
            flow.resume(reason)
            reasons.discard(reason)
        assert transport.paused == flow.is_paused == bool(reasons)


def test_a_transport_that_closes_is_left_alone() -> None:
    """Uvloop raises if a closed transport is paused."""
    transport = Transport()
    flow = Flow(transport)
    transport.closing = True
    flow.pause(CONTENT)
    flow.resume(CONTENT)
    assert not flow.is_paused
