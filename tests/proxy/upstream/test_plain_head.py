"""Which heads are read the plain way, with what result, and which are left to the other."""

from __future__ import annotations

import pytest

from corsproxy.proxy.fields.names import ResponseField
from corsproxy.proxy.upstream.field_section import MAX_FIELD_LINES
from corsproxy.proxy.upstream.head import Framing, ResponseHead
from corsproxy.proxy.upstream.plain_head import read_plain_head

NONE, LENGTH, CHUNKED, CLOSE = Framing.NONE, Framing.LENGTH, Framing.CHUNKED, Framing.CLOSE

OK = b"HTTP/1.1 200 OK"


def read(*lines: bytes, to: str = "GET") -> ResponseHead | None:
    """Read a head."""
    return read_plain_head(b"\r\n".join(lines), is_head_request=to == "HEAD")


@pytest.mark.parametrize(
    ("line", "status", "reason"),
    [
        (OK, 200, b"OK"),
        (b"HTTP/1.1 599 x", 599, b"x"),
        (b"HTTP/1.1 404 ", 404, b""),
        (b"HTTP/1.1 404 Not Found", 404, b"Not Found"),
        (b"HTTP/1.1 404 caf\xe9\t!", 404, b"caf\xe9\t!"),
    ],
)
def test_status_lines(line: bytes, status: int, reason: bytes) -> None:
    """Status and reason, the second time out of the table."""
    for _ in range(2):
        head = read(line)
        assert head is not None
        assert (head.status, head.reason, head.minor) == (status, reason, 1)


@pytest.mark.parametrize(
    "line",
    [
        b"", b"HTTP/1.1 200", b"HTTP/1.1 199 x", b"HTTP/1.1 100 x", b"HTTP/1.1 101 x", b"HTTP/1.1 600 x",
        b"HTTP/1.1 2a0 x", b"HTTP/1.1 20\xb2 x", b"HTTP/1.1 2000 x", b"HTTP/1.1 200-x", b"HTTP/1.1 200  x",
        b"HTTP/1.1 200 x ", b"HTTP/1.1 200 \tx", b"HTTP/1.1 200 a\x00", b"HTTP/1.1 200 a\rb", b"HTTP/1.1 200 a\nb",
        b"HTTP/1.1 200 \x7f", b"HTTP/1.1\t200 x", b"HTTP/1.0 200 x", b"HTTP/1.2 200 x", b"http/1.1 200 x",
    ],
)  # fmt: skip
def test_status_lines_that_are_left_to_the_other_way(line: bytes) -> None:
    """They are not judged here, nor kept with a judgement of their own."""
    for _ in range(2):
        assert read(line, b"Content-Length: 0") is None


@pytest.mark.parametrize(
    ("status", "to", "lines", "end"),
    [
        (200, "GET", (b"Content-Length: 2",), (LENGTH, 2, True)),
        (200, "GET", (b"Content-Length: 0",), (LENGTH, 0, True)),
        (205, "GET", (b"Content-Length: 0",), (LENGTH, 0, True)),
        (200, "GET", (b"Transfer-Encoding: chunked",), (CHUNKED, -1, True)),
        (200, "GET", (b"transfer-encoding: Chunked",), (CHUNKED, -1, True)),
        (200, "GET", (), (CLOSE, -1, False)),
        (200, "GET", (b"Connection: keep-alive",), (CLOSE, -1, False)),
        (205, "GET", (), (NONE, -1, False)),
        (204, "GET", (), (NONE, -1, True)),
        (304, "GET", (b"Content-Length: 2",), (NONE, 2, True)),
        (304, "GET", (b"Content-Length: 0",), (NONE, 0, True)),
        (304, "GET", (b"Transfer-Encoding: chunked",), (NONE, -1, True)),
        (200, "HEAD", (), (NONE, -1, True)),
        (205, "HEAD", (), (NONE, -1, True)),
        (200, "HEAD", (b"Content-Length: 2",), (NONE, 2, True)),
        (200, "HEAD", (b"Transfer-Encoding: chunked",), (NONE, -1, True)),
        (200, "GET", (b"Content-Length: 2", b"Connection: close"), (LENGTH, 2, False)),
        (200, "GET", (b"Content-Length: 2", b"connection: CLOSE"), (LENGTH, 2, False)),
        (200, "GET", (b"Connection: close", b"Connection: keep-alive", b"Content-Length: 2"), (LENGTH, 2, False)),
        (200, "GET", (b"Connection: keep-alive", b"Content-Length: 2"), (LENGTH, 2, True)),
        (200, "GET", (b"Connection: Keep-Alive", b"Content-Length: 2"), (LENGTH, 2, True)),
        (200, "GET", (b"Connection: keep-alive", b"X:", b"Connection: close"), (CLOSE, -1, False)),
        (200, "GET", (b"Connection: keep-alive", b"Content-Length: 2", b"connection: close"), (LENGTH, 2, False)),
        (204, "GET", (b"Connection: close",), (NONE, -1, False)),
        (200, "HEAD", (b"Connection: close",), (NONE, -1, False)),
    ],
)  # fmt: skip
def test_the_end_of_content(status: int, to: str, lines: tuple[bytes, ...], end: tuple[Framing, int, bool]) -> None:
    """Where it is known from one line, or from none."""
    for _ in range(2):
        head = read(b"HTTP/1.1 %d x" % status, *lines, to=to)
        assert head is not None
        assert (head.framing, head.length, head.keep_alive) == end
        assert len(head.fields) == len(lines)


