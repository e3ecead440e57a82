"""Nothing of one message changes how the next on its connection is read: behind an edge it is another user's.

aiohttp 3.14.5's parser puts the last trailer line of a request among the fields of the next one.
"""

from __future__ import annotations

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.proxy.bench import Bench
from tests.proxy.wire import Client
from tests.support.examples import examples
from tests.support.upstream import Connection

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n"
TRAILERS = b"X-Other: 1\r\nAuthorization: Bearer evil\r\n"
KEY = b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
WEBSOCKET = b"Connection: Upgrade\r\nUpgrade: websocket\r\n" + KEY
H2C = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"
PREFLIGHT = b"Origin: https://app.example\r\nAccess-Control-Request-Method: PUT\r\n"
EXPECT = b"Expect: 100-continue\r\n"
OWN = (b"x-request-id:", b"x-forwarded-", b"forwarded:", b"via:")


def nothing(connection: Connection) -> None:
    """Answer every request without content, which no method can turn into something else."""
    while True:
        connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


def in_chunks(content: bytes, *, extension: bytes = b"", trailers: bytes = b"") -> bytes:
    """Write content in chunks of up to five bytes."""
    pieces = [content[at : at + 5] for at in range(0, len(content), 5)]
    chunks = [b"%x%b\r\n%b\r\n" % (len(piece), extension, piece) for piece in pieces]
    return b"".join(chunks) + b"0" + extension + b"\r\n" + trailers + b"\r\n"


def message(method: str, fields: bytes = b"", content: bytes | None = None, *, version: str = "1.1") -> bytes:
    """Write a request whose path is `PATH`, its content with a length."""
    length = b"" if content is None else b"Content-Length: %d\r\n" % len(content)
    line = f"{method} PATH HTTP/{version}\r\n".encode()
    return line + b"Host: h\r\n" + fields + length + b"\r\n" + (content or b"")


def chunked(method: str, chunks: bytes, fields: bytes = b"") -> bytes:
    """Write a request with content in chunks."""
    return message(method, b"Transfer-Encoding: chunked\r\n" + fields) + chunks


ABC = in_chunks(b"abcdefg", trailers=TRAILERS)

ODD = {
    "trailers": chunked("PUT", ABC),
    "trailers and no content": chunked("DELETE", in_chunks(b"", trailers=b"Cookie: a=evil\r\n")),
    "trailers that frame": chunked("PUT", in_chunks(b"", trailers=b"Content-Length: 40\r\n")),
    "extensions": chunked("POST", in_chunks(SMUGGLED, extension=b' ; a="\\";" ; b = c')),
    "content that is a request": message("POST", b"", SMUGGLED),
    "empty lines before": b"\r\n\r\n" + message("GET"),
    "an empty line behind": message("POST", b"", b"abc") + b"\r\n",
    "a declined upgrade": message("GET", WEBSOCKET),
    "another upgrade": message("GET", H2C),
    "an upgrade with content": chunked("POST", ABC, WEBSOCKET),
    "another upgrade with content": message("POST", H2C, b"abc"),
    "another upgrade with chunks": chunked("POST", ABC, H2C),
    "expect": message("PUT", EXPECT, b"abc"),
    "expect and chunks": chunked("PUT", ABC, EXPECT),
    "another expectation": message("PUT", b"Expect: more\r\n", b"abc"),
    "head": message("HEAD"),
    "head with content": chunked("HEAD", ABC),
    "options": message("OPTIONS"),
    "preflight": message("OPTIONS", PREFLIGHT),
    "preflight with content": chunked("OPTIONS", ABC, PREFLIGHT),
    "1.0 and no more": message("GET", version="1.0"),
    "1.0 kept alive": message("POST", b"Connection: keep-alive\r\n", b"abc", version="1.0"),
    "close": message("GET", b"Connection: close\r\n"),
    "refused": message("TRACE"),
    "broken chunks": chunked("PUT", b"3\r\nabcX\r\n0\r\n\r\n"),
    "credentials": message("GET", b"Authorization: Bearer mine\r\nCookie: mine=1\r\nOrigin: https://app.example\r\n"),
    "plain": message("GET"),
}
"""Requests by what is odd about them."""

ENDS = {"1.0 and no more", "close", "broken chunks"}
"""Behind these the connection ends."""

MAY_END = {"preflight with content", "another expectation"}
"""After these too, if they are answered before their content has arrived."""


