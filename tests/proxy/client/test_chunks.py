"""Chunked content of requests, read by bytes alone: what is content, where it ends, and what is refused."""

from __future__ import annotations

import asyncio
import itertools

import pytest
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import HttpRequestParser
from hypothesis import example, given, settings
from hypothesis import strategies as st

from corsproxy.proxy.client.chunks import ChunkError, ChunkReader
from tests.proxy.messages import CONTENT, chunked, mutated
from tests.support.examples import examples

LIMIT = 100

EXAMPLES = examples(150)

HEAD = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"


def read(*segments: bytes, limit: int = LIMIT) -> tuple[bytes, bytes] | str | None:
    """Return the content and the bytes after it, None if it is incomplete, or the error."""
    reader = ChunkReader(limit)
    content = behind = b""
    for segment in segments:
        if reader.complete:
            behind += segment
            continue
        try:
            pieces, behind = reader.read(segment)
        except ChunkError:
            return "invalid"
        content += b"".join(pieces)
    return (content, behind) if reader.complete else None


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"0\r\n\r\n", (b"", b"")),
        (b"3\r\nabc\r\n0\r\n\r\nGET", (b"abc", b"GET")),
        (b"00000a\r\n0123456789\r\n000\r\n\r\n", (b"0123456789", b"")),
        (b"A\r\n0123456789\r\n0\r\n\r\n\r\n", (b"0123456789", b"\r\n")),
        (b"1\r\na\r\n0\r\nCookie: a=b\r\nX:\r\n\r\nGET", (b"a", b"GET")),
        (b'1;a;b=c;d="e\\"\r;"\r\na\r\n0\r\n\r\n'.replace(b"\r;", b";"), (b"a", b"")),
        (b"1 ; a = b\t;c\r\na\r\n0 ;last\r\n\r\n", (b"a", b"")),
        (b"3\r\n\r\n0\r\n0\r\n\r\n", (b"\r\n0", b"")),
        (b"3\r\nabc\r\n0\r\n", None),
        (b"3\r\nabc\r", None),
    ],
)
def test_valid_content(data: bytes, expected: tuple[bytes, bytes] | None) -> None:
    """Extensions and trailer fields are dropped, and bytes after the end are returned, in any segments."""
    assert read(data) == expected
    assert read(*(data[at : at + 1] for at in range(len(data)))) == expected


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\r\n", id="no size"),
        pytest.param(b"3 \r\nabc\r\n", id="a space behind the size"),
        pytest.param(b" 3\r\nabc\r\n", id="a space before the size"),
        pytest.param(b"0x3\r\nabc\r\n", id="0x"),
        pytest.param(b"-3\r\nabc\r\n", id="a minus"),
        pytest.param(b"+3\r\nabc\r\n", id="a plus"),
        pytest.param(b"3_0\r\nabc\r\n", id="an underscore, which int() takes"),
        pytest.param(b"8000000000000000\r\n", id="a size that is negative in 64 bits"),
        pytest.param(b"10000000000000000\r\n", id="a size beyond 64 bits"),
        pytest.param(b"00000000000000003\r\nabc\r\n", id="a size of 17 digits"),
        pytest.param(b"3\nabc\r\n", id="bare LF behind a size"),
        pytest.param(b"3\r\nabc\n0\r\n", id="bare LF behind a chunk"),
        pytest.param(b"3\rabc", id="bare CR behind a size"),
        pytest.param(b"3\r\nabcd", id="a chunk longer than its size"),
        pytest.param(b"3;\r\n", id="an extension without a name"),
        pytest.param(b"3;a=\r\n", id="an extension without a value"),
        pytest.param(b"3;a b\r\n", id="a space inside an extension"),
        pytest.param(b"3;a\nb\r\n", id="bare LF inside an extension"),
        pytest.param(b"3;a\rb\r\n", id="bare CR inside an extension"),
        pytest.param(b'3;a="\n"\r\n', id="bare LF inside a quoted extension"),
        pytest.param(b'3;a="b\r\n', id="an open quote"),
        pytest.param(b"3;a\x00\r\n", id="NUL in an extension"),
        pytest.param(b"0\r\n a: b\r\n", id="a trailer that is folded"),
        pytest.param(b"0\r\na : b\r\n", id="a space before the colon of a trailer"),
        pytest.param(b"0\r\na\r\n", id="a trailer without a colon"),
        pytest.param(b"0\r\na: b\n", id="bare LF behind a trailer"),
        pytest.param(b"0\r\na: b\rc\r\n", id="bare CR inside a trailer"),
        pytest.param(b"0\r\na: \x00\r\n", id="NUL in a trailer"),
        pytest.param(b"0\r\n\n", id="bare LF at the end"),
        pytest.param(b"0\r\n" + b"a: b\r\n" * 17, id="more trailers than the limit"),
        pytest.param(b"0\r\na:" + b"b" * 100, id="a trailer longer than the limit"),
        pytest.param(b"1;" + b"a" * 120, id="an extension longer than the limit"),
        pytest.param(b"1;aaaaaaaaa\r\na\r\n" * 12, id="extensions that add up to more than the limit"),
    ],
)
def test_invalid_content(data: bytes) -> None:
    """What another server could read differently is an error, as soon as it is certain, in any segments."""
    assert read(data) == "invalid"
    assert read(*(data[at : at + 1] for at in range(len(data)))) == "invalid"