@pytest.mark.parametrize(
    ("status", "to", "lines"),
    [
        *(
            (200, "GET", lines)
            for lines in (
                (b"Content-Length: 2", b"Content-Length: 2"),
                (b"Content-Length: 0", b"Content-Length: 0"),
                (b"Content-Length: 2, 2",),
                (b"Content-Length: -1",),
                (b"Content-Length: x",),
                (b"Content-Length:",),
                (b"Content-Length: 2", b"Transfer-Encoding: chunked"),
                (b"Transfer-Encoding: chunked", b"Content-Length: 0"),
                (b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"),
                (b"Transfer-Encoding: gzip",),
                (b"Transfer-Encoding: gzip, chunked",),
                (b"Transfer-Encoding:",),
                (b"Connection: close, X-A", b"Content-Length: 2"),
                (b"Connection: X-A", b"Content-Length: 2"),
                (b"Connection:", b"Content-Length: 2"),
            )
        ),
        (304, "GET", (b"Content-Length: 2", b"Transfer-Encoding: chunked")),
        (204, "GET", (b"Content-Length: 0", b"Transfer-Encoding: chunked")),
        (200, "HEAD", (b"Content-Length: 0", b"Transfer-Encoding: chunked")),
        (200, "HEAD", (b"Content-Length: x",)),
    ],
)
def test_framing_that_is_left_to_the_other_way(status: int, to: str, lines: tuple[bytes, ...]) -> None:
    """Wherever two lines have a say in it, or one that is not plain."""
    for _ in range(2):
        assert read(b"HTTP/1.1 %d x" % status, *lines, to=to) is None


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        (b"Server: a", b"Server", b"a"),
        (b"server:a", b"server", b"a"),
        (b"SERVER:  \ta b\t ", b"SERVER", b"a b"),
        (b"Server:", b"Server", b""),
        (b"X-A: b:c", b"X-A", b"b:c"),
        (b"X-A: \xe4\xff\x80", b"X-A", b"\xe4\xff\x80"),
        (b"!#$%&'*+.^_`|~09azAZ-: 1", b"!#$%&'*+.^_`|~09azAZ-", b"1"),
    ],
)
def test_field_lines(line: bytes, name: bytes, value: bytes) -> None:
    """As spelt, without white space around the value; the second time as well."""
    for _ in range(2):
        head = read(OK, b"X-First: 1", line, b"Content-Length: 0")
        assert head is not None
        assert [(one.name, one.value) for one in head.fields] == [
            (b"X-First", b"1"),
            (name, value),
            (b"Content-Length", b"0"),
        ]


def test_what_a_field_means() -> None:
    """By its name, in any letter case."""
    head = read(OK, b"Access-Control-allow-origin: *", b"SET-COOKIE: a=b", b"X-A: b", b"content-LENGTH: 3")
    assert head is not None
    assert [line.meaning for line in head.fields] == [
        ResponseField.CORS,
        ResponseField.SET_COOKIE,
        ResponseField.FORWARD,
        ResponseField.CONTENT_LENGTH,
    ]


@pytest.mark.parametrize(
    "line",
    [
        b"", b"X-A", b": 1", b"X-A : 1", b"X A: 1", b" X-A: 1", b"\tX-A: 1", b"X(A: 1", b"X-\xe4: 1", b"X-A\x00: 1",
        b"Server : a", b"Server", b"X-A: a\x00", b"X-A: \x01a", b"X-A: a\x1fb", b"X-A: a\x7f", b"X-A: a\rb", b"X: a\nb",
        b"Server: a\x0b", b"Server: a\x0c", b"Server: a\n b",
    ],
)  # fmt: skip
def test_field_lines_that_are_left_to_the_other_way(line: bytes) -> None:
    """The whole head is, wherever the line stands."""
    for _ in range(2):
        assert read(OK, line, b"Content-Length: 0") is None
        assert read(OK, b"Content-Length: 0", line) is None


def test_the_number_of_lines() -> None:
    """A head of about as many lines as there may be is the other way's to count."""
    lines = [b"Server: a"] * (MAX_FIELD_LINES - 1)
    head = read(OK, *lines)
    assert head is not None
    assert len(head.fields) == MAX_FIELD_LINES - 1
    assert read(OK, *lines, b"Server: a", b"Server: a") is None
