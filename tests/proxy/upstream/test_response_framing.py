"""What becomes of a response's connection, its length and its lines, in strict and in lenient parsing."""

from __future__ import annotations

from typing import Any

import pytest

from corsproxy.proxy.errors import UpstreamError, UpstreamErrorKind
from corsproxy.proxy.upstream.field_section import MAX_FIELD_LINES, read_field_lines
from corsproxy.proxy.upstream.head import Framing, ResponseHead
from corsproxy.proxy.upstream.odd_head import read_head
from corsproxy.proxy.upstream.oddity import Oddities, Oddity

LENGTH, CHUNKED, CLOSE, NONE = Framing.LENGTH, Framing.CHUNKED, Framing.CLOSE, Framing.NONE
STRICT_AND_LENIENT = pytest.mark.parametrize("lenient", [False, True], ids=["strict", "lenient"])

TWO, ZERO, IN_CHUNKS = b"Content-Length: 2", b"Content-Length: 0", b"Transfer-Encoding: chunked"


def head_of(
    *lines: bytes, first: bytes = b"HTTP/1.1 200 OK", lenient: bool = False, to_head: bool = False
) -> tuple[ResponseHead, list[Oddity]]:
    """Read a head; return it and what was odd about it."""
    oddities = Oddities(lenient=lenient)
    head = read_head(b"\r\n".join((first, *lines)), oddities, is_head_request=to_head, expects_upgrade=True)
    return head, oddities.found


def settled(head: ResponseHead) -> tuple[Framing, bool, int]:
    """Return how the content ends, whether the connection goes on, and the length."""
    return head.framing, head.keep_alive, head.length


FRAMED: list[Any] = [
    pytest.param([TWO], {}, (LENGTH, True, 2), id="a length"),
    pytest.param([ZERO], {}, (LENGTH, True, 0), id="a length of nothing"),
    pytest.param([b"Content-Length: 9223372036854775807"], {}, (LENGTH, True, 2**63 - 1), id="the longest"),
    pytest.param([IN_CHUNKS], {}, (CHUNKED, True, -1), id="chunks"),
    pytest.param([], {}, (CLOSE, False, -1), id="neither"),
    pytest.param([], {"first": b"HTTP/1.1 205 x"}, (NONE, False, -1), id="205 with neither"),
    pytest.param([TWO, b"Connection: close"], {}, (LENGTH, False, 2), id="close"),
    pytest.param([TWO, b"Connection: X-A , Close"], {}, (LENGTH, False, 2), id="close in a list"),
    pytest.param(
        [TWO, b"Connection: keep-alive", b"Connection: close"], {}, (LENGTH, False, 2), id="close on a second"
    ),
    pytest.param([TWO, b"Connection: closed"], {}, (LENGTH, True, 2), id="another option"),
    pytest.param([TWO], {"first": b"HTTP/1.0 200 x"}, (LENGTH, False, 2), id="HTTP/1.0"),
    pytest.param(
        [TWO, b"Connection: Keep-Alive"], {"first": b"HTTP/1.0 200 x"}, (LENGTH, True, 2), id="HTTP/1.0 that goes on"
    ),
    pytest.param(
        [TWO, b"Connection: keep-alive, close"], {"first": b"HTTP/1.0 200 x"}, (LENGTH, False, 2), id="HTTP/1.0, both"
    ),
    pytest.param([TWO], {"first": b"HTTP/1.9 200 x"}, (LENGTH, True, 2), id="HTTP/1.9"),
    pytest.param([TWO], {"to_head": True}, (NONE, True, 2), id="to HEAD"),
    pytest.param([ZERO], {"to_head": True}, (NONE, True, 0), id="to HEAD, a length of nothing"),
    pytest.param([], {"to_head": True}, (NONE, True, -1), id="to HEAD, no length"),
    pytest.param([IN_CHUNKS], {"to_head": True}, (NONE, True, -1), id="to HEAD, chunks"),
    pytest.param([TWO, IN_CHUNKS], {"to_head": True}, (NONE, False, -1), id="to HEAD, both"),
    pytest.param([b"Content-Length: x"], {"to_head": True}, (NONE, False, -1), id="to HEAD, no number"),
    pytest.param([TWO], {"first": b"HTTP/1.1 304 x"}, (NONE, True, 2), id="304"),
    pytest.param([TWO], {"first": b"HTTP/1.1 204 x"}, (NONE, True, 2), id="204"),
    pytest.param([], {"first": b"HTTP/1.0 204 x"}, (NONE, False, -1), id="204 of HTTP/1.0"),
    pytest.param(
        [b"Connection: upgrade", b"Upgrade: x"], {"first": b"HTTP/1.1 101 x"}, (NONE, True, -1), id="an upgrade"
    ),
]