def test_extensions_are_paid_for_by_content() -> None:
    """A client that signs each of many chunks is served: one byte of extension for each of content."""
    data = b"64;s=%b\r\n%b\r\n" % (b"a" * 90, b"x" * 100) * 50 + b"0\r\n\r\n"
    assert read(data) == (b"x" * 5000, b"")


@pytest.mark.parametrize(
    ("data", "outcome"),
    [
        pytest.param(b"1;" + b"a" * LIMIT + b"\r\na\r\n0\r\n\r\n", (b"a", b""), id="an extension"),
        pytest.param(b"1;" + b"a" * (LIMIT + 1) + b"\r\na\r\n0\r\n\r\n", "invalid", id="an extension, a byte more"),
        pytest.param(b"0\r\na:" + b"b" * (LIMIT - 6) + b"\r\n\r\n", (b"", b""), id="trailers"),
        pytest.param(b"0\r\na:" + b"b" * (LIMIT - 5) + b"\r\n\r\n", "invalid", id="trailers, a byte more"),
        pytest.param(b"0\r\na:" + b"b" * (LIMIT - 2), None, id="a trailer begun"),
        pytest.param(b"0\r\na:" + b"b" * (LIMIT - 1), "invalid", id="a trailer begun, a byte more"),
        pytest.param(b"1;" + b"a" * (LIMIT - 2), None, id="an extension begun"),
        pytest.param(b"1;" + b"a" * (LIMIT - 1), "invalid", id="an extension begun, a byte more"),
        pytest.param(b"7fffffffffffffff\r\na", None, id="a size"),
        pytest.param(b"1\r\na\r\n7fffffffffffffff\r\n", "invalid", id="sizes, a byte more"),
    ],
)
def test_the_last_byte_of_a_limit(data: bytes, outcome: object) -> None:
    """Each limit is taken whole, and no byte further."""
    assert read(data) == outcome


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    data=CONTENT.flatmap(chunked) | mutated(CONTENT.flatmap(chunked)), cuts=st.lists(st.integers(0, 4000), max_size=9)
)
def test_segments(data: bytes, cuts: list[int]) -> None:
    """Valid or not, content is the same whole and in any pieces."""
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    pieces = [data[start:end] for start, end in itertools.pairwise(places)]
    assert read(*pieces, limit=5000) == read(data, limit=5000)


async def read_by_aiohttp(data: bytes) -> bytes | None:
    """Return the content as aiohttp's parser reads it; None if it refuses it or waits for more."""
    loop = asyncio.get_running_loop()
    parser = HttpRequestParser(BaseProtocol(loop), loop, 1 << 16, auto_decompress=False)
    ((_, content),), _, _ = parser.feed_data(HEAD)
    try:
        parser.feed_data(data)
    except HttpProcessingError:
        return None
    return content.read_nowait() if content.is_eof() else None


@settings(max_examples=EXAMPLES, deadline=None)
@example(data=b"1;a=b\r\na\r\n0\r\nX: y\r\n\r\n")
@given(data=CONTENT.flatmap(chunked) | mutated(CONTENT.flatmap(chunked)))
def test_another_parser_reads_the_same(data: bytes) -> None:
    """Whatever is whole here is whole to llhttp in the same place, with the same content."""
    outcome = read(data, limit=5000)
    if not isinstance(outcome, tuple) or outcome[1]:
        return
    if b" ;" in data or b"; " in data or b" =" in data or b"= " in data or b"\t" in data:
        return  # white space around an extension is valid (RFC 9112 section 7.1.1); llhttp refuses it
    if b"content-length:" in data.lower() or b"transfer-encoding:" in data.lower():
        return  # llhttp refuses them as trailer fields; here every trailer field is dropped
    assert asyncio.run(read_by_aiohttp(data)) == outcome[0]
