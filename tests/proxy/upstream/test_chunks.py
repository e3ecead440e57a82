"""Chunked content of responses, by bytes alone: what it holds, where it ends, what is refused and how soon."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from corsproxy.proxy.errors import UpstreamError, UpstreamErrorKind
from corsproxy.proxy.upstream.chunks import MAX_FRAMING_BYTES, ResponseChunkReader
from corsproxy.proxy.upstream.field_section import MAX_FIELD_LINES
from corsproxy.proxy.upstream.oddity import Oddities, Oddity

Fields = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Read:
    """What a reader made of some segments."""

    content: bytes
    is_complete: bool
    taken: int
    """Bytes of the last segment that belong to the message."""


def reader(*, lenient: bool = False) -> ResponseChunkReader:
    """Return a new reader."""
    return ResponseChunkReader(Oddities(lenient=lenient))


def read(*segments: bytes, lenient: bool = False) -> Read:
    """Feed a new reader; raises `UpstreamError`."""
    made, taken = reader(lenient=lenient), 0
    pieces: list[bytes] = []
    for segment in segments:
        taken = made.feed(segment, pieces)
    return Read(b"".join(pieces), made.is_complete, taken)


def bytewise(data: bytes) -> list[bytes]:
    """Split into segments of one byte."""
    return [data[at : at + 1] for at in range(len(data))]


@pytest.mark.parametrize(
    ("data", "content"),
    [
        (b"0\r\n\r\n", b""),
        (b"000\r\n\r\n", b""),
        (b"3\r\nabc\r\n0\r\n\r\n", b"abc"),
        (b"1\r\na\r\n2\r\nbc\r\n0\r\n\r\n", b"abc"),
        (b"a\r\n0123456789\r\n0\r\n\r\n", b"0123456789"),
        (b"A\r\n0123456789\r\n0\r\n\r\n", b"0123456789"),
        (b"10\r\n0123456789abcdef\r\n0\r\n\r\n", b"0123456789abcdef"),
        (b"2\r\n\r\n\r\n0\r\n\r\n", b"\r\n"),
        (b"1\r\n\n\r\n1\r\n\r\r\n0\r\n\r\n", b"\n\r"),
        (b"5\r\n0\r\n\r\n\r\n0\r\n\r\n", b"0\r\n\r\n"),
        (b"3 \t\r\nabc\r\n0 \r\n\r\n", b"abc"),
        (b"3;\r\nabc\r\n0;\r\n\r\n", b"abc"),
        (b'3 ; a = "b"\t;\xe4\r\nabc\r\n0;z\r\n\r\n', b"abc"),
        (b"0" * 40 + b"3\r\nabc\r\n0\r\n\r\n", b"abc"),
    ],
)
def test_valid_content(data: bytes, content: bytes) -> None:
    """Whole, and byte by byte; what stands behind the end is left alone."""
    assert read(data) == Read(content, True, len(data))
    assert read(data + b"HTTP/1.1 200") == Read(content, True, len(data))
    assert read(*bytewise(data)) == Read(content, True, 1)
    for end in range(1, len(data)):
        assert read(data[:end]).is_complete is False
        assert read(data[:end]).taken == end
        assert read(data[:end], data[end:]) == Read(content, True, len(data) - end)


def test_content_is_handed_on_as_it_comes() -> None:
    """Nothing of a chunk waits for the rest of it."""
    made, pieces = reader(), list[bytes]()
    for segment in (b"6\r\nab", b"cd", b"ef", b"\r\n0\r\n", b"\r\n"):
        made.feed(segment, pieces)
    assert pieces == [b"ab", b"cd", b"ef"]


def test_nothing_is_taken_behind_the_end() -> None:
    """A reader that is complete takes no byte more."""
    made, pieces = reader(), list[bytes]()
    made.feed(b"0\r\n\r\n", pieces)
    assert made.feed(b"3\r\nabc\r\n", pieces) == 0
    assert pieces == []


@pytest.mark.parametrize(
    ("section", "fields"),
    [
        (b"", []),
        (b"X-T: 1\r\n", [(b"X-T", b"1")]),
        (b"X-T: 1\r\nx-t:2 \r\nX-E:\r\n", [(b"X-T", b"1"), (b"x-t", b"2"), (b"X-E", b"")]),
        (b"X-T: a\r\n  b\r\n", [(b"X-T", b"a b")]),
    ],
)
def test_trailer_fields(section: bytes, fields: Fields) -> None:
    """They are read as the fields of a head are, once all of them are there."""
    data = b"1\r\na\r\n0\r\n" + section + b"\r\n"
    for segments in ([data], bytewise(data)):
        made = reader()
        for segment in segments:
            assert made.trailers == []
            made.feed(segment, [])
        assert made.trailers == fields


REFUSED = [
    pytest.param(b"\r\n", id="no size"),
    pytest.param(b";a\r\n", id="an extension without a size"),
    pytest.param(b" 3\r\n", id="a space before the size"),
    pytest.param(b"\t3\r\n", id="a tab before the size"),
    pytest.param(b" \r\n", id="a space for a size"),
    pytest.param(b"\t;a\r\n", id="a tab for a size"),
    pytest.param(b"0x3\r\n", id="0x"),
    pytest.param(b"-3\r\n", id="a minus"),
    pytest.param(b"+3\r\n", id="a plus"),
    pytest.param(b"1_0\r\n", id="an underscore, which int() takes"),
    pytest.param(b"3 3\r\n", id="two sizes"),
    pytest.param(b"g\r\n", id="no digit"),
    pytest.param(b"3\x00\r\n", id="NUL behind a size"),
    pytest.param(b"3;\x00\r\n", id="NUL in an extension"),
    pytest.param(b"3;\x7f\r\n", id="DEL in an extension"),
    pytest.param(b"3;a\rb\r\n", id="bare CR in an extension"),
    pytest.param(b"3\r\r\n", id="two CR"),
    pytest.param(b"3\n", id="bare LF behind a size"),
    pytest.param(b"3\r\nabc\n", id="bare LF behind a chunk"),
    pytest.param(b"3\r\nabcd\r\n", id="a chunk longer than its size"),
    pytest.param(b"3\r\nabc0\r\n", id="no line end behind a chunk"),
    pytest.param(b"3\r\nabc\r\r\n", id="two CR behind a chunk"),
    pytest.param(b"0\n", id="bare LF behind the last size"),
    pytest.param(b"0\r\n\n", id="bare LF at the end"),
    pytest.param(b"0\r\nX: y\n", id="bare LF behind a trailer field"),
    pytest.param(b"0\r\nno colon\r\n\r\n", id="a trailer line without a colon"),
    pytest.param(b"0\r\nX: a\x01\r\n\r\n", id="a control character in a trailer field"),
    pytest.param(b"0\r\n X: a\r\n\r\n", id="a trailer section that begins with a fold"),
    pytest.param(b"0\r\n(: a\r\n\r\n", id="a trailer field whose name is no token"),
    pytest.param(b"8000000000000000\r\n", id="a size of 2^63"),
    pytest.param(b"ffffffffffffffff\r\n", id="a size of 64 bits"),
    pytest.param(b"10000000000000000\r\n", id="a size of 17 digits"),
]


@pytest.mark.parametrize("data", REFUSED)
def test_invalid_content(data: bytes) -> None:
    """Every byte that another recipient could read otherwise is the upstream's fault."""
    for segments in ([data], bytewise(data)):
        with pytest.raises(UpstreamError) as refused:
            read(*segments)
        assert refused.value.kind is UpstreamErrorKind.PROTOCOL


