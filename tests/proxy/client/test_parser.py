"""What is used of aiohttp's parser, held against the installed one: a new aiohttp that changes it fails here first."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import aiohttp.http
import pytest
from aiohttp.base_protocol import BaseProtocol

from corsproxy.proxy.client.head import ParsedHead
from corsproxy.proxy.client.parser import HeadParser
from corsproxy.proxy.errors import Refusal


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop that never runs: the parser asks for one and uses it for content alone."""
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


def read(data: bytes, loop: asyncio.AbstractEventLoop, limit: int = 1000) -> tuple[ParsedHead | None, int]:
    """Read one head."""
    return HeadParser(limit, 100, loop).feed(data, 0)


def test_the_parser_is_the_one_in_c() -> None:
    """The fallback in Python parses, and refuses, differently: without the C extension every promise is void."""
    assert aiohttp.http.HttpRequestParser.__module__ == "aiohttp._http_parser"
    assert aiohttp.http.RawRequestMessage.__module__ == "aiohttp._http_parser"


def test_aiohttp_still_keeps_a_trailer_for_the_next_head(loop: asyncio.AbstractEventLoop) -> None:
    """Why no parser sees a byte of content, or two heads; once this fails, a parser may serve a whole connection."""
    parser = aiohttp.http.HttpRequestParser(BaseProtocol(loop), loop, 1024, auto_decompress=False)
    parser.feed_data(
        b"PUT /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nAuthorization: evil\r\n\r\n"
    )
    ((message, _),), _, _ = parser.feed_data(b"GET /b HTTP/1.1\r\nHost: h\r\n\r\n")
    assert (b"Authorization", b"evil") in message.raw_headers


def test_a_head_and_where_it_ends(loop: asyncio.AbstractEventLoop) -> None:
    """Names and values as sent, without the white space around a value; bytes after it are not read."""
    data = b"\r\nPOST /a%2F?x HTTP/1.1\r\nHost: h\r\nx-A: \xe4 \r\nContent-Length: 02\r\n\r\n"
    head, end = read(data + b"\xff\xff", loop)
    assert head is not None
    assert (head.method, head.target, head.minor, head.length, end) == ("POST", b"/a%2F?x", 1, 2, len(data))
    assert [line.line for line in head.lines] == [b"Host: h\r\n", b"x-A: \xe4\r\n", b"Content-Length: 02\r\n"]
    assert (head.keep_alive, head.upgrade) == (True, False)


@pytest.mark.parametrize("target", [b"/a?", b"//evil/x", b"http://u@h/x", b"*", b"/a#b", b"/a\\b|{}"])
def test_the_target_is_the_wire_s(target: bytes, loop: asyncio.AbstractEventLoop) -> None:
    """Not decoded, not normalized, scheme and host left in."""
    head, _ = read(b"OPTIONS " + target + b" HTTP/1.1\r\nHost: h\r\n\r\n", loop)
    assert head is not None
    assert head.target == target


@pytest.mark.parametrize(
    ("lines", "length", "upgrade"),
    [
        (b"Transfer-Encoding: chunked", -1, False),
        (b"Content-Length: 0", 0, False),
        (b"Connection: Upgrade\r\nUpgrade: websocket", 0, True),
        (b"Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 3", 3, True),
    ],
)
def test_what_follows_a_head(lines: bytes, length: int, upgrade: bool, loop: asyncio.AbstractEventLoop) -> None:
    """Content of a known length, chunks, or another protocol if both want it."""
    head, _ = read(b"PUT / HTTP/1.1\r\nHost: h\r\n" + lines + b"\r\n\r\n", loop)
    assert head is not None
    assert (head.length, head.upgrade) == (length, upgrade)


@pytest.mark.parametrize("cut", [1, 5, 20, 26])
def test_a_head_in_two_segments(cut: int, loop: asyncio.AbstractEventLoop) -> None:
    """It is read as it comes; between heads nothing is kept."""
    data = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
    reader = HeadParser(1000, 100, loop)
    for _ in range(2):
        assert reader.feed(data[:cut], 0) == (None, cut)
        assert reader.has_begun
        head, end = reader.feed(data[cut:] + data, 0)
        assert head is not None
        assert end == len(data) - cut
        assert not reader.has_begun