def seen(bench: Bench, path: bytes) -> list[tuple[list[bytes], bytes]]:
    """What the upstream saw of requests for `path`, without what the proxy says of itself."""
    found = []
    for request in bench.requests:
        if request.line.split(b" ")[1] == path:
            lines = [line for line in request.head.split(b"\r\n") if not line.lower().startswith(OWN)]
            found.append((lines, content(request.body) if b"Transfer-Encoding: chunked" in lines else request.body))
    return found


def content(body: bytes) -> bytes:
    """Put chunks together: their borders may move."""
    whole = b""
    while body:
        size, _, rest = body.partition(b"\r\n")
        whole += rest[: int(size, 16)]
        body = rest[int(size, 16) + 2 :] if int(size, 16) else b""
    return whole


def host(bench: Bench) -> bytes:
    """Return the Host line for the upstream."""
    return b"Host: 127.0.0.1:%d" % bench.upstream.port


def converse(client: Client, pieces: list[bytes], methods: list[str]) -> int:
    """Send pieces; return how many whole responses came before the end."""
    for piece in pieces:
        client.send(piece)
    for number, method in enumerate(methods):
        if not client.read_response(to=method).whole:
            return number
    return len(methods)


@pytest.mark.parametrize(
    "field", [b"Authorization: Bearer evil", b"Cookie: a=evil", b"Origin: https://evil.example", b"X-Remote-User: root"]
)
@pytest.mark.parametrize("segments", ["in turn", "one segment", "byte by byte"])
def test_a_trailer_reaches_nobody(bench: Bench, field: bytes, segments: str) -> None:
    """The last trailer line of a request is no field of the next one."""
    bench.script = nothing
    first = chunked("PUT", in_chunks(b"hello", trailers=b"X-A: b\r\n" + field + b"\r\n")).replace(b"PATH", b"/first")
    victim = message("GET").replace(b"PATH", b"/victim")
    with bench.client() as client:
        if segments == "in turn":
            for request in (first.replace(b"PATH", b"/first"), victim):
                client.send(request)
                assert client.read_response().status == 200
        else:
            data = first.replace(b"PATH", b"/first") + victim
            size = len(data) if segments == "one segment" else 1
            for at in range(0, len(data), size):
                client.send(data[at : at + size])
            assert [client.read_response().status, client.read_response().status] == [200, 200]
    assert seen(bench, b"/victim") == [([b"GET /victim HTTP/1.1", host(bench), b"", b""], b"")]
    assert all(b"evil" not in request.head + request.body for request in bench.requests)


@settings(max_examples=examples(100), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    first=st.sampled_from(sorted(ODD)),
    second=st.sampled_from(sorted(ODD)),
    cuts=st.lists(st.integers(0, 1000), max_size=4),
)
def test_the_second_message_is_what_it_is_alone(bench: Bench, first: str, second: str, cuts: list[int]) -> None:
    """Whatever precedes it, and wherever the segments end, the upstream sees the same request, or nothing."""
    bench.settle()
    bench.script = nothing
    methods = [ODD[name].lstrip().split(b" ")[0].decode() for name in (first, second)]
    data = ODD[first].replace(b"PATH", b"/first") + ODD[second].replace(b"PATH", b"/second")
    places = sorted({0, len(data), *(cut % len(data) for cut in cuts)})
    with bench.client() as client:
        answered = converse(client, [data[start:end] for start, end in itertools.pairwise(places)], methods)
    behind = seen(bench, b"/second")
    bench.settle()
    bench.script = nothing
    with bench.client() as client:
        alone_answered = converse(client, [ODD[second].replace(b"PATH", b"/second")], methods[1:])
    alone = seen(bench, b"/second")
    ends = first in ENDS or (first in MAY_END and answered < 2)
    assert behind == ([] if ends else alone)
    assert answered == (1 if ends else 1 + alone_answered)
    assert seen(bench, b"/smuggled") == []


def test_every_odd_message_before_a_plain_one(bench: Bench) -> None:
    """Each of them in one segment with a request that has nothing of its own."""
    for name in sorted(ODD):
        bench.settle()
        bench.script = nothing
        method = ODD[name].lstrip().split(b" ")[0].decode()
        with bench.client() as client:
            whole = converse(
                client,
                [ODD[name].replace(b"PATH", b"/first") + ODD["plain"].replace(b"PATH", b"/plain")],
                [method, "GET"],
            )
        plain = [([b"GET /plain HTTP/1.1", host(bench), b"", b""], b"")]
        assert seen(bench, b"/plain") == (plain if whole == 2 else []), name
