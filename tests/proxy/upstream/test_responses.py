"""The upstream's response as a state machine: bytes in, a head and pieces of content out; no socket anywhere.

Every row is also read byte by byte: where the segments end changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from corsproxy.proxy.errors import UpstreamError, UpstreamErrorKind
from corsproxy.proxy.upstream.field_section import MAX_FIELD_LINES
from corsproxy.proxy.upstream.head import Framing
from corsproxy.proxy.upstream.reader import MAX_HEAD_BYTES, ResponseReader

Split = Callable[[bytes], list[bytes]]

OK_HEAD = b"HTTP/1.1 200 OK\r\n"


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader made of some bytes."""

    status: int = 0
    body: bytes = b""
    complete: bool = False
    error: UpstreamErrorKind | None = None
    interim: tuple[int, ...] = ()
    trailers: tuple[tuple[bytes, bytes], ...] = ()


def read(segments: list[bytes], *, to: str = "GET", upgrade: bool = False, eof: bool = False) -> Reading:
    """Feed a new reader segment by segment."""
    reader = ResponseReader()
    reader.start(is_head_request=to == "HEAD", expects_upgrade=upgrade)
    error = None
    try:
        for segment in segments:
            if reader.complete:
                break  # the connection hands nothing on after the end
            reader.feed(segment)
        if eof:
            reader.feed_eof()
    except UpstreamError as failure:
        error = failure.kind
    return Reading(
        status=reader.head.status if reader.head else 0,
        body=b"".join(reader.body),
        complete=reader.complete,
        error=error,
        interim=tuple(head.status for head in reader.interim),
        trailers=tuple(reader.trailers),
    )


def bytewise(data: bytes) -> list[bytes]:
    """Split into segments of one byte."""
    return [data[at : at + 1] for at in range(len(data))]


