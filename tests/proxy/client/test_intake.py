"""Content taken off a connection and what waits behind it: where one request ends and the next begins."""

from __future__ import annotations

import pytest

from corsproxy.proxy.client.content import RequestContent
from corsproxy.proxy.client.intake import Intake
from corsproxy.proxy.errors import ClientErrorKind

CHUNKED = -1


class Backlog:
    """Nothing piles up here."""

    def content_piles_up(self) -> None:
        """Never."""

    def content_drained(self) -> None:
        """Nor this."""


def taken(length: int, *segments: bytes, limit: int = 100) -> tuple[list[tuple[int, int]], bytes, bool]:
    """Take segments; return what was said of each, the content, and whether it ended."""
    content = RequestContent(Backlog())
    intake = Intake(content, length, limit)
    said = []
    for segment in segments:
        assert not intake.is_over
        said.append(intake.take(b"before" + segment, 6))
    assert intake.is_over == (content.is_eof() or content.exception() is not None)
    return [(end - 6, size) for end, size in said], content.read_nowait(), content.is_eof()


@pytest.mark.parametrize(
    ("length", "segments", "said", "content", "whole"),
    [
        pytest.param(0, [b"GET"], [(0, 0)], b"", True, id="no content"),
        pytest.param(5, [b"hello"], [(5, 5)], b"hello", True, id="content"),
        pytest.param(5, [b"helloGET"], [(5, 5)], b"hello", True, id="and the next request"),
        pytest.param(5, [b"he", b"lloGET"], [(2, 2), (3, 3)], b"hello", True, id="in two segments"),
        pytest.param(5, [b"he"], [(2, 2)], b"he", False, id="not whole"),
        pytest.param(CHUNKED, [b"0\r\n\r\nGET"], [(5, 0)], b"", True, id="no chunks"),
        pytest.param(CHUNKED, [b"5\r\nhello\r\n0\r\n\r\n"], [(15, 5)], b"hello", True, id="a chunk"),
        pytest.param(CHUNKED, [b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\nGET"], [(20, 5)], b"hello", True, id="two chunks"),
        pytest.param(CHUNKED, [b"5\r\nhe", b"llo\r\n"], [(5, 2), (5, 3)], b"hello", False, id="half a chunk"),
    ],
)
def test_where_content_ends(
    length: int, segments: list[bytes], said: list[tuple[int, int]], content: bytes, whole: bool
) -> None:
    """Bytes after it belong to the next request, byte for byte."""
    assert taken(length, *segments) == (said, content, whole)


@pytest.mark.parametrize("segment", [b"x\r\n", b"5\nhello", b"1\r\nab", b"1;" + b"a" * 200 + b"\r\n"])
def test_broken_chunks(segment: bytes) -> None:
    """The end of such content is unknown: everything received is dropped, and the reader gets the error."""
    content = RequestContent(Backlog())
    intake = Intake(content, CHUNKED, 100)
    assert intake.take(b"before" + segment, 6) == (6 + len(segment), 0)
    assert intake.is_over
    error = content.exception()
    assert error is not None
    assert error.kind is ClientErrorKind.BAD_BODY


def test_a_segment_is_passed_on_uncopied() -> None:
    """Content that fills a segment costs no copy."""
    content = RequestContent(Backlog())
    segment = b"x" * 100
    assert Intake(content, 200, 100).take(segment, 0) == (100, 100)
    assert content.read_nowait() is segment