def test_blank_lines_begin_no_head(loop: asyncio.AbstractEventLoop) -> None:
    """RFC 9112 section 2.2: they are passed over, and no clock runs for them."""
    reader = HeadParser(1000, 100, loop)
    assert reader.feed(b"\r\n\r\n\r\n", 2) == (None, 6)
    assert not reader.has_begun


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost : h\r\n\r\n", 400),
        (b"GET / HTTP/1.1\nHost: h\n\n", 400),
        (b"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: h\r\nX: " + b"a" * 1000, 431),
        (b"GET /" + b"a" * 1000, 431),
        (b"\x16\x03\x01" + b"\0" * 20, 400),
        (b"hello\r\n", 400),
        (b" GET / HTTP/1.1\r\n", 400),
        (b"FOO / RTSP/1.0\r\n\r\n", 400),
        (b"FOO  / HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        (b"FOO / HTTP/1.1\r\nHost : h\r\n\r\n", 400),
        (b"FOO / HTTP/1.1\nHost: h\n", 400),
        (b"FOO / HTTP/1.1\r\nHost: h\r\nX: " + b"a" * 1000, 431),
        (b"F" * 1001, 431),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (b"\n" + b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        (b"GET /a  HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: h\n\n", 400),
    ],
)
def test_what_is_refused(data: bytes, status: int, loop: asyncio.AbstractEventLoop) -> None:
    """The text repeats no byte of what came."""
    with pytest.raises(Refusal) as refused:
        read(data, loop)
    assert refused.value.status == status
    assert refused.value.text.isascii()


@pytest.mark.parametrize("method", ["FOO", "get", "GETX", "1X", "!a", "PLAY", "PRI", "F" * 65])
@pytest.mark.parametrize("minor", [1, 3])
def test_a_method_outside_the_table_is_read_all_the_same(
    method: str, minor: int, loop: asyncio.AbstractEventLoop
) -> None:
    """Its fields say which grant the 501 has to carry; however it comes, it is as whole a head as any other."""
    begun = b"%b /a?b HTTP/1.%d\r\n" % (method.encode(), minor)
    rest = b"Host: h\r\nOrigin: o\r\nContent-Length: 3\r\n\r\n"
    reader = HeadParser(1000, 100, loop)
    for end in range(1, len(begun) + 1):
        assert reader.feed(begun[end - 1 : end], 0) == (None, 1)
    for head, end in (reader.feed(rest, 0), read(begun + rest, loop)):
        assert end in (len(rest), len(begun + rest))
        assert head is not None
        assert (head.method, head.target, head.minor, head.length) == (method, b"/a?b", 1, 3)
        assert [line.line for line in head.lines][:2] == [b"Host: h\r\n", b"Origin: o\r\n"]


@pytest.mark.parametrize("minor", range(2, 10))
def test_a_later_version_is_read_as_1_1(minor: int, loop: asyncio.AbstractEventLoop) -> None:
    """RFC 9110 section 2.5; nothing but that digit is read otherwise."""
    head, _ = read(b"GET /a?b HTTP/1.%d\r\nHost: h\r\nX-A: HTTP/1.%d\r\n\r\n" % (minor, minor), loop)
    assert head is not None
    assert (head.method, head.target, head.minor) == ("GET", b"/a?b", 1)
    assert [line.line for line in head.lines] == [b"Host: h\r\n", b"X-A: HTTP/1.%d\r\n" % minor]


@pytest.mark.parametrize("behind", [b"", b"\r\n"])
def test_too_many_lines_are_too_large(behind: bytes, loop: asyncio.AbstractEventLoop) -> None:
    """Also before the head is complete; the parser's own text differs from others."""
    with pytest.raises(Refusal) as refused:
        read(b"GET / HTTP/1.1\r\nHost: h\r\n" + b"X:\r\n" * 100 + behind, loop)
    assert refused.value.status == 431


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", b"GET / HTTP/1.0\r\n\r\n"),
        (b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"),
        (b"CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n", b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"),
    ],
)
def test_no_head_knows_the_one_before(first: bytes, second: bytes, loop: asyncio.AbstractEventLoop) -> None:
    """Whatever a head has announced, the next is read as on a new connection."""
    reader = HeadParser(1000, 100, loop)
    assert reader.feed(first, 0)[0] is not None
    head, _ = reader.feed(second, 0)
    alone, _ = read(second, loop)
    assert head is not None
    assert alone is not None
    assert [line.line for line in head.lines] == [line.line for line in alone.lines]
    assert (head.method, head.keep_alive) == (alone.method, alone.keep_alive)