@STRICT_AND_LENIENT
@pytest.mark.parametrize(("lines", "options", "expected"), FRAMED)
def test_where_content_ends(lines: list[bytes], options: Any, expected: object, lenient: bool) -> None:
    """The connection persists as expected; both parsers agree, and there are no oddities."""
    head, odd = head_of(*lines, **options, lenient=lenient)
    assert (settled(head), odd) == (expected, [])


ONLY_LENIENT: list[Any] = [
    pytest.param([TWO, IN_CHUNKS], {}, CHUNKED, [IN_CHUNKS], [Oddity.LENGTH_AND_CODING], id="both"),
    pytest.param(
        [IN_CHUNKS, b"X: y", TWO], {}, CHUNKED, [IN_CHUNKS, b"X: y"], [Oddity.LENGTH_AND_CODING], id="reversed"
    ),
    pytest.param(
        [IN_CHUNKS, b"Connection: keep-alive"],
        {"first": b"HTTP/1.0 200 x"},
        CHUNKED,
        [IN_CHUNKS, b"Connection: keep-alive"],
        [Oddity.CHUNKED_IN_1_0],
        id="chunks in HTTP/1.0",
    ),
    pytest.param(
        [b"Transfer-Encoding: identity", TWO],
        {},
        LENGTH,
        [b"Transfer-Encoding: identity", TWO],
        [Oddity.IDENTITY],
        id="identity",
    ),
    pytest.param(
        [b"Transfer-Encoding: Identity , chunked"],
        {},
        CHUNKED,
        [b"Transfer-Encoding: Identity , chunked"],
        [Oddity.IDENTITY],
        id="identity and chunks",
    ),
    pytest.param([IN_CHUNKS, IN_CHUNKS], {}, CHUNKED, [IN_CHUNKS] * 2, [Oddity.CHUNKED_TWICE], id="chunked twice"),
    pytest.param([b"a line", b" and its fold", ZERO], {}, LENGTH, [ZERO], [Oddity.NO_COLON], id="no colon"),
    pytest.param([b"X: \x01 a\x7fb \x02", ZERO], {}, LENGTH, [b"X: ab", ZERO], [Oddity.CONTROL], id="control bytes"),
    pytest.param(
        [b"X: a\x00", b"Y: \x01b", ZERO], {}, LENGTH, [b"X: a", b"Y: b", ZERO], [Oddity.CONTROL], id="two lines"
    ),
]


@pytest.mark.parametrize(("lines", "options", "framing", "kept", "odd"), ONLY_LENIENT)
def test_what_only_lenient_parsing_takes(
    lines: list[bytes], options: Any, framing: Framing, kept: list[bytes], odd: list[Oddity]
) -> None:
    """In the one way that is safe, on a connection that closes; strict parsing names the key that would take it."""
    head, found = head_of(*lines, **options, lenient=True)
    assert (head.framing, head.keep_alive, found) == (framing, False, odd)
    assert [line.line.removesuffix(b"\r\n") for line in head.fields] == kept
    with pytest.raises(UpstreamError, match="which 'parsing: lenient' takes") as refused:
        head_of(*lines, **options)
    assert refused.value.kind is UpstreamErrorKind.PROTOCOL


