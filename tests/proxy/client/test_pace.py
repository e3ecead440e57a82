"""The least rate by numbers: bytes moved and times of looking in, slow or not out."""

from __future__ import annotations

import pytest

from corsproxy.proxy.client.pace import Pace

WINDOW = 16.0
START = 1000.0


def looks(*steps: tuple[float, int, bool], rate: int = 10) -> list[bool]:
    """Return what is said at each look: of seconds and bytes since the last one, and whether bytes are owed."""
    pace, now, moved = Pace(rate, WINDOW, START, 500), START, 500
    said = []
    for seconds, grown, is_owed in steps:
        now += seconds
        moved += grown
        said.append(pace.is_too_slow(now, moved, is_owed=is_owed))
    return said


def every_second(grown: int, seconds: int, *, is_owed: bool = True) -> list[tuple[float, int, bool]]:
    """Return one look a second."""
    return [(1.0, grown, is_owed)] * seconds


@pytest.mark.parametrize(("grown", "is_slow"), [(0, True), (9, True), (10, False), (11, False)])
def test_the_least_rate(grown: int, is_slow: bool) -> None:
    """Just enough is enough; nothing is said before a window is whole."""
    said = looks(*every_second(grown, 17))
    assert not any(said[:15])
    assert said[15] is is_slow


def test_the_window_moves() -> None:
    """What came long ago pays for nothing, and one slow second in a window that is fast enough costs nothing."""
    assert looks(*every_second(1000, 1), *every_second(0, 15))[-1] is False
    assert looks(*every_second(1000, 1), *every_second(0, 16))[-1] is True
    assert not any(looks(*([*every_second(0, 8), *every_second(20, 8)] * 5)))
    assert not any(looks(*every_second(10, 200)))
    assert looks(*every_second(10, 200), *every_second(9, 1))[-1] is True


def test_one_look_may_be_as_long_as_a_window() -> None:
    """A loop that was busy looks late."""
    assert looks((WINDOW, 160, True), (WINDOW, 159, True)) == [False, True]
    assert looks((100.0, 999, True)) == [True]
    assert looks((100.0, 1000, True), (WINDOW, 160, True)) == [False, False]
    assert looks((WINDOW - 0.1, 0, True), (0.1, 0, True)) == [False, False]
    assert looks((WINDOW - 1.0, 0, True), (1.0, 0, True)) == [False, True]


def test_looks_between_two_slots_are_counted_together() -> None:
    """Ten looks a second say what one says."""
    assert not any(looks(*[(0.125, 2, True), (0.125, 1, True), (0.125, 1, True), (0.125, 1, True)] * 100))
    said = looks(*[(0.125, 2, True), (0.125, 1, True), (0.125, 1, True), (0.125, 0, True)] * 32)
    assert said.index(True) == 127


def test_only_time_in_which_bytes_are_owed_counts() -> None:
    """A quiet stream is not slow, nor what comes after a pause."""
    assert not any(looks(*every_second(0, 100, is_owed=False)))
    assert not any(looks(*[(10.0, 0, False), (1.0, 0, True), (1.0, 10, True)] * 50))
    assert looks(*[(10.0, 0, False), (1.0, 0, True), (1.0, 9, True)] * 16)[-1] is True
    assert (
        looks(*every_second(0, 14), (1.0, 0, False), (50.0, 0, False), (50.0, 0, True), (1.0, 160, True))[-1] is False
    )


def test_two_looks_at_one_moment_are_one() -> None:
    """No time has passed in which anything could have moved."""
    assert looks(*[(0.0, 0, True)] * 100) == [False] * 100


def test_a_count_that_shrinks_is_none() -> None:
    """What was counted as taken may turn out to be waiting: it takes nothing from what came before."""
    assert looks(*every_second(1000, 2), (1.0, -2000, True), *every_second(0, 13))[-1] is False
