"""The states of a response's reader: what it says after each piece, and what an end of the connection means in each."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from corsproxy.proxy.errors import UpstreamError, UpstreamErrorKind
from corsproxy.proxy.upstream.field_section import MAX_FIELD_LINES
from corsproxy.proxy.upstream.head import Framing
from corsproxy.proxy.upstream.oddity import Oddity
from corsproxy.proxy.upstream.reader import MAX_HEAD_BYTES, ResponseReader

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKS = OK + b"Transfer-Encoding: chunked\r\n\r\n"
CLOSES = OK + b"X: y\r\n\r\n"
SWITCH = b"HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"


def reader(
    *segments: bytes, to: str = "GET", lenient: bool = False, upgrade: bool = False, go_on: bool = False
) -> ResponseReader:
    """Return a reader that was fed; raises `UpstreamError`."""
    made = ResponseReader(lenient=lenient)
    made.start(is_head_request=to == "HEAD", expects_upgrade=upgrade, expects_continue=go_on)
    for segment in segments:
        made.feed(segment)
    return made


# --- what has come --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "first", [b"H", b"\r", b"\n", b"\r\n", OK, OK + b"\r\n", b"HTTP/1.1 103 x\r\n\r\n", b"HTTP/1.0 200 x\n\n"]
)
def test_a_response_has_begun_with_its_first_byte(first: bytes) -> None:
    """Until then the request may be sent again over another connection."""
    assert not reader().started
    assert reader(first).started
    again = reader(OK + b"Content-Length: 0\r\n\r\n")
    again.start(is_head_request=False, expects_upgrade=False)
    assert not again.started


@pytest.mark.parametrize(
    ("segments", "body", "complete", "surplus"),
    [
        ((OK + b"Content-Length: 3\r\n\r\n",), [], False, False),
        ((OK + b"Content-Length: 3\r\n\r\nab",), [b"ab"], False, False),
        ((OK + b"Content-Length: 3\r\n\r\n", b"a", b"b"), [b"a", b"b"], False, False),
        ((OK + b"Content-Length: 3\r\n\r\nab", b"c"), [b"ab", b"c"], True, False),
        ((OK + b"Content-Length: 3\r\n\r\nab", b"cd"), [b"ab", b"c"], True, True),
        ((OK + b"Content-Length: 3\r\n\r\nabcd",), [b"abc"], True, True),
        ((OK + b"Content-Length: 3\r\n\r\nabc", b"d"), [b"abc"], True, True),
        ((OK + b"Content-Length: 0\r\n\r\n",), [], True, False),
        ((OK + b"Content-Length: 0\r\n\r\nx",), [], True, True),
        ((OK + b"Content-Length: 0\r\n\r\n", b"x"), [], True, True),
        ((CHUNKS,), [], False, False),
        ((CHUNKS + b"3\r\nab",), [b"ab"], False, False),
        ((CHUNKS + b"3\r\nab", b"c\r\n0\r\n\r\n"), [b"ab", b"c"], True, False),
        ((CHUNKS + b"3\r\nabc\r\n0\r\n\r\nx",), [b"abc"], True, True),
        ((CHUNKS + b"3\r\nabc\r\n0\r\n", b"\r\n", b"x"), [b"abc"], True, True),
        ((CLOSES,), [], False, False),
        ((CLOSES + b"ab", b"c"), [b"ab", b"c"], False, False),
        ((b"HTTP/1.1 204 x\r\n\r\n",), [], True, False),
        ((b"HTTP/1.1 204 x\r\n\r\nx",), [], True, True),
        ((b"HTTP/1.1 205 x\r\n\r\n", b"x"), [], True, True),
    ],
)
def test_content(segments: tuple[bytes, ...], body: list[bytes], complete: bool, surplus: bool) -> None:
    """Pieces as they come; whatever stands behind the end poisons the connection, and is none of them."""
    made = reader(*segments)
    assert (made.body, made.complete, made.surplus, made.tunnel) == (body, complete, surplus, False)
    assert made.oddities == []
    assert made.interim == []


def test_trailer_fields_come_with_the_end() -> None:
    """Of them only what is passed on: nothing that frames, grants or sets a cookie."""
    made = reader(CHUNKS + b"0\r\nX-T: 1\r\nVary: a\r\nContent-Length: 2\r\n")
    assert made.trailers == []
    made.feed(b"Access-Control-Allow-Origin: *\r\nx-u: 2\r\n\r\n")
    assert made.trailers == [(b"X-T", b"1"), (b"x-u", b"2")]


@pytest.mark.parametrize("go_on", [False, True])
def test_interim_responses(go_on: bool) -> None:
    """They are kept in order; a 100 only if the client asked for it."""
    made = reader(b"HTTP/1.1 103 x\r\nLink: a\r\n\r\nHTTP/1.1 100 y\r\n\r\n", go_on=go_on)
    made.feed(b"HTTP/1.1 102 z\r\n\r\n" + OK)
    assert [one.status for one in made.interim] == ([103, 100, 102] if go_on else [103, 102])
    assert (made.head, made.complete) == (None, False)
    made.feed(b"Content-Length: 0\r\n\r\n")
    assert made.head is not None
    assert (made.head.status, made.complete) == (200, True)


def test_a_switch_of_protocols() -> None:
    """From then on nothing has a meaning here."""
    made = reader(SWITCH + b"\x81\x00", upgrade=True)
    assert (made.tunnel, made.body, made.complete, made.surplus) == (True, [b"\x81\x00"], False, False)
    made.feed(OK)
    assert made.body == [b"\x81\x00", OK]
    bare = reader(SWITCH, upgrade=True)
    assert (bare.tunnel, bare.body) == (True, [])
    declined = reader(OK + b"Content-Length: 0\r\n\r\n", upgrade=True)
    assert (declined.tunnel, declined.complete) == (False, True)


@pytest.mark.parametrize(
    "used",
    [
        pytest.param(lambda: reader(b"HTTP/1.1 103 x\r\n\r\n" + CHUNKS + b"1\r\na\r\n0\r\nX: y\r\n\r\n"), id="chunks"),
        pytest.param(lambda: reader(OK + b"Content-Length: 2\r\n\r\nab"), id="a length"),
        pytest.param(lambda: reader(OK + b"X : y\r\nContent-Length: 0\r\n", b"\r\n"), id="an odd head in pieces"),
        pytest.param(lambda: reader(OK + b"Content-Length: 9\r\n\r\n", to="HEAD", go_on=True), id="HEAD"),
        pytest.param(lambda: reader(OK + b"Content-Length: 0\r\n\r\n", upgrade=True), id="a declined upgrade"),
    ],
)
def test_nothing_of_a_response_is_left_in_the_next(used: Callable[[], ResponseReader]) -> None:
    """Not its head, not its content, not how far it came, not what was expected of it."""
    made = used()
    assert made.complete
    made.start(is_head_request=False, expects_upgrade=False)
    assert (made.head, made.body, made.interim, made.trailers, made.oddities) == (None, [], [], [], [])
    assert (made.started, made.complete, made.surplus, made.tunnel) == (False, False, False, False)
    made.feed(b"HTTP/1.1 100 x\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\nok")
    assert (made.interim, made.body, made.complete, made.surplus) == ([], [b"ok"], True, False)
    made.start(is_head_request=False, expects_upgrade=False)
    with pytest.raises(UpstreamError):
        made.feed(SWITCH)


@pytest.mark.parametrize(
    "data", [b"H", OK, OK + b"Content-Length: 3\r\n\r\nab", CHUNKS + b"1\r\na\r\n", CLOSES, b"HTTP/1.1 103 x\r\n\r\n"]
)
def test_no_response_begins_inside_another(data: bytes) -> None:
    """Bytes that came before the request are not the start of its response."""
    made = reader(data)
    with pytest.raises(UpstreamError) as refused:
        made.start(is_head_request=False, expects_upgrade=False)
    assert refused.value.kind is UpstreamErrorKind.PROTOCOL


# --- the end of the connection --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (b"", "head"),
        (b"HTTP/1.1 2", "head"),
        (b"HTTP/1.1 103 x\r\n\r\n", "head"),
        (OK + b"Content-Length: 3\r\n\r\n", "content"),
        (OK + b"Content-Length: 3\r\n\r\nab", "content"),
        (CHUNKS, "content"),
        (CHUNKS + b"1\r\na\r\n0\r\n", "content"),
    ],
)
@pytest.mark.parametrize("is_cut", [False, True])
@pytest.mark.parametrize("lenient", [False, True])
def test_an_end_that_is_too_early(data: bytes, where: str, is_cut: bool, lenient: bool) -> None:
    """The connection was closed, and the log says where; nothing is complete, and no leniency helps."""
    made = reader(*filter(None, [data]), lenient=lenient)
    with pytest.raises(UpstreamError, match=where) as refused:
        made.feed_eof(is_cut=is_cut)
    assert refused.value.kind is UpstreamErrorKind.CLOSED
    assert not made.complete
    assert made.oddities == []


@pytest.mark.parametrize("data", [b"", b"abc"])
def test_the_end_that_ends_content(data: bytes) -> None:
    """A close that was announced, by TLS or without it."""
    made = reader(CLOSES + data)
    made.feed_eof()
    assert made.complete
    assert made.oddities == []


def test_a_cut_is_no_end_of_content() -> None:
    """Anybody on the way can cut TLS: strict parsing takes it for a fault, lenient parsing notes it."""
    strict = reader(CLOSES + b"abc")
    with pytest.raises(UpstreamError, match="parsing: lenient") as refused:
        strict.feed_eof(is_cut=True)
    assert refused.value.kind is UpstreamErrorKind.CLOSED
    assert not strict.complete
    lenient = reader(CLOSES + b"abc", lenient=True)
    lenient.feed_eof(is_cut=True)
    assert lenient.complete
    assert lenient.oddities == [Oddity.TLS_CUT]
    uncut = reader(CLOSES + b"abc", lenient=True)
    uncut.feed_eof(is_cut=False)
    assert uncut.oddities == []


@pytest.mark.parametrize("lenient", [False, True])
@pytest.mark.parametrize("is_cut", [False, True])
def test_the_end_of_a_tunnel(is_cut: bool, lenient: bool) -> None:
    """What its protocol makes of a cut is not ours to say."""
    made = reader(SWITCH, upgrade=True, lenient=lenient)
    made.feed_eof(is_cut=is_cut)
    assert made.complete
    assert made.oddities == []


@pytest.mark.parametrize("is_cut", [False, True])
@pytest.mark.parametrize(
    "data",
    [OK + b"Content-Length: 0\r\n\r\n", CHUNKS + b"0\r\n\r\n", b"HTTP/1.1 204 x\r\n\r\n", b"HTTP/1.1 205 x\r\n\r\n"],
)
def test_an_end_behind_the_end(data: bytes, is_cut: bool) -> None:
    """A response that is complete stays so."""
    for lenient in (False, True):
        made = reader(data, lenient=lenient)
        made.feed_eof(is_cut=is_cut)
        assert made.complete
        assert made.oddities == []


# --- limits ---------------------------------------------------------------------------------------------------------


def pieces(data: bytes) -> list[bytes]:
    """Split by the odd kilobyte."""
    return [data[at : at + 1021] for at in range(0, len(data), 1021)]


def head_of(size: int, front: bytes = OK, line_end: bytes = b"\r\n") -> bytes:
    """Return a head of so many bytes."""
    front = front + b"Content-Length: 0" + line_end + b"X: "
    return front + b"y" * (size - len(front) - 2 * len(line_end)) + 2 * line_end


@pytest.mark.parametrize(
    ("front", "line_end"),
    [
        pytest.param(OK, b"\r\n", id="a plain head"),
        pytest.param(b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n", b"\r\n", id="an odd head"),
        pytest.param(OK, b"\n", id="lines ended by LF"),
        pytest.param(b"\r\n\n" + OK, b"\r\n", id="empty lines before it"),
        pytest.param(b"HTTP/1.1 103 x\r\n\r\n" + OK, b"\r\n", id="an interim response before it"),
        pytest.param(b"HTTP/1.1 100 x\r\n\r\n" * 100 + OK, b"\r\n", id="many of them, for us"),
    ],
)
def test_the_last_byte_of_a_head(front: bytes, line_end: bytes) -> None:
    """All heads of one response may have so many bytes, and no byte more; the next response begins anew."""
    fits, too_large = (head_of(MAX_HEAD_BYTES + more, front, line_end) for more in (0, 1))
    for split in (lambda data: [data], pieces):
        made = reader(*split(fits))
        assert made.complete
        made.start(is_head_request=False, expects_upgrade=False)
        for segment in split(fits):
            made.feed(segment)
        assert made.complete
        with pytest.raises(UpstreamError, match=str(MAX_HEAD_BYTES)) as refused:
            reader(*split(too_large))
        assert refused.value.kind is UpstreamErrorKind.PROTOCOL


def test_a_head_without_end_is_refused_in_time() -> None:
    """With the first byte that no head may have, ended or not."""
    data = OK + b"X: " + b"y" * (MAX_HEAD_BYTES - len(OK) - 3)
    made = reader(data)
    with pytest.raises(UpstreamError):
        made.feed(b"y")
    empty = reader(b"\n" * MAX_HEAD_BYTES)
    with pytest.raises(UpstreamError):
        empty.feed(b"\n")


@pytest.mark.parametrize("line", [b"X: y\r\n", b"X: y\n", b"X:\r\n fold\r\n"])
def test_the_last_field_line(line: bytes) -> None:
    """So many lines are read, and none more; a head without end is refused before its end."""
    lines = line * (MAX_FIELD_LINES // line.count(b"\n"))
    for split in (lambda data: [data], pieces):
        assert reader(*split(OK + lines + b"\r\n")).head is not None
        for end in (b"Z: y\r\n\r\n", b"Z: y\r\n" * 3):
            with pytest.raises(UpstreamError, match=str(MAX_FIELD_LINES)):
                reader(*split(OK + lines + end))


def test_lines_of_interim_responses_count() -> None:
    """Together with all that come before the final head."""
    early = b"HTTP/1.1 103 x\r\n" + b"Link: a\r\n" * 400 + b"\r\n"
    assert len(reader(early * 2).interim) == 2
    with pytest.raises(UpstreamError, match=str(MAX_FIELD_LINES)):
        reader(early * 3)
    made = reader(early * 2 + OK + b"Content-Length: 0\r\n\r\n")
    made.start(is_head_request=False, expects_upgrade=False)
    made.feed(early * 2)
    assert len(made.interim) == 2


# --- old servers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"HTTP/1.0 200 x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", [Oddity.CHUNKED_IN_1_0]),
        (OK + b"Oops\r\nTransfer-Encoding: chunked\r\n\r\n0\n\n", [Oddity.NO_COLON, Oddity.BARE_LF]),
        (b"HTTP/1.1 103 x\r\nOops\r\n\r\n" + OK + b"Content-Length: 0\r\n\r\n", [Oddity.NO_COLON]),
        (CHUNKS + b"0\r\nX: \x01\r\n\r\n", [Oddity.CONTROL]),
    ],
)
def test_what_was_odd(data: bytes, found: list[Oddity]) -> None:
    """In the order in which it was met, in all parts of a response; strict parsing refuses it."""
    made = reader(data, lenient=True)
    assert made.complete
    assert made.oddities == found
    with pytest.raises(UpstreamError) as refused:
        reader(data)
    assert refused.value.kind is UpstreamErrorKind.PROTOCOL


def test_framing_is_that_of_the_request() -> None:
    """The same head has content or none by what was asked; in the plain and in the other way of reading."""
    for version in (b"1.1", b"1.0"):
        data = b"HTTP/%b 200 OK\r\nContent-Length: 3\r\n\r\n" % version
        asked, only_head = reader(data), reader(data, to="HEAD")
        assert asked.head is not None
        assert only_head.head is not None
        assert (asked.head.framing, asked.complete) == (Framing.LENGTH, False)
        assert (only_head.head.framing, only_head.complete) == (Framing.NONE, True)
