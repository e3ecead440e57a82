"""The states of an upstream's server, as its bytes move it, and which of its connections may carry another response."""

from __future__ import annotations

import pytest

from corsproxy.proxy.errors import UpstreamError, UpstreamErrorKind
from corsproxy.proxy.upstream.reader import ResponseReader, ServerState

IDLE, SEND_RESPONSE, SEND_BODY = ServerState.IDLE, ServerState.SEND_RESPONSE, ServerState.SEND_BODY
DONE, MUST_CLOSE = ServerState.DONE, ServerState.MUST_CLOSE
SWITCHED_PROTOCOL, ERROR = ServerState.SWITCHED_PROTOCOL, ServerState.ERROR

OK = b"HTTP/1.1 200 OK\r\n"
LENGTH = OK + b"Content-Length: 2\r\n\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def asked(*, lenient: bool = False) -> ResponseReader:
    """Return a reader to whose server a request has been sent."""
    reader = ResponseReader(lenient=lenient)
    reader.start(is_head_request=False, expects_upgrade=True, expects_continue=True)
    return reader


@pytest.mark.parametrize(
    ("segments", "states"),
    [
        pytest.param([b"HTTP/1.1 103 x\r\n\r\n", LENGTH, b"a", b"b"], [SEND_RESPONSE, SEND_BODY, SEND_BODY, DONE]),
        pytest.param([LENGTH + b"ab"], [DONE], id="a length, in one segment"),
        pytest.param([LENGTH + b"abc"], [MUST_CLOSE], id="bytes behind the end"),
        pytest.param([LENGTH + b"ab", b"c"], [DONE, MUST_CLOSE], id="bytes behind the end, later"),
        pytest.param([OK + b"Connection: close\r\nContent-Length: 0\r\n\r\n"], [MUST_CLOSE], id="announced"),
        pytest.param([b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"], [MUST_CLOSE], id="HTTP/1.0"),
        pytest.param([CHUNKED, b"1\r\na\r\n", b"0\r\n\r\n"], [SEND_BODY, SEND_BODY, DONE], id="chunks"),
        pytest.param([CHUNKED, b"0\r\n\r\nx"], [SEND_BODY, MUST_CLOSE], id="bytes behind the chunks"),
        pytest.param([b"HTTP/1.1 204 x\r\n\r\n"], [DONE], id="no content"),
        pytest.param([b"HTTP/1.1 204 x\r\n\r\nx"], [MUST_CLOSE], id="content where none is"),
        pytest.param([OK + b"\r\n", b"a", b""], [SEND_BODY, SEND_BODY, SEND_BODY], id="until the connection ends"),
        pytest.param(
            [b"HTTP/1.1 101 x\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", OK],
            [SWITCHED_PROTOCOL, SWITCHED_PROTOCOL],
            id="another protocol",
        ),
    ],
)
def test_states(segments: list[bytes], states: list[ServerState]) -> None:
    """Each segment leads to its state; the names are h11's."""
    reader = asked()
    for segment, state in zip(segments, states, strict=True):
        reader.feed(segment)
        assert reader.state is state
        assert reader.complete == (state in {DONE, MUST_CLOSE})


def test_what_lenient_parsing_has_taken_is_the_last_on_its_connection() -> None:
    """An oddity in the framing of chunks, which no head announces, is enough."""
    reader = asked(lenient=True)
    reader.feed(CHUNKED + b"1\r\na\r\n0\n\r\n")
    assert reader.state is MUST_CLOSE


@pytest.mark.parametrize("data", [b"", b"HTTP/1.1 200", LENGTH, LENGTH + b"a", CHUNKED + b"1\r\na\r\n"])
def test_an_early_end_is_an_error(data: bytes) -> None:
    """A message that is cut never becomes whole, and its connection carries nothing more."""
    reader = asked()
    if data:
        reader.feed(data)
    with pytest.raises(UpstreamError):
        reader.feed_eof()
    assert reader.state is ERROR
    assert reader.started is bool(data)
    reader.feed(b"b")
    assert reader.state is ERROR


@pytest.mark.parametrize("early", [b"H", LENGTH + b"ab", LENGTH + b"a"])
def test_a_response_before_its_request_is_nobodys(early: bytes) -> None:
    """A server that speaks first gets no request: a whole response is no better than half of one."""
    reader = ResponseReader()
    assert reader.state is IDLE
    reader.feed(early)
    assert reader.state not in {IDLE, DONE}
    with pytest.raises(UpstreamError, match="bytes before the request") as raised:
        reader.start(is_head_request=False, expects_upgrade=False)
    assert raised.value.kind is UpstreamErrorKind.PROTOCOL