WHOLE = [
    pytest.param(OK_HEAD + b"Content-Length: 2\r\n\r\nok", Reading(200, b"ok", True), id="content of a known length"),
    pytest.param(OK_HEAD + b"Content-Length: 0\r\n\r\n", Reading(200, b"", True), id="a length of nothing"),
    pytest.param(
        OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n3;a=b\r\n...\r\n0\r\n\r\n",
        Reading(200, b"ok...", True),
        id="http-8 chunks, their extensions gone",
    ),
    pytest.param(
        OK_HEAD + b"Transfer-Encoding: Chunked\r\n\r\n2  \r\nok\r\n0\r\n\r\n",
        Reading(200, b"ok", True),
        id="a chunk size padded with spaces, the coding in another letter case",
    ),
    pytest.param(
        OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-T: 1\r\nx-t: 2\r\n\r\n",
        Reading(200, b"a", True, trailers=((b"X-T", b"1"), (b"x-t", b"2"))),
        id="http-70 trailer fields",
    ),
    pytest.param(
        OK_HEAD
        + b"Transfer-Encoding: chunked\r\n\r\n0\r\nVary: X\r\nAccess-Control-Allow-Origin: *\r\n"
        + b"Set-Cookie: a=b\r\nX-T: 1\r\n\r\n",
        Reading(200, b"", True, trailers=((b"X-T", b"1"),)),
        id="http-70 trailer fields that would grant, vary or set a cookie are dropped",
    ),
    pytest.param(
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
        b"HTTP/1.1 103 x\r\n\r\n" + OK_HEAD + b"Content-Length: 1\r\n\r\na",
        Reading(200, b"a", True, interim=(103, 103)),
        id="http-69 interim responses before the final one; a 100 is for us",
    ),
    pytest.param(b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", Reading(204, b"", True), id="204"),
    pytest.param(b"HTTP/1.1 304 x\r\nContent-Length: 50\r\n\r\n", Reading(304, b"", True), id="304 with a length"),
    pytest.param(b"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", Reading(200, b"", True), id="http-68 no reason phrase"),
    pytest.param(b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", Reading(200, b"", True), id="http-68 not even a space"),
    pytest.param(b"HTTP/1.1 600 x\r\nContent-Length: 0\r\n\r\n", Reading(600, b"", True), id="http-67 status 600"),
    pytest.param(b"HTTP/1.1 999 x\r\nContent-Length: 0\r\n\r\n", Reading(999, b"", True), id="http-67 status 999"),
    pytest.param(
        b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", Reading(200, b"ok", True), id="http-66 lines ended by a bare LF"
    ),
    pytest.param(
        OK_HEAD + b"X: a\r\n b\r\nContent-Length: 0\r\n\r\n", Reading(200, b"", True), id="http-66 a folded line"
    ),
    pytest.param(
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", Reading(200, b"ok", True), id="HTTP/1.0 with a length"
    ),
    pytest.param(
        b"HTTP/1.2 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        Reading(200, b"", True),
        id="http-14 HTTP/1.2",
    ),
    pytest.param(
        OK_HEAD + b"Content-Length: 2\r\nX: y\r\ncontent-length: 02\r\n\r\nok",
        Reading(200, b"ok", True),
        id="http-64 two equal lengths",
    ),
    pytest.param(OK_HEAD + b"Content-Length: 2 ,2\r\n\r\nok", Reading(200, b"ok", True), id="http-64 equal in a list"),
    pytest.param(
        OK_HEAD + b"Content-Length \t: 2\r\nX-Powered-By : PHP/5.2\r\n\r\nok",
        Reading(200, b"ok", True),
        id="white space before a colon",
    ),
    pytest.param(
        OK_HEAD + b"Transfer-Encoding : chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        Reading(200, b"ok", True),
        id="a space before the colon of a coding",
    ),
    pytest.param(
        OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 5\r\nTransfer-Encoding: x\r\nX: y\r\n\r\n",
        Reading(200, b"", True, trailers=((b"X", b"y"),)),
        id="http-70 a length in trailers is left out",
    ),
    pytest.param(
        b"HTTP/1.1 103 x\r\nConnection: close\r\n\r\n" + OK_HEAD + b"Content-Length: 1\r\n\r\na",
        Reading(200, b"a", True, interim=(103,)),
        id="an interim response that says close",
    ),
    pytest.param(
        OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\n002 ;\ta=b ; c\r\nok\r\n000\r\n\r\n",
        Reading(200, b"ok", True),
        id="http-8 white space around the semicolons of chunk extensions",
    ),
    pytest.param(
        b"\r\n\n" + OK_HEAD + b"Content-Length: 0\r\n\r\n", Reading(200, b"", True), id="empty lines before the message"
    ),
    pytest.param(
        OK_HEAD + b"X: y\r\n" * MAX_FIELD_LINES + b"\r\n", Reading(200, b""), id="as many lines as there may be"
    ),
]


@pytest.mark.parametrize("split", [lambda data: [data], bytewise], ids=["whole", "byte by byte"])
@pytest.mark.parametrize(("data", "expected"), WHOLE)
def test_valid_responses(data: bytes, expected: Reading, split: Split) -> None:
    """What is valid is read, however it comes."""
    assert read(split(data)) == expected


CLOSE_DELIMITED = [
    pytest.param(b"HTTP/1.0 200 OK\r\n\r\nabc", id="http-59 HTTP/1.0 without a length"),
    pytest.param(b"HTTP/1.1 200 OK\r\nX: y\r\n\r\nabc", id="http-59 HTTP/1.1 without a length"),
    pytest.param(b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nabc", id="HTTP/1.0 that claims to keep alive"),
]


@pytest.mark.parametrize("split", [lambda data: [data], bytewise], ids=["whole", "byte by byte"])
@pytest.mark.parametrize("data", CLOSE_DELIMITED)
def test_content_up_to_the_end_of_the_connection(data: bytes, split: Split) -> None:
    """Without a length the end of the connection ends the content, and nothing else does."""
    assert read(split(data)) == Reading(200, b"abc", complete=False)
    assert read(split(data), eof=True) == Reading(200, b"abc", complete=True)


REFUSED = [
    pytest.param(
        OK_HEAD + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        id="http-64 length and chunks",
    ),
    pytest.param(
        OK_HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        id="http-64 chunks and length",
    ),
    pytest.param(OK_HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nok", id="http-64 two lengths"),
    pytest.param(OK_HEAD + b"Content-Length: -2\r\n\r\nok", id="http-64 a negative length"),
    pytest.param(OK_HEAD + b"Content-Length: +2\r\n\r\nok", id="http-64 a length with a sign"),
    pytest.param(OK_HEAD + b"Content-Length: 0x2\r\n\r\nok", id="http-64 a hexadecimal length"),
    pytest.param(OK_HEAD + b"Content-Length:\r\n\r\nok", id="http-64 an empty length"),
    pytest.param(OK_HEAD + b"Content-Length: 99999999999999999999\r\n\r\nok", id="http-64 a length beyond 64 bits"),
    pytest.param(OK_HEAD + b"Content-Length: 9223372036854775808\r\n\r\nok", id="http-64 a length of 2^63"),
    pytest.param(OK_HEAD + b"Content-Length: 2, 3\r\n\r\nok", id="http-64 two lengths in a list"),
    pytest.param(OK_HEAD + b"Content-Length: 2,\r\n\r\nok", id="http-64 a list with nothing in it"),
    pytest.param(b"HTTP/1.0 200 OK\r\n X: y\r\nContent-Length: 0\r\n\r\n", id="white space behind the status line"),
    pytest.param(OK_HEAD + b"\tTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", id="a tab behind the status line"),
    pytest.param(b"RTSP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", id="http-14 RTSP"),
    pytest.param(b"ICY 200 OK\r\nContent-Length: 0\r\n\r\n", id="http-14 ICY"),
    pytest.param(b"HTTP/1.10 200 OK\r\nContent-Length: 0\r\n\r\n", id="http-14 HTTP/1.10"),
    pytest.param(b"HTTP/1.1  200 OK\r\nContent-Length: 0\r\n\r\n", id="http-14 two spaces before the status"),
    pytest.param(b"http/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", id="http-14 a protocol in lower case"),
    pytest.param(OK_HEAD + b"X A: 1\r\nContent-Length: 0\r\n\r\n", id="a space inside a name"),
    pytest.param(OK_HEAD + b"X: y\r\n" * (MAX_FIELD_LINES + 1) + b"\r\n", id="one line too many"),
    pytest.param(OK_HEAD + b"X: y\r\n" * (MAX_FIELD_LINES + 5), id="too many lines without an end"),
    pytest.param(
        OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: y\r\n" * (MAX_FIELD_LINES + 1) + b"\r\n",
        id="too many trailer lines",
    ),
    pytest.param(OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\nok\r\n0\r\n\r\n", id="a bare LF behind a chunk size"),
    pytest.param(OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\n0\r\n\r\n", id="a bare LF behind a chunk"),
    pytest.param(OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\n", id="a bare LF at the end of the content"),
    pytest.param(OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\n2;a\x00\r\nok\r\n0\r\n\r\n", id="NUL in an extension"),
    pytest.param(OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\n 2\r\nok\r\n0\r\n\r\n", id="a space before a size"),
    pytest.param(OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\n8000000000000000\r\nok", id="a chunk size of 2^63"),
    pytest.param(OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\n1_0\r\nok", id="a chunk size that Python would take"),
    pytest.param(OK_HEAD + b"Transfer-Encoding: gzip\r\n\r\nxx", id="http-71 gzip"),
    pytest.param(OK_HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", id="http-71 gzip, chunked"),
    pytest.param(OK_HEAD + b"Transfer-Encoding: chunked, gzip\r\n\r\nxx", id="http-71 chunked, gzip"),
    pytest.param(OK_HEAD + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", id="http-71 chunked twice"),
    pytest.param(
        OK_HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        id="http-71 chunked on two lines",
    ),
    pytest.param(OK_HEAD + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", id="http-71 xchunked"),
    pytest.param(OK_HEAD + b"Transfer-Encoding: identity\r\n\r\nxx", id="http-71 identity"),
    pytest.param(OK_HEAD + b"Transfer-Encoding:\r\n\r\nxx", id="http-71 an empty coding"),
    pytest.param(b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", id="chunks in HTTP/1.0"),
    pytest.param(OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\n0x2\r\nok\r\n0\r\n\r\n", id="a chunk size with 0x"),
    pytest.param(OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\n-2\r\nok\r\n0\r\n\r\n", id="a negative chunk size"),
    pytest.param(OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nokXX0\r\n\r\n", id="no CRLF behind a chunk"),
    pytest.param(
        OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nok", id="a chunk size beyond 64 bits"
    ),
    pytest.param(OK_HEAD + b"X: a\x01b\r\nContent-Length: 0\r\n\r\n", id="http-65 a control character"),
    pytest.param(OK_HEAD + b"X: a\x7fb\r\nContent-Length: 0\r\n\r\n", id="http-65 DEL"),
    pytest.param(OK_HEAD + b"X: a\x00b\r\nContent-Length: 0\r\n\r\n", id="http-65 NUL"),
    pytest.param(OK_HEAD + b"X: a\rb\r\nContent-Length: 0\r\n\r\n", id="http-65 a bare CR inside a value"),
    pytest.param(OK_HEAD + b"X(A: 1\r\nContent-Length: 0\r\n\r\n", id="a name that is no token"),
    pytest.param(OK_HEAD + b": 1\r\nContent-Length: 0\r\n\r\n", id="an empty name"),
    pytest.param(OK_HEAD + b"no colon\r\nContent-Length: 0\r\n\r\n", id="a line without a colon"),
    pytest.param(b"HTTP/1.1 099 x\r\nContent-Length: 0\r\n\r\n", id="http-67 status 099"),
    pytest.param(b"HTTP/1.1 000 x\r\nContent-Length: 0\r\n\r\n", id="http-67 status 000"),
    pytest.param(b"HTTP/1.1 20 x\r\nContent-Length: 0\r\n\r\n", id="http-67 status 20"),
    pytest.param(b"HTTP/1.1 1000 x\r\nContent-Length: 0\r\n\r\n", id="http-67 status 1000"),
    pytest.param(b"HTTP/2 200 x\r\nContent-Length: 0\r\n\r\n", id="http-67 HTTP/2"),
    pytest.param(b"HTTP/2.0 200 x\r\nContent-Length: 0\r\n\r\n", id="http-67 HTTP/2.0"),
    pytest.param(b"HTTP/0.9 200 x\r\nContent-Length: 0\r\n\r\n", id="http-67 HTTP/0.9"),
    pytest.param(b"hello\r\n\r\n", id="no HTTP at all"),
    pytest.param(
        b"HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", id="http-73 101 to no upgrade request"
    ),
    pytest.param(b"HTTP/1.1 101 x\r\n\r\n", id="http-73 101 without a word about the protocol"),
    pytest.param(OK_HEAD + b"X: " + b"a" * MAX_HEAD_BYTES + b"\r\n", id="http-74 a head without end"),
    pytest.param(b"HTTP/1.1 103 x\r\n\r\n" * (MAX_HEAD_BYTES // 18 + 1), id="http-69 interim responses without end"),
    pytest.param(b"HTTP/1.1 103 x\r\nContent-Length: 3\r\n\r\n", id="http-69 an interim response with a length"),
    pytest.param(b"HTTP/1.1 103 x\r\nTransfer-Encoding: chunked\r\n\r\n", id="http-69 an interim response in chunks"),
    pytest.param(
        OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"A: b\r\n" * (MAX_HEAD_BYTES // 5),
        id="http-70 a trailer section without end",
    ),
    pytest.param(
        OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\n1;" + b"a" * (MAX_HEAD_BYTES + 1),
        id="a chunk extension without end",
    ),
]


def in_segments(data: bytes) -> list[bytes]:
    """Split as a socket might: byte by byte where that is little, else by the kilobyte."""
    return bytewise(data) if len(data) < 1000 else [data[at : at + 1024] for at in range(0, len(data), 1024)]


@pytest.mark.parametrize("split", [lambda data: [data[:2000], data[2000:]], in_segments], ids=["whole", "in pieces"])
@pytest.mark.parametrize("data", REFUSED)
def test_refused_responses(data: bytes, split: Split) -> None:
    """What two recipients could read differently, or what is no HTTP/1.1, is an error of the upstream's."""
    assert read(split(data)).error is UpstreamErrorKind.PROTOCOL


@pytest.mark.parametrize("split", [lambda data: [data], bytewise], ids=["whole", "byte by byte"])
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"HTTP/1.1 2",
        OK_HEAD + b"Content-Length: 5\r\n",
        OK_HEAD + b"Content-Length: 5\r\n\r\n",
        OK_HEAD + b"Content-Length: 5\r\n\r\nab",
        OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\n",
        OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab",
        OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
        OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n",
        OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nX: y\r\n",
        b"HTTP/1.1 103 x\r\n\r\n",
    ],
)
def test_truncation_is_an_error(data: bytes, split: Split) -> None:
    """http-57, http-58: a message that ends before its end is never complete."""
    reading = read(split(data), eof=True)
    assert not reading.complete
    assert reading.error is UpstreamErrorKind.CLOSED


@pytest.mark.parametrize(
    ("data", "to"),
    [
        (OK_HEAD + b"Content-Length: 3\r\n\r\nabc", "HEAD"),
        (OK_HEAD + b"\r\nabc", "HEAD"),
        (OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", "HEAD"),
        (OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "HEAD"),
        (b"HTTP/1.1 204 x\r\n\r\nabc", "GET"),
        (b"HTTP/1.1 304 x\r\nContent-Length: 3\r\n\r\nabc", "GET"),
        (b"HTTP/1.1 204 x\r\n\r\n" + OK_HEAD + b"Content-Length: 0\r\n\r\n", "GET"),
    ],
)
@pytest.mark.parametrize("split", [lambda data: [data], bytewise], ids=["whole", "byte by byte"])
def test_content_where_none_may_be(data: bytes, to: str, split: Split) -> None:
    """http-62: such a response ends at its head; further bytes are dropped, however they arrive."""
    reader = ResponseReader()
    reader.start(is_head_request=to == "HEAD", expects_upgrade=False)
    for segment in split(data):
        reader.feed(segment)
    assert reader.head is not None
    assert (reader.complete, reader.surplus, reader.body) == (True, True, [])


@pytest.mark.parametrize(
    "data",
    [
        OK_HEAD + b"Content-Length: 50\r\n\r\n",
        OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\n",
        OK_HEAD + b"\r\n",
        OK_HEAD + b"Content-Length: 0\r\n\r\n",
        OK_HEAD + b"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n",
        OK_HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
        OK_HEAD + b"Transfer-Encoding: gzip\r\n\r\n",
    ],
)
@pytest.mark.parametrize("split", [lambda data: [data], bytewise], ids=["whole", "byte by byte"])
def test_a_response_to_head_ends_with_its_head(data: bytes, split: Split) -> None:
    """http-60: whatever its fields say, there is no content to wait for."""
    assert read(split(data), to="HEAD") == Reading(200, b"", complete=True)


@pytest.mark.parametrize(
    "rest",
    [
        b"x",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nevil2",
        b"\x00",
    ],
)
@pytest.mark.parametrize(
    "response",
    [
        OK_HEAD + b"Content-Length: 2\r\n\r\nok",
        OK_HEAD + b"Content-Length: 0\r\n\r\n",
        OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    ],
)
def test_bytes_behind_a_whole_response(response: bytes, rest: bytes) -> None:
    """http-84: the response is complete, and the connection has unsolicited bytes on it."""
    for segments in ([response + rest], [response[:-1], response[-1:] + rest]):
        reader = ResponseReader()
        reader.start(is_head_request=False, expects_upgrade=False)
        for segment in segments:
            reader.feed(segment)
        assert reader.complete
        assert reader.surplus
        assert b"".join(reader.body) in {b"ok", b""}


def test_the_next_response_begins_clean() -> None:
    """Two responses on one connection: nothing of the first is left in the second."""
    reader = ResponseReader()
    for response, framing in (
        (OK_HEAD + b"X-A: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-T: 1\r\n\r\n", Framing.CHUNKED),
        (b"HTTP/1.1 404 No\r\nContent-Length: 1\r\n\r\nb", Framing.LENGTH),
        (b"HTTP/1.1 204 x\r\n\r\n", Framing.NONE),
    ):
        reader.start(is_head_request=False, expects_upgrade=False)
        assert (reader.complete, reader.body, reader.trailers, reader.surplus) == (False, [], [], False)
        reader.feed(response)
        assert reader.complete
        assert reader.head is not None
        assert reader.head.framing is framing
        assert reader.head.keep_alive


def test_a_large_head_is_read() -> None:
    """http-74: cookies, CSP and Link are larger in practice than 8 KiB or 128 lines."""
    head = OK_HEAD + b"X: " + b"a" * 60_000 + b"\r\n" + b"Set-Cookie: a=b\r\n" * 500 + b"Content-Length: 0\r\n\r\n"
    assert read([head]) == Reading(200, b"", complete=True)


def test_fields_are_kept_as_they_came() -> None:
    """http-11, http-53, http-66: order, spelling, repetition, empty values and bytes above ASCII stay."""
    reader = ResponseReader()
    reader.feed(OK_HEAD + b"set-cookie: a\r\nSet-Cookie: \xe4\r\nX-E:\r\nX-F:  b \t\r\nX-G: c\r\n\td\r\n\r\n")
    assert reader.head is not None
    assert [(line.name, line.value) for line in reader.head.fields] == [
        (b"set-cookie", b"a"),
        (b"Set-Cookie", b"\xe4"),
        (b"X-E", b""),
        (b"X-F", b"b"),
        (b"X-G", b"c d"),
    ]


UPGRADED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"


@pytest.mark.parametrize("split", [lambda data: [data], bytewise], ids=["whole", "byte by byte"])
def test_an_upgrade_begins_a_tunnel(split: Split) -> None:
    """http-92: after a 101 that was asked for, every byte is the other protocol's, up to the end."""
    reader = ResponseReader()
    reader.start(is_head_request=False, expects_upgrade=True)
    for segment in split(UPGRADED + b"\x81\x00HTTP/1.1 200"):
        reader.feed(segment)
    assert reader.tunnel
    assert not reader.complete
    assert b"".join(reader.body) == b"\x81\x00HTTP/1.1 200"
    reader.feed_eof()
    assert reader.complete


@pytest.mark.parametrize(
    "fields", [b"", b"Upgrade: websocket\r\n", b"Connection: Upgrade\r\n", b"Content-Length: 0\r\n"]
)
def test_a_101_must_say_what_it_switches_to(fields: bytes) -> None:
    """http-73: 101 without Connection: Upgrade and Upgrade is no switch, even where one was asked for."""
    for segments in ([b"HTTP/1.1 101 x\r\n" + fields + b"\r\n"], bytewise(b"HTTP/1.1 101 x\r\n" + fields + b"\r\n")):
        assert read(segments, upgrade=True).error is UpstreamErrorKind.PROTOCOL