@pytest.mark.parametrize("behind", [b"X", b" ", b"0", b"\r\r", b"\rX"])
def test_what_is_not_the_end_of_a_chunk_is_refused_at_once(behind: bytes) -> None:
    """No line end is waited for that would only come with the next chunk, or never."""
    assert read(b"2\r\nok", b"\r").is_complete is False
    with pytest.raises(UpstreamError):
        read(b"2\r\nok" + behind)
    with pytest.raises(UpstreamError):
        read(b"2\r\nok", *bytewise(behind))


@pytest.mark.parametrize(
    ("data", "content", "trailers", "found"),
    [
        (b"3\nabc\r\n0\r\n\r\n", b"abc", [], [Oddity.BARE_LF]),
        (b"3\r\nabc\n0\r\n\r\n", b"abc", [], [Oddity.BARE_LF]),
        (b"3\r\nabc\r\n0\n\r\n", b"abc", [], [Oddity.BARE_LF]),
        (b"3\nabc\n0\n\n", b"abc", [], [Oddity.BARE_LF]),
        (b"0\r\nno colon\r\nX: a\x01\r\n\r\n", b"", [(b"X", b"a")], [Oddity.NO_COLON, Oddity.CONTROL]),
        (b"3\r\nabc\r\n0\r\n\r\n", b"abc", [], []),
    ],
)
def test_lenient_parsing(data: bytes, content: bytes, trailers: Fields, found: list[Oddity]) -> None:
    """What it takes is read like the valid spelling, and noted; what no list names stays refused."""
    for segments in ([data], bytewise(data)):
        oddities, pieces = Oddities(lenient=True), list[bytes]()
        made = ResponseChunkReader(oddities)
        for segment in segments:
            made.feed(segment, pieces)
        assert (b"".join(pieces), made.is_complete, made.trailers, oddities.found) == (content, True, trailers, found)


