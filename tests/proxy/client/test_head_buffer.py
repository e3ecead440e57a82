"""Where a head ends is found whatever segments it comes in, and its bytes are counted exactly."""

from __future__ import annotations

import pytest

from corsproxy.proxy.client.head_buffer import HeadBuffer, HeadTooLargeError

HEAD = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"


@pytest.mark.parametrize("cut", range(1, len(HEAD)))
def test_the_end_of_a_head_in_two_segments(cut: int) -> None:
    """The end may lie in both, blank lines may precede the head, and anything may follow it."""
    buffer = HeadBuffer(len(HEAD))
    assert buffer.take(b"\r\n\r\n" + HEAD[:cut], 0) == (b"", cut + 4)
    assert buffer.unfinished == HEAD[:cut]
    assert buffer.take(b"before" + HEAD[cut:] + b"\r\n\r\nbehind", 6) == (HEAD, 6 + len(HEAD) - cut)
    assert not buffer.unfinished


def test_the_end_of_a_head_byte_by_byte() -> None:
    """No segment is too short, and the next head begins anew."""
    buffer = HeadBuffer(len(HEAD))
    for _ in range(2):
        *before, last = [buffer.take(HEAD[at : at + 1], 0) for at in range(len(HEAD))]
        assert set(before) == {(b"", 1)}
        assert last == (HEAD, 1)


def test_blank_lines_are_no_head() -> None:
    """However many, in whatever segments."""
    buffer = HeadBuffer(len(HEAD))
    assert buffer.take(b"\r\n\r\n", 0) == (b"", 4)
    assert buffer.take(b"\r\n\r", 0) == (b"", 3)
    assert buffer.take(b"\n\r\n", 0) == (b"", 3)
    assert not buffer.unfinished
    assert buffer.take(b"\r", 0) == (b"", 1)
    assert buffer.take(b"x\n" + HEAD, 1) == (HEAD, 2 + len(HEAD))


@pytest.mark.parametrize("size", [len(HEAD), 7])
def test_a_head_of_one_byte_too_many(size: int) -> None:
    """Whole or in pieces, with or without an end."""
    with pytest.raises(HeadTooLargeError):
        feed(HeadBuffer(len(HEAD) - 1), size)
    feed(HeadBuffer(len(HEAD)), size)


def feed(buffer: HeadBuffer, size: int) -> None:
    """Feed a head in segments of this size."""
    for at in range(0, len(HEAD), size):
        buffer.take(HEAD[at : at + size], 0)


def test_what_stands_behind_a_head_does_not_count() -> None:
    """A head of just the limit passes with anything behind it."""
    assert HeadBuffer(len(HEAD)).take(HEAD + b"x" * 1000, 0) == (HEAD, len(HEAD))
