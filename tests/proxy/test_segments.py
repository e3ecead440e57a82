"""Where the segments of a message end changes nothing at the other side: read by bytes alone, and over real sockets."""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import Sequence

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from corsproxy.proxy.client.listener import ClientListener
from corsproxy.proxy.client.request import ClientRequest
from corsproxy.proxy.client.unread import Unread
from corsproxy.proxy.errors import ClientError, UpstreamError
from corsproxy.proxy.upstream.head import Framing, ResponseHead
from corsproxy.proxy.upstream.reader import ResponseReader
from corsproxy.settings import Limits
from tests.proxy.bench import Bench
from tests.proxy.messages import mutated, requests, responses
from tests.proxy.wire import GET
from tests.support.examples import examples


def split(data: bytes, cuts: Sequence[int]) -> list[bytes]:
    """Cut `data` at these places, counted modulo its length."""
    places = sorted({cut % (len(data) + 1) for cut in cuts} | {0, len(data)})
    return [data[start:end] for start, end in itertools.pairwise(places)]


EXAMPLES = examples(150)

CLOSE = b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"

CUTS = st.lists(st.integers(0, 10_000), max_size=12)


def said(head: ResponseHead) -> list[tuple[int, bytes, bytes]]:
    """The field lines of a head: what they mean, their names and what goes on."""
    return [(line.meaning, line.name, line.line) for line in head.fields]


def response_read(segments: Sequence[bytes]) -> object:
    """What a reader makes of a response, but for what depends on how much came behind it."""
    reader = ResponseReader()
    reader.start(is_head_request=False, expects_upgrade=False)
    error = None
    try:
        for segment in segments:
            if reader.complete:
                break
            reader.feed(segment)
        reader.feed_eof()
    except UpstreamError as failure:
        error = failure.kind
    head = reader.head
    if head is not None and head.framing is Framing.NONE and (reader.surplus or error):
        # Content where none may be is an error where it comes in one segment with the head, else only surplus.
        return "a response that has no content, and more behind it"
    if head is None or error is not None:
        # What had been read when the error came depends on where it came.
        return error
    return (
        (head.status, head.reason, head.minor, said(head), head.framing, head.keep_alive),
        [(interim.status, said(interim)) for interim in reader.interim],
        b"".join(reader.body),
        reader.trailers,
        reader.complete,
    )


@settings(max_examples=EXAMPLES, deadline=None)
@given(data=responses() | mutated(responses()), cuts=CUTS)
def test_segments_of_a_response(data: bytes, cuts: list[int]) -> None:
    """Valid or not, a response is read the same whole, in any pieces, and byte by byte."""
    whole = response_read([data])
    pieces = response_read(split(data, cuts))
    bytewise = response_read([data[at : at + 1] for at in range(len(data))])
    no_content = "a response that has no content, and more behind it"
    if no_content in (whole, pieces, bytewise):
        return
    assert pieces == whole
    assert bytewise == whole


class Wire(asyncio.Transport):
    """A transport without a socket that keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Keep it."""
        self.written += data

    def close(self) -> None:
        """Note it."""
        self.closed = True

    def abort(self) -> None:
        """Note it."""
        self.closed = True

    def is_closing(self) -> bool:
        """Return whether it is closed."""
        return self.closed

    def pause_reading(self) -> None:
        """Everything is fed anyway."""

    def resume_reading(self) -> None:
        """Everything is fed anyway."""

    def can_write_eof(self) -> bool:
        """Return that lingering is not for tests of bytes."""
        return False