@pytest.mark.parametrize("data", [b"\n", b"3\r\nabcd\n", b"3\r\nabc\r\r\n", b"-3\n", b"0\r\n(: a\r\n\r\n"])
def test_lenient_parsing_has_its_limits(data: bytes) -> None:
    """Of what has no one reading nothing is taken."""
    with pytest.raises(UpstreamError):
        read(data, lenient=True)


@pytest.mark.parametrize("zeros", [0, 1, 30])
def test_the_largest_chunk(zeros: int) -> None:
    """2^63 - 1 is taken, one more is not; zeros in front say nothing."""
    assert read(b"0" * zeros + b"7fffffffffffffff\r\nab") == Read(b"ab", False, 20 + zeros)
    for size in (b"8000000000000000", b"fffffffffffffffff"):
        with pytest.raises(UpstreamError):
            read(b"0" * zeros + size + b"\r\n")


def framing(size: int) -> bytes:
    """Return a size line of so many bytes."""
    return b"1;" + b"e" * (size - 4) + b"\r\n"


def test_the_last_byte_of_chunk_framing() -> None:
    """Extensions and trailer fields may have so many bytes, and no byte more."""
    assert read(framing(MAX_FRAMING_BYTES) + b"a").content == b"a"
    with pytest.raises(UpstreamError, match=str(MAX_FRAMING_BYTES)):
        read(framing(MAX_FRAMING_BYTES + 1))
    rest = MAX_FRAMING_BYTES - len(b"\r\n0\r\n")
    trailer = b"X:%b\r\n" % (b"t" * (rest - 6))
    assert read(b"1\r\na\r\n0\r\n" + trailer + b"\r\n").is_complete
    with pytest.raises(UpstreamError):
        read(b"1\r\na\r\n0\r\nX" + trailer + b"\r\n")


def test_chunk_framing_is_counted_from_one_piece_of_content_to_the_next() -> None:
    """Long content may have many extensions; they must only not go on for ever without any."""
    half = framing(MAX_FRAMING_BYTES // 2) + b"a\r\n"
    assert read(half * 5 + b"0\r\n\r\n").content == b"aaaaa"
    with pytest.raises(UpstreamError):
        read(b"1;" + b"e" * (MAX_FRAMING_BYTES // 2), b"e" * (MAX_FRAMING_BYTES // 2))


def test_the_last_trailer_line() -> None:
    """So many lines, and none more: that one is refused when it comes, not at the end."""
    made = reader()
    made.feed(b"0\r\n" + b"X: y\r\n" * MAX_FIELD_LINES, [])
    with pytest.raises(UpstreamError, match=str(MAX_FIELD_LINES)):
        made.feed(b"X: y\r\n", [])
    made = reader()
    made.feed(b"0\r\n" + b"X: y\r\n" * MAX_FIELD_LINES + b"\r\n", [])
    assert made.trailers == [(b"X", b"y")] * MAX_FIELD_LINES
