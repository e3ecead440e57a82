"""Any head of a response: its status line, where its content ends, and whether its connection persists."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from corsproxy.proxy.errors import UpstreamError, UpstreamErrorKind
from corsproxy.proxy.fields.names import ResponseField
from corsproxy.proxy.upstream.field_section import MAX_FIELD_LINES
from corsproxy.proxy.upstream.head import Framing, ResponseHead
from corsproxy.proxy.upstream.odd_head import read_head
from corsproxy.proxy.upstream.oddity import Oddities, Oddity

NONE, LENGTH, CHUNKED, CLOSE = Framing.NONE, Framing.LENGTH, Framing.CHUNKED, Framing.CLOSE

LARGEST = 2**63 - 1


def read(*lines: bytes, to: str = "GET", upgrade: bool = False, oddities: Oddities | None = None) -> ResponseHead:
    """Read a head; raises `UpstreamError`."""
    return read_head(
        b"\r\n".join(lines),
        oddities or Oddities(lenient=False),
        is_head_request=to == "HEAD",
        expects_upgrade=upgrade,
    )


def going_on(head: ResponseHead) -> list[bytes]:
    """Return the field lines as they are passed on."""
    return [line.line.removesuffix(b"\r\n") for line in head.fields]


@pytest.mark.parametrize(
    ("line", "status", "minor", "reason"),
    [
        (b"HTTP/1.1 200 OK", 200, 1, b"OK"),
        (b"HTTP/1.0 200 OK", 200, 0, b"OK"),
        (b"HTTP/1.2 200 OK", 200, 1, b"OK"),
        (b"HTTP/1.9 200 OK", 200, 1, b"OK"),
        (b"HTTP/1.1 200 ", 200, 1, b""),
        (b"HTTP/1.1 200", 200, 1, b""),
        (b"HTTP/1.1 200  Not  Found ", 200, 1, b" Not  Found "),
        (b"HTTP/1.1 200 caf\xe9\t!", 200, 1, b"caf\xe9\t!"),
        (b"HTTP/1.1 200 a\x00b", 200, 1, b""),
        (b"HTTP/1.1 200 a\rb", 200, 1, b""),
        (b"HTTP/1.1 200 a\x7f", 200, 1, b""),
        (b"HTTP/1.1 100 x", 100, 1, b"x"),
        (b"HTTP/1.1 999 x", 999, 1, b"x"),
    ],
)
def test_status_lines(line: bytes, status: int, minor: int, reason: bytes) -> None:
    """A reason phrase that cannot be passed on is left out: nobody is to read it (RFC 9112 section 4)."""
    head = read(line)
    assert (head.status, head.minor, head.reason) == (status, minor, reason)


@pytest.mark.parametrize(
    "line",
    [
        b"", b"HTTP/1.1", b"HTTP/1.1 ", b"HTTP/1.1 20", b"HTTP/1.1 2000 x", b"HTTP/1.1 200x", b"HTTP/1.1  200 x",
        b"HTTP/1.1\t200 x", b"HTTP/1.10 200 x", b"HTTP/1. 200 x", b"HTTP/2.0 200 x", b"HTTP/0.9 200 x", b"HTTP/2 200 x",
        b"http/1.1 200 x", b" HTTP/1.1 200 x", b"HTTP/1.1 +20 x", b"ICY 200 OK", b"HTTP/1.1 099 x", b"HTTP/1.1 000 x",
    ],
)  # fmt: skip
def test_what_is_no_status_line(line: bytes) -> None:
    """Nor is a status below 100 one."""
    with pytest.raises(UpstreamError) as refused:
        read(line, oddities=Oddities(lenient=True))
    assert refused.value.kind is UpstreamErrorKind.PROTOCOL


def test_what_a_field_means_is_found_by_its_name() -> None:
    """In any letter case; names and values stay as they were spelt."""
    head = read(b"HTTP/1.1 200 OK", b"Content-length: 2", b"X-A:  b ", b"access-control-allow-Origin: *")
    assert [line.meaning for line in head.fields] == [
        ResponseField.CONTENT_LENGTH,
        ResponseField.FORWARD,
        ResponseField.CORS,
    ]
    assert going_on(head) == [b"Content-length: 2", b"X-A: b", b"access-control-allow-Origin: *"]


@dataclass(frozen=True, slots=True)
class End:
    """Where content ends, and what follows."""

    framing: Framing
    length: int = -1
    keep_alive: bool = True
    fields: tuple[bytes, ...] | None = None
    """None if all go on as they came."""


@pytest.mark.parametrize(
    ("status", "to", "lines", "end"),
    [
        pytest.param(200, "GET", (b"Content-Length: 2",), End(LENGTH, 2), id="a length"),
        pytest.param(200, "GET", (b"Content-Length: 0",), End(LENGTH, 0), id="a length of nothing"),
        pytest.param(200, "GET", (b"Content-Length: 02",), End(LENGTH, 2, fields=(b"Content-Length: 02",)), id="zero"),
        pytest.param(200, "GET", (b"Content-Length: %d" % LARGEST,), End(LENGTH, LARGEST), id="the largest"),
        pytest.param(
            200, "GET", (b"Content-Length: 2, 2",), End(LENGTH, 2, fields=(b"Content-Length: 2",)), id="a list of one"
        ),
        pytest.param(
            200,
            "GET",
            (b"X: 1", b"content-length: 2", b"Y: 1", b"Content-Length: 02\t, 2", b"Z: 1"),
            End(LENGTH, 2, fields=(b"X: 1", b"content-length: 2", b"Y: 1", b"Z: 1")),
            id="equal lengths: the first place is kept",
        ),
        pytest.param(200, "GET", (b"Transfer-Encoding: chunked",), End(CHUNKED), id="chunks"),
        pytest.param(200, "GET", (b"Transfer-Encoding: \tCHUNKED ",), End(CHUNKED), id="chunks in capitals"),
        pytest.param(200, "GET", (b"X: 1",), End(CLOSE, keep_alive=False), id="neither"),
        pytest.param(205, "GET", (b"X: 1",), End(NONE, keep_alive=False), id="205 without a word"),
        pytest.param(205, "GET", (b"Content-Length: 0",), End(LENGTH, 0), id="205 that says it has none"),
        pytest.param(205, "GET", (b"Transfer-Encoding: chunked",), End(CHUNKED), id="205 in chunks"),
        pytest.param(204, "GET", (), End(NONE), id="204"),
        pytest.param(204, "GET", (b"Content-Length: 0",), End(NONE, 0), id="204 with a length of nothing"),
        pytest.param(304, "GET", (b"Content-Length: 7",), End(NONE, 7), id="304 with a length"),
        pytest.param(200, "HEAD", (b"Content-Length: 7",), End(NONE, 7), id="HEAD with a length"),
        pytest.param(200, "HEAD", (b"Transfer-Encoding: chunked",), End(NONE), id="HEAD with chunks"),
        pytest.param(200, "HEAD", (), End(NONE), id="HEAD with neither"),
        pytest.param(205, "HEAD", (), End(NONE), id="HEAD and 205"),
        pytest.param(
            200,
            "HEAD",
            (b"Content-Length: 7", b"content-length: 7"),
            End(NONE, 7, fields=(b"Content-Length: 7",)),
            id="HEAD with equal lengths",
        ),
        pytest.param(
            200,
            "HEAD",
            (b"Content-Length: 7", b"X: 1", b"Content-Length: 8"),
            End(NONE, keep_alive=False, fields=(b"X: 1",)),
            id="HEAD with two lengths: neither is passed on",
        ),
        pytest.param(
            304, "GET", (b"Content-Length: x", b"X: 1"), End(NONE, keep_alive=False, fields=(b"X: 1",)), id="none"
        ),
        pytest.param(
            200,
            "HEAD",
            (b"Content-Length: 7", b"Transfer-Encoding: chunked"),
            End(NONE, keep_alive=False, fields=(b"Transfer-Encoding: chunked",)),
            id="HEAD with a length and chunks",
        ),
        pytest.param(200, "HEAD", (b"Transfer-Encoding: gzip",), End(NONE), id="HEAD with any coding"),
    ],
)  # fmt: skip
def test_the_end_of_content(status: int, to: str, lines: tuple[bytes, ...], end: End) -> None:
    """RFC 9112 section 6.3, in its order; lenient parsing finds the same, and nothing odd about it."""
    for lenient in (False, True):
        oddities = Oddities(lenient=lenient)
        head = read(b"HTTP/1.1 %d x" % status, *lines, to=to, oddities=oddities)
        found = End(head.framing, head.length, head.keep_alive, end.fields and tuple(going_on(head)))
        assert found == end
        assert end.fields or len(head.fields) == len(lines)
        assert oddities.found == []


@pytest.mark.parametrize(
    "lines",
    [
        (b"Content-Length:",),
        (b"Content-Length: x",),
        (b"Content-Length: -1",),
        (b"Content-Length: +1",),
        (b"Content-Length: X1X",),
        (b"Content-Length: 1 1",),
        (b"Content-Length: 1,",),
        (b"Content-Length: ,1",),
        (b"Content-Length: 1, 2",),
        (b"Content-Length: %d" % (LARGEST + 1),),
        (b"Content-Length: 1", b"Content-Length: 2"),
        (b"Content-Length: 1", b"Content-Length: x"),
        (b"Transfer-Encoding:",),
        (b"Transfer-Encoding: gzip",),
        (b"Transfer-Encoding: gzip, chunked",),
        (b"Transfer-Encoding: chunked, gzip",),
        (b"Transfer-Encoding: chunked, ",),
        (b"Transfer-Encoding: XchunkedX",),
        (b"Transfer-Encoding: chunked;q=1",),
        (b"Transfer-Encoding: identity, gzip",),
    ],
)
def test_framing_with_no_one_reading(lines: tuple[bytes, ...]) -> None:
    """RFC 9112 section 11.2: it is refused, in lenient parsing, too."""
    for lenient in (False, True):
        with pytest.raises(UpstreamError) as refused:
            read(b"HTTP/1.1 200 x", *lines, oddities=Oddities(lenient=lenient))
        assert refused.value.kind is UpstreamErrorKind.PROTOCOL


@pytest.mark.parametrize(
    ("version", "lines", "end", "found"),
    [
        pytest.param(
            b"1.1",
            (b"Content-Length: 2", b"Transfer-Encoding: chunked", b"Content-Length: 3"),
            End(CHUNKED, fields=(b"Transfer-Encoding: chunked",)),
            [Oddity.LENGTH_AND_CODING],
            id="lengths beside chunks",
        ),
        pytest.param(b"1.0", (b"Transfer-Encoding: chunked",), End(CHUNKED), [Oddity.CHUNKED_IN_1_0], id="chunks"),
        pytest.param(
            b"1.0",
            (b"Transfer-Encoding: chunked", b"Content-Length: 2", b"Connection: keep-alive"),
            End(CHUNKED, fields=(b"Transfer-Encoding: chunked", b"Connection: keep-alive")),
            [Oddity.CHUNKED_IN_1_0, Oddity.LENGTH_AND_CODING],
            id="both in 1.0",
        ),
        pytest.param(b"1.1", (b"Transfer-Encoding: identity",), End(CLOSE), [Oddity.IDENTITY], id="identity"),
        pytest.param(
            b"1.1",
            (b"Transfer-Encoding: Identity", b"Content-Length: 2"),
            End(LENGTH, 2),
            [Oddity.IDENTITY],
            id="identity and a length",
        ),
        pytest.param(
            b"1.1",
            (b"Transfer-Encoding: identity,\tchunked",),
            End(CHUNKED),
            [Oddity.IDENTITY],
            id="identity and chunks",
        ),
        pytest.param(
            b"1.1",
            (b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"),
            End(CHUNKED),
            [Oddity.CHUNKED_TWICE],
            id="chunks on two lines",
        ),
        pytest.param(b"1.1", (b"Transfer-Encoding: chunked, CHUNKED",), End(CHUNKED), [Oddity.CHUNKED_TWICE], id="2"),
        pytest.param(
            b"1.1",
            (b"Transfer-Encoding: chunked, identity, chunked",),
            End(CHUNKED),
            [Oddity.IDENTITY, Oddity.CHUNKED_TWICE],
            id="twice, and identity",
        ),
        pytest.param(b"1.1", (b"Oops", b"Content-Length: 2"), End(LENGTH, 2, fields=(b"Content-Length: 2",)),
                     [Oddity.NO_COLON], id="a line without a colon"),
    ],
)  # fmt: skip
def test_old_servers(version: bytes, lines: tuple[bytes, ...], end: End, found: list[Oddity]) -> None:
    """Lenient parsing has one reading of each, after which the connection closes; strict parsing refuses."""
    status = b"HTTP/%b 200 x" % version
    with pytest.raises(UpstreamError) as refused:
        read(status, *lines)
    assert refused.value.kind is UpstreamErrorKind.PROTOCOL
    oddities = Oddities(lenient=True)
    head = read(status, *lines, oddities=oddities)
    assert End(head.framing, head.length, True, end.fields and tuple(going_on(head))) == end
    assert not head.keep_alive
    assert oddities.found == found


@pytest.mark.parametrize(
    ("version", "lines", "keep_alive"),
    [
        (b"1.1", (), True),
        (b"1.1", (b"Connection: close",), False),
        (b"1.1", (b"Connection: Close",), False),
        (b"1.1", (b"Connection: keep-alive, close",), False),
        (b"1.1", (b"Connection: keep-alive", b"connection: X-A ,\tclose"), False),
        (b"1.1", (b"Connection: keep-alive",), True),
        (b"1.1", (b"Connection: closed, XcloseX",), True),
        (b"1.1", (b"X-Connection: close",), True),
        (b"1.2", (), True),
        (b"1.0", (), False),
        (b"1.0", (b"Connection: Keep-Alive",), True),
        (b"1.0", (b"Connection: X-A, keep-alive",), True),
        (b"1.0", (b"Connection: keep-alive, close",), False),
        (b"1.0", (b"Connection: close",), False),
    ],
)
def test_whether_the_connection_persists(version: bytes, lines: tuple[bytes, ...], keep_alive: bool) -> None:
    """RFC 9112 section 9.3: by default in HTTP/1.1 alone, and `close` is heard wherever it stands."""
    head = read(b"HTTP/%b 200 x" % version, b"Content-Length: 0", *lines)
    assert head.keep_alive is keep_alive
    assert head.minor == (version != b"1.0")


@pytest.mark.parametrize(
    ("lines", "is_switch"),
    [
        ((b"Connection: Upgrade", b"Upgrade: websocket"), True),
        ((b"Connection: keep-alive, UPGRADE", b"upgrade: websocket"), True),
        ((b"Connection: Upgrade",), False),
        ((b"Upgrade: websocket",), False),
        ((b"Connection: upgraded", b"Upgrade: websocket"), False),
        ((), False),
    ],
)
def test_a_101_says_what_it_switches_to(lines: tuple[bytes, ...], is_switch: bool) -> None:
    """RFC 9110 section 15.2.2; and it answers only a request that asked for it."""
    if is_switch:
        assert read(b"HTTP/1.1 101 x", *lines, upgrade=True).framing is NONE
    else:
        with pytest.raises(UpstreamError):
            read(b"HTTP/1.1 101 x", *lines, upgrade=True)
    with pytest.raises(UpstreamError):
        read(b"HTTP/1.1 101 x", *lines)


@pytest.mark.parametrize("status", [100, 102, 103, 199])
@pytest.mark.parametrize(
    ("line", "is_fine"),
    [
        (b"Link: </a>", True),
        (b"Content-Length: 0", True),
        (b"content-length: 000", True),
        (b"Content-Length: 10", False),
        (b"Content-Length: X", False),
        (b"Transfer-Encoding: chunked", False),
        (b"Transfer-Encoding:", False),
    ],
)
def test_interim_responses_have_no_content(status: int, line: bytes, is_fine: bool) -> None:
    """Nor any word of it that somebody might believe."""
    if is_fine:
        assert going_on(read(b"HTTP/1.1 %d x" % status, line)) == [line]
        return
    with pytest.raises(UpstreamError) as refused:
        read(b"HTTP/1.1 %d x" % status, line)
    assert refused.value.kind is UpstreamErrorKind.PROTOCOL


def test_an_upgrade_that_is_declined() -> None:
    """It is answered like any other request."""
    head = read(b"HTTP/1.1 200 OK", b"Content-Length: 2", upgrade=True)
    assert (head.framing, head.length, head.keep_alive) == (LENGTH, 2, True)


def test_the_status_line_is_no_field_line() -> None:
    """As many field lines as there may be stand behind it."""
    assert len(read(b"HTTP/1.1 200 OK", *[b"X: y"] * MAX_FIELD_LINES).fields) == MAX_FIELD_LINES
    with pytest.raises(UpstreamError):
        read(b"HTTP/1.1 200 OK", *[b"X: y"] * (MAX_FIELD_LINES + 1))