async def requests_read(segments: Sequence[bytes], *, yields: bool) -> list[object]:
    """What a connection makes of these bytes: each request with its content or its fault, then what was refused."""
    seen: list[object] = []

    async def handler(request: ClientRequest) -> bool:
        content = b""
        try:
            while piece := await request.connection.read_content(request.content):
                content += piece
            outcome: object = content
        except ClientError as error:
            outcome = error.kind
        seen.append((request.method, request.target, request.minor, [line.line for line in request.lines], outcome))
        return request.keep_alive and isinstance(outcome, bytes)

    def refused(unread: Unread) -> bytes:
        seen.append(unread.status)
        return b"id"

    listener = ClientListener(handler, Limits(), refused)
    connection = listener()
    wire = Wire()
    connection.connection_made(wire)
    for segment in segments:
        connection.data_received(segment)
        if yields:
            await asyncio.sleep(0)
    for _ in range(20):
        await asyncio.sleep(0)
    connection.connection_lost(None)
    for _ in range(3):
        await asyncio.sleep(0)
    return seen


@settings(max_examples=EXAMPLES, deadline=None)
@example(data=CLOSE + GET, cuts=[len(CLOSE) - 2], yields=False)
@example(data=CLOSE + GET, cuts=[len(CLOSE) - 1], yields=False)
@example(data=GET * 3, cuts=[len(GET) - 3, len(GET) * 2 - 1], yields=False)
@given(data=st.lists(requests(), min_size=1, max_size=4).map(b"".join), cuts=CUTS, yields=st.booleans())
def test_segments_of_requests(data: bytes, cuts: list[int], yields: bool) -> None:
    """Pipelined requests are the same requests with the same content, however they are cut."""

    async def compare() -> None:
        whole = await requests_read([data], yields=True)
        assert await requests_read(split(data, cuts), yields=yields) == whole
        assert await requests_read([data[at : at + 1] for at in range(len(data))], yields=False) == whole

    asyncio.run(compare())


CHUNKED = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab"


@settings(max_examples=EXAMPLES, deadline=None)
@example(data=CHUNKED + b"\r\nx\r\n\r\n", cuts=[len(CHUNKED)], yields=True)
@given(data=mutated(st.lists(requests(), min_size=1, max_size=3).map(b"".join)), cuts=CUTS, yields=st.booleans())
def test_segments_of_broken_requests(data: bytes, cuts: list[int], yields: bool) -> None:
    """What is refused, and behind which requests, does not depend on the segments."""

    async def compare() -> None:
        whole = await requests_read([data], yields=True)
        assert await requests_read(split(data, cuts), yields=yields) == whole

    asyncio.run(compare())


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=requests(), request_cuts=CUTS, response_cuts=CUTS, answer=responses())
def test_segments_over_sockets(
    bench: Bench, data: bytes, request_cuts: list[int], response_cuts: list[int], answer: bytes
) -> None:
    """The upstream gets the same bytes and the client the same answer, whole or in pieces, content put together."""
    results = []
    for incoming, outgoing in (([data], [answer]), (split(data, request_cuts), split(answer, response_cuts))):
        bench.settle()

        def script(connection, outgoing=outgoing):  # type: ignore[no-untyped-def]  # a closure over the loop's value
            connection.read_request()
            for piece in outgoing:
                connection.send(piece)

        bench.script = script
        with bench.client() as client:
            for piece in incoming:
                client.send(piece)
            response = client.read_response(to=data.split(b" ", 1)[0].decode())
        own = (b"x-request-id:", b"via:", b"x-forwarded-")
        varying = [b"via:", b"date:", b"x-request-id:"]
        if data.partition(b"\r\n\r\n")[2]:
            # Whether the connection goes on after an answer of the proxy's own depends on how much content has come.
            varying.append(b"connection:")
        results.append(
            (
                response.status,
                [line for line in response.lines if not line.lower().startswith(tuple(varying))],
                re.sub(rb"request id \S+", b"", response.body),
                response.whole,
                [
                    (
                        [line for line in request.head.split(b"\r\n") if not line.lower().startswith(own)],
                        unchunked(request.body) if request.values(b"Transfer-Encoding") else request.body,
                    )
                    for request in bench.requests
                ],
            )
        )
    assert results[0] == results[1]


def unchunked(body: bytes) -> bytes:
    """Put chunks together."""
    content = b""
    while body:
        size, _, rest = body.partition(b"\r\n")
        length = int(size, 16)
        content += rest[:length]
        body = rest[length + 2 :] if length else b""
    return content
