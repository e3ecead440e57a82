"""Request content between connection and reader: nothing lost, nothing kept beyond a bound, failures told."""

from __future__ import annotations

import asyncio

import pytest

from corsproxy.proxy.client.content import NO_CONTENT, LengthReader, RequestContent
from corsproxy.proxy.errors import ClientError, ClientErrorKind


class Backlog:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def content_piles_up(self) -> None:
        """Note it."""
        self.told.append("piles up")

    def content_drained(self) -> None:
        """Note it."""
        self.told.append("drained")


async def test_a_piece_is_passed_on_as_it_came() -> None:
    """One piece is not copied; several are put together; then comes the end."""
    content = RequestContent(Backlog())
    piece = b"x" * 100
    content.feed(piece)
    assert await content.read() is piece
    content.feed(b"a")
    content.feed(b"b")
    content.feed_eof()
    assert [await content.read(), await content.read()] == [b"ab", b""]


async def test_a_reader_waits_for_the_next_piece() -> None:
    """It is woken by content, by the end and by a failure."""
    content = RequestContent(Backlog())
    reading = asyncio.create_task(content.read())
    await asyncio.sleep(0)
    content.feed(b"a")
    assert await reading == b"a"
    reading = asyncio.create_task(content.read())
    await asyncio.sleep(0)
    content.set_exception(ClientError(ClientErrorKind.BODY_TIMEOUT))
    with pytest.raises(ClientError):
        await reading


def test_a_failure_takes_with_it_what_was_not_read() -> None:
    """Half a message is not to be sent on; a whole one cannot fail any more."""
    content = RequestContent(Backlog())
    content.feed(b"a")
    content.set_exception(ClientError(ClientErrorKind.BAD_BODY))
    content.feed(b"b")
    with pytest.raises(ClientError):
        content.read_nowait()
    NO_CONTENT.set_exception(ClientError(ClientErrorKind.BAD_BODY))
    assert NO_CONTENT.exception() is None


def test_too_much_content_holds_the_client_back() -> None:
    """It pauses once and resumes once; unwanted content takes no space."""
    backlog = Backlog()
    content = RequestContent(backlog)
    for _ in range(5):
        content.feed(b"x" * 64 * 1024)
    assert backlog.told == ["piles up"]
    assert len(content.read_nowait()) == 5 * 64 * 1024
    assert backlog.told == ["piles up", "drained"]
    for _ in range(5):
        content.feed(b"x" * 64 * 1024)
    content.abandon()
    content.feed(b"x" * 1024 * 1024)
    assert backlog.told == ["piles up", "drained"] * 2
    assert content.read_nowait() == b""


@pytest.mark.parametrize("size", [1, 2, 3, 10])
def test_the_end_of_content_whose_length_is_known(size: int) -> None:
    """In any segments: all of it, and the bytes after it."""
    reader = LengthReader(3)
    data, taken = b"abcdefghij", b""
    while not reader.complete:
        pieces, rest = reader.read(data[:size])
        taken += b"".join(pieces)
        data = rest + data[size:]
    assert (taken, data) == (b"abc", b"defghij")
