"""The clocks of a client's connection, as a table: what is due when, without a loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from corsproxy.proxy.client.deadlines import CLIENT_STALL_TIMEOUT, HALF_CLOSED_GRACE, LINGER, Deadlines, Due, Phase
from corsproxy.settings import Limits

LIMITS = replace(Limits(), header_timeout=10.0, body_timeout=30.0, idle_timeout=60.0)
START = 1000.0


def waits_for_content(clocks: Deadlines) -> None:
    """The one who reads content has begun to wait."""
    clocks.content_since = START


def is_stalled(clocks: Deadlines) -> None:
    """The client takes nothing, and 100 bytes wait for it."""
    clocks.stall(START, 100)


def is_half_closed(clocks: Deadlines) -> None:
    """The client has closed its sending side, and 100 bytes wait for it."""
    clocks.half_close(START, 100)


def has_had_a_request(clocks: Deadlines) -> None:
    """The connection is at rest between two requests."""
    clocks.head_since = float("inf")


def nothing(_: Deadlines) -> None:
    """Nothing beyond a new connection."""


Before = Callable[[Deadlines], None]


@pytest.mark.parametrize(
    ("before", "phase", "seconds", "unsent", "begun", "due"),
    [
        pytest.param(nothing, Phase.WAITING, 10.0, 0, False, Due.NOTHING, id="a new connection is given its time"),
        pytest.param(nothing, Phase.WAITING, 10.1, 0, False, Due.CLOSE, id="one that says nothing is closed"),
        pytest.param(nothing, Phase.WAITING, 10.1, 0, True, Due.REFUSE_HEAD, id="half a head is answered"),
        pytest.param(has_had_a_request, Phase.WAITING, 60.0, 0, False, Due.NOTHING, id="rest is given its time"),
        pytest.param(has_had_a_request, Phase.WAITING, 60.1, 0, False, Due.CLOSE, id="rest ends"),
        pytest.param(nothing, Phase.ANSWERING, 1e6, 0, False, Due.NOTHING, id="an answer may take for ever"),
        pytest.param(waits_for_content, Phase.ANSWERING, 30.0, 0, False, Due.NOTHING, id="content has its time"),
        pytest.param(waits_for_content, Phase.ANSWERING, 30.1, 0, False, Due.FAIL_CONTENT, id="content is late"),
        pytest.param(is_stalled, Phase.ANSWERING, CLIENT_STALL_TIMEOUT, 100, False, Due.NOTHING, id="a slow reader"),
        pytest.param(is_stalled, Phase.ANSWERING, CLIENT_STALL_TIMEOUT + 1, 100, False, Due.ABORT, id="no reader"),
        pytest.param(is_stalled, Phase.ANSWERING, CLIENT_STALL_TIMEOUT + 1, 99, False, Due.NOTHING, id="it has taken"),
        pytest.param(is_stalled, Phase.TUNNEL, CLIENT_STALL_TIMEOUT + 1, 100, False, Due.NOTHING, id="in a tunnel"),
        pytest.param(is_half_closed, Phase.ANSWERING, HALF_CLOSED_GRACE, 100, False, Due.NOTHING, id="after a FIN"),
        pytest.param(is_half_closed, Phase.ANSWERING, HALF_CLOSED_GRACE + 0.1, 100, False, Due.ABORT, id="gone"),
        pytest.param(nothing, Phase.LINGERING, LINGER, 0, False, Due.NOTHING, id="lingering"),
        pytest.param(nothing, Phase.LINGERING, LINGER + 0.1, 0, False, Due.CLOSE, id="lingering ends"),
        pytest.param(nothing, Phase.CLOSING, CLIENT_STALL_TIMEOUT + 1, 5, False, Due.ABORT, id="last bytes not taken"),
        pytest.param(nothing, Phase.CLOSING, CLIENT_STALL_TIMEOUT, 5, False, Due.NOTHING, id="last bytes on the way"),
    ],
)
def test_what_is_due(before: Before, phase: Phase, seconds: float, unsent: int, begun: bool, due: Due) -> None:
    """Each clock, just before and just after its time."""
    clocks = Deadlines(LIMITS, START)
    before(clocks)
    assert clocks.due(START + seconds, phase, unsent, head_has_begun=begun) is due


def test_content_that_comes_starts_its_clock_anew() -> None:
    """Slow content is not late content, and nobody is late who is not waited for."""
    clocks = Deadlines(LIMITS, START)
    clocks.content_came(START)
    assert clocks.due(START + 31, Phase.ANSWERING, 0, head_has_begun=False) is Due.NOTHING
    clocks.content_since = START
    clocks.content_came(START + 20)
    assert clocks.due(START + 31, Phase.ANSWERING, 0, head_has_begun=False) is Due.NOTHING
    assert clocks.due(START + 51, Phase.ANSWERING, 0, head_has_begun=False) is Due.FAIL_CONTENT
    assert clocks.due(START + 52, Phase.ANSWERING, 0, head_has_begun=False) is Due.NOTHING, "it is said once"


def test_progress_starts_the_clock_of_a_half_closed_client_anew() -> None:
    """As long as such a client takes bytes, or all that was sent, it is there."""
    clocks = Deadlines(LIMITS, START)
    clocks.half_close(START, 0)
    clocks.has_sent = True
    assert clocks.due(START + 3, Phase.ANSWERING, 0, head_has_begun=False) is Due.NOTHING
    assert clocks.due(START + 4, Phase.ANSWERING, 0, head_has_begun=False) is Due.NOTHING
    assert clocks.due(START + 6, Phase.ANSWERING, 0, head_has_begun=False) is Due.ABORT
