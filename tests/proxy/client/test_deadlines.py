"""The clocks of a client's connection, as a table: what is due when, without a loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from corsproxy.proxy.client.deadlines import CLIENT_STALL_TIMEOUT, HALF_CLOSED_GRACE, LINGER, Deadlines, Due, Phase
from corsproxy.settings import Limits

LIMITS = replace(Limits(), header_timeout=10.0, body_timeout=30.0, min_rate=100, idle_timeout=60.0)
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
    """Slow content is not late content, and only awaited content can be late."""
    clocks = Deadlines(LIMITS, START)
    clocks.content_came(START, 1)
    assert clocks.due(START + 31, Phase.ANSWERING, 0, head_has_begun=False) is Due.NOTHING
    clocks.content_since = START
    clocks.content_came(START + 20, 1)
    assert clocks.due(START + 31, Phase.ANSWERING, 0, head_has_begun=False) is Due.NOTHING
    assert clocks.due(START + 51, Phase.ANSWERING, 0, head_has_begun=False) is Due.FAIL_CONTENT
    assert clocks.due(START + 52, Phase.ANSWERING, 0, head_has_begun=False) is Due.NOTHING, "it is said once"


def test_progress_starts_the_clock_of_a_half_closed_client_anew() -> None:
    """As long as such a client takes bytes, or all that was sent, it is there."""
    clocks = Deadlines(LIMITS, START)
    clocks.half_close(START, 0)
    clocks.sent = 1
    assert clocks.due(START + 3, Phase.ANSWERING, 0, head_has_begun=False) is Due.NOTHING
    assert clocks.due(START + 4, Phase.ANSWERING, 0, head_has_begun=False) is Due.NOTHING
    assert clocks.due(START + 6, Phase.ANSWERING, 0, head_has_begun=False) is Due.ABORT


@pytest.mark.parametrize(
    ("rate", "each_second", "due"),
    [
        pytest.param(100, 100, Due.NOTHING, id="just fast enough"),
        pytest.param(100, 99, Due.FAIL_CONTENT, id="just too slow"),
        pytest.param(0, 1, Due.NOTHING, id="no rate is asked for"),
    ],
)
def test_slow_content(rate: int, each_second: int, due: Due) -> None:
    """A byte now and then makes every silence short and the upload endless; said once, after a window and no sooner."""
    clocks = Deadlines(replace(LIMITS, min_rate=rate), START)
    clocks.content_since = START
    said = []
    for second in range(200):
        clocks.content_came(START + second, each_second)
        said.append(clocks.due(START + second, Phase.ANSWERING, 0, head_has_begun=False))
    assert set(said[:30]) == {Due.NOTHING}
    assert said[30:35].count(Due.FAIL_CONTENT) == (due is Due.FAIL_CONTENT)
    assert said.count(Due.FAIL_CONTENT) == (due is Due.FAIL_CONTENT)


@pytest.mark.parametrize(
    ("unsent", "taken", "phase", "due"),
    [
        pytest.param(1000, 0, Phase.ANSWERING, Due.ABORT, id="nothing is taken"),
        pytest.param(1000, 99, Phase.ANSWERING, Due.ABORT, id="too little is taken"),
        pytest.param(1000, 100, Phase.ANSWERING, Due.NOTHING, id="enough is taken"),
        pytest.param(0, 0, Phase.ANSWERING, Due.NOTHING, id="a quiet stream"),
        pytest.param(0, 1, Phase.ANSWERING, Due.NOTHING, id="a stream of single bytes"),
        pytest.param(1000, 0, Phase.TUNNEL, Due.NOTHING, id="a tunnel"),
        pytest.param(1000, 0, Phase.CLOSING, Due.ABORT, id="the last bytes"),
    ],
)
def test_slow_takers(unsent: int, taken: int, phase: Phase, due: Due) -> None:
    """`taken` bytes a second of content, of which so many wait at each look."""
    clocks = Deadlines(LIMITS, START)
    clocks.sent = unsent
    said = []
    for second in range(40):
        said.append(clocks.due(START + second, phase, unsent, head_has_begun=False))
        clocks.sent += taken
    assert set(said[:30]) == {Due.NOTHING}
    assert (Due.ABORT in said) == (due is Due.ABORT)


def test_a_stream_that_falls_silent_is_not_slow() -> None:
    """Once everything has been taken nothing is owed, however long nothing comes."""
    clocks = Deadlines(LIMITS, START)
    clocks.sent = 10_000
    said = [clocks.due(START, Phase.ANSWERING, 10_000, head_has_begun=False)]
    said += [clocks.due(START + second, Phase.ANSWERING, 0, head_has_begun=False) for second in range(1, 200)]
    assert set(said) == {Due.NOTHING}


def test_what_only_piles_up_was_not_taken() -> None:
    """An upstream that sends fast does not make its client fast."""
    clocks = Deadlines(LIMITS, START)
    said = []
    for second in range(40):
        clocks.sent += 1000
        said.append(clocks.due(START + second, Phase.ANSWERING, clocks.sent, head_has_begun=False))
    assert set(said[:30]) == {Due.NOTHING}
    assert Due.ABORT in said


@pytest.mark.parametrize(
    ("before", "patience"), [(is_stalled, CLIENT_STALL_TIMEOUT), (is_half_closed, HALF_CLOSED_GRACE)]
)
def test_a_client_that_has_taken_something_has_its_time_again(before: Before, patience: float) -> None:
    """From when that was seen."""
    clocks = Deadlines(replace(LIMITS, min_rate=0), START)
    before(clocks)
    seen = START + patience + 1
    looks = [(seen, Due.NOTHING), (seen + patience, Due.NOTHING), (seen + patience + 1, Due.ABORT)]
    for now, due in looks:
        assert clocks.due(now, Phase.ANSWERING, 99, head_has_begun=False) is due


def test_a_burst_does_not_pay_for_ever() -> None:
    """Any window counts: what came fast at first is forgotten after one."""
    clocks = Deadlines(LIMITS, START)
    clocks.content_since = START
    clocks.content_came(START, 10_000_000)
    said = []
    for second in range(80):
        clocks.content_came(START + second, 1)
        said.append(clocks.due(START + second, Phase.ANSWERING, 0, head_has_begun=False))
    assert set(said[:29]) == {Due.NOTHING}
    assert Due.FAIL_CONTENT in said[29:65]


def test_time_in_which_nothing_is_owed_does_not_count() -> None:
    """An upstream that reads slowly does not make its client slow."""
    clocks = Deadlines(LIMITS, START)
    for second in range(300):
        clocks.content_since = START + second if second % 10 == 0 else float("inf")
        clocks.content_came(START + second, 30)
        assert clocks.due(START + second, Phase.ANSWERING, 0, head_has_begun=False) is Due.NOTHING


@pytest.mark.parametrize(
    ("unsent", "due"), [pytest.param(0, Due.FAIL_CONTENT, id="content"), pytest.param(10, Due.ABORT, id="an answer")]
)
def test_a_rate_is_asked_for_from_when_something_is_owed(unsent: int, due: Due) -> None:
    """Not from the look before; and of the next request anew."""
    clocks = Deadlines(LIMITS, START)

    def look(second: int, *, is_owed: bool) -> Due:
        clocks.content_since = START + second if is_owed and not unsent else float("inf")
        clocks.sent = unsent
        return clocks.due(START + second, Phase.ANSWERING, unsent if is_owed else 0, head_has_begun=False)

    def wait(second: int) -> Due:
        clocks.head_since = float("inf")
        clocks.idle_since = START + second
        return clocks.due(START + second, Phase.WAITING, 0, head_has_begun=False)

    assert look(0, is_owed=False) is Due.NOTHING
    assert look(29, is_owed=True) is Due.NOTHING
    assert look(58, is_owed=True) is Due.NOTHING
    assert look(60, is_owed=True) is due
    assert wait(60) is Due.NOTHING
    assert look(61, is_owed=True) is Due.NOTHING
    assert look(90, is_owed=True) is Due.NOTHING
    assert look(92, is_owed=True) is due


def test_a_half_closed_client_is_answered_for_two_seconds() -> None:
    """The number is documented (http-88)."""
    assert HALF_CLOSED_GRACE == 2.0


def test_a_half_closed_client_is_known() -> None:
    """Until the connection ends."""
    clocks = Deadlines(LIMITS, START)
    assert not clocks.is_half_closed
    clocks.half_close(START, 0)
    assert clocks.is_half_closed


def test_a_head_is_refused_once() -> None:
    """Its clock is off then, and that of rest runs on."""
    clocks = Deadlines(LIMITS, START)
    assert clocks.due(START + 11, Phase.WAITING, 0, head_has_begun=True) is Due.REFUSE_HEAD
    assert clocks.due(START + 12, Phase.WAITING, 0, head_has_begun=True) is Due.NOTHING
    assert clocks.due(START + 61, Phase.WAITING, 0, head_has_begun=True) is Due.CLOSE


def test_counts() -> None:
    """Of content alone."""
    clocks = Deadlines(LIMITS, START)
    clocks.content_came(START, 3)
    clocks.content_came(START, 4)
    assert (clocks.received, clocks.sent) == (7, 0)


@pytest.mark.parametrize("min_rate", [0, 100])
def test_last_bytes_that_are_taken(min_rate: int) -> None:
    """A client that takes some of them at each look has its time."""
    clocks = Deadlines(replace(LIMITS, min_rate=min_rate), START)
    clocks.sent = 1_000_000
    clocks.stall(START, 1_000_000)
    for look in range(1, 9):
        unsent = 1_000_000 - look * 100_000
        now = START + look * (CLIENT_STALL_TIMEOUT - 1)
        assert clocks.due(now, Phase.CLOSING, unsent, head_has_begun=False) is Due.NOTHING
