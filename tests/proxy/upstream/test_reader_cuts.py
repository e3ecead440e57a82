"""Where the segments of a response end changes nothing, whatever is written, in strict and in lenient parsing."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from corsproxy.cors import is_cors_response_field
from corsproxy.proxy.errors import UpstreamError
from corsproxy.proxy.fields.names import RESPONSE_FIELDS, ResponseField
from corsproxy.proxy.upstream.reader import ResponseReader

PARTS = st.sampled_from(
    [
        b"HTTP/1.1 200 OK\r\n", b"HTTP/1.0 200 OK\r\n", b"HTTP/1.1 204 x\n", b"HTTP/1.1 103 x\r\n\r\n",
        b"HTTP/1.1 304 x\r\n", b"HTTP/1.1 100 x\r\n\r\n", b"HTTP/1.2 200 OK\r\n", b"\r\n", b"\n", b"\r", b"\x00", b" ",
        b":", b"a", b"X: y\r\n", b"X : y\n", b" fold\r\n", b"Oops\r\n", b"Content-Length: 3\r\n",
        b"Content-Length: 3, 3\r\n", b"Content-Length: 4\r\n", b"Transfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: identity\r\n", b"Connection: close\r\n", b"abc", b"3\r\nabc\r\n", b"3\nabc\n",
        b"0\r\n\r\n", b"0\r\nX-T: 1\r\nVary: a\r\n\r\n", b"0\n\n", b'1;x="y"\r\nz\r\n',
        b"Access-Control-Allow-Origin : *\r\n", b"access-control-allow-origin\x00: *\r\n",
    ]
)  # fmt: skip

STREAMS = st.lists(PARTS, max_size=12).map(b"".join) | st.lists(PARTS, max_size=10).map(
    lambda parts: b"HTTP/1.1 200 OK\r\n" + b"".join(parts)
)


def read(segments: list[bytes], *, is_head_request: bool, lenient: bool) -> object:
    """Return the result of a response that arrives in these segments, until no more is needed."""
    reader = ResponseReader(lenient=lenient)
    reader.start(is_head_request=is_head_request, expects_upgrade=False)
    try:
        for segment in filter(None, segments):
            reader.feed(segment)
    except UpstreamError as error:
        # How much of the content had been passed on before the fault does depend on the segments.
        return error.kind
    head = reader.head
    if head is None:
        return [interim.status for interim in reader.interim], reader.started
    fields = [line.line for line in head.fields]
    said = (head.status, head.minor, head.reason, fields, head.framing, head.length, head.keep_alive)
    return said, b"".join(reader.body), reader.trailers, reader.complete, reader.surplus, reader.oddities


@given(STREAMS, st.lists(st.integers(0, 200), max_size=6), st.booleans(), st.booleans())
@example(b"HTTP/1.1 204 x\r\n\r\nabc", [18], False, False)
@example(b"HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n3\nabc\n0\n\n", [40], False, True)
def test_segments_change_nothing(data: bytes, cuts: list[int], is_head_request: bool, lenient: bool) -> None:
    """Whole, in a few pieces, or byte by byte: the same head, the same content, the same faults."""
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    whole = read([data], is_head_request=is_head_request, lenient=lenient)
    pieces = [data[start:end] for start, end in pairwise(places)]
    assert read(pieces, is_head_request=is_head_request, lenient=lenient) == whole
    single = [data[at : at + 1] for at in range(len(data))]
    assert read(single, is_head_request=is_head_request, lenient=lenient) == whole


@given(STREAMS, st.booleans())
def test_no_field_slips_through(data: bytes, lenient: bool) -> None:
    """Every CORS field is known for one, no line holds another, and no trailer grants anything."""
    reader = ResponseReader(lenient=lenient)
    try:
        reader.feed(data)
    except UpstreamError:
        return
    for head in (*reader.interim, *([reader.head] if reader.head is not None else [])):
        for line in head.fields:
            assert line.line.count(b"\n") == line.line.count(b"\r") == 1
            assert line.meaning is RESPONSE_FIELDS[line.name]
            assert is_cors_response_field(line.name.strip(b" \t\x00")) == (line.meaning is ResponseField.CORS)
    assert not any(is_cors_response_field(name) for name, _ in reader.trailers)