@pytest.mark.parametrize(
    "lines",
    [
        [b"Transfer-Encoding: gzip, chunked"],
        [b"Transfer-Encoding: "],
        [b"Content-Length: 1", b"Content-Length: 2"],
        [b"Content-Length: 9223372036854775808"],
        [b"Content-Length: 00000000000000000002"],
        [b"Content-Length: 1_0"],
        [b"Content-Length: X2"],
        [b"Content-Length: 2, 2X"],
        [b"Transfer-Encoding: identity", b"Content-Length: x"],
        [b" X: y"],
        [b"X Y: z"],
    ],
)
@STRICT_AND_LENIENT
def test_what_nobody_takes(lines: list[bytes], lenient: bool) -> None:
    """Two recipients could read it differently."""
    with pytest.raises(UpstreamError) as refused:
        head_of(*lines, lenient=lenient)
    assert refused.value.kind is UpstreamErrorKind.PROTOCOL


@pytest.mark.parametrize(
    ("lines", "kept"),
    [
        ([TWO, b"X: y", b"content-length: 02"], [TWO, b"X: y"]),
        ([b"X: y", b"content-length: 2, 02"], [b"X: y", b"content-length: 2"]),
        ([b"content-length: 02"], [b"content-length: 02"]),
    ],
)
@pytest.mark.parametrize("to_head", [False, True])
def test_equal_lengths_are_one(lines: list[bytes], kept: list[bytes], to_head: bool) -> None:
    """At the place of the first; a single one is unchanged."""
    head, _ = head_of(*lines, to_head=to_head)
    assert [line.line.removesuffix(b"\r\n") for line in head.fields] == kept
    assert head.length == 2


@pytest.mark.parametrize(
    ("lines", "fields"),
    [
        ([b"X:a"], [(b"X", b"a")]),
        ([b"X: \t XaX \t"], [(b"X", b"XaX")]),
        ([b"X \t: a"], [(b"X", b"a")]),
        ([b"X:"], [(b"X", b"")]),
        ([b"X: a", b" \tb ", b"\tc", b"Y: d"], [(b"X", b"a b c"), (b"Y", b"d")]),
        ([b"X:", b" Xb"], [(b"X", b"Xb")]),
        ([b"X: aX", b" "], [(b"X", b"aX")]),
        ([b"X: a:b"], [(b"X", b"a:b")]),
    ],
)
def test_field_lines(lines: list[bytes], fields: list[tuple[bytes, bytes]]) -> None:
    """White space around a value is none of it, and folds are joined by a space."""
    assert read_field_lines(lines, Oddities(lenient=False)) == fields


@pytest.mark.parametrize("more", [0, 1])
def test_so_many_field_lines_and_no_more(more: int) -> None:
    """Every line costs an object."""
    lines = [b"X: y"] * (MAX_FIELD_LINES + more)
    if more:
        with pytest.raises(UpstreamError):
            read_field_lines(lines, Oddities(lenient=True))
    else:
        assert len(read_field_lines(lines, Oddities(lenient=False))) == MAX_FIELD_LINES


@pytest.mark.parametrize(
    ("first", "status", "minor", "reason"),
    [
        (b"HTTP/1.1 200 OK", 200, 1, b"OK"),
        (b"HTTP/1.0 200 ", 200, 0, b""),
        (b"HTTP/1.7 299", 299, 1, b""),
        (b"HTTP/1.1 404 a  b\xe4", 404, 1, b"a  b\xe4"),
        (b"HTTP/1.1 404 a\x01b", 404, 1, b""),
    ],
)
def test_a_status_line(first: bytes, status: int, minor: int, reason: bytes) -> None:
    """A phrase is forwarded unchanged, unless it has a control byte."""
    head, _ = head_of(TWO, first=first)
    assert (head.status, head.minor, head.reason) == (status, minor, reason)
