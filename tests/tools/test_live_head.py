"""The head of a response, read as a browser reads it."""

from __future__ import annotations

import pytest

from corsproxy.tools.browser import Answer
from corsproxy.tools.live.head import MAX_HEAD, HeadReader, NoHeadError

OK = b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n"
READ = Answer(200, (("A", "b"),))


@pytest.mark.parametrize(
    ("received", "answer"),
    [
        pytest.param(OK, READ, id="a plain head"),
        pytest.param(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK, READ, id="early hints come before it"),
        pytest.param(b"HTTP/1.1 102 Processing\r\n\r\n" * 3 + OK, READ, id="as many interim responses as come"),
        pytest.param(b"HTTP/1.1 101 Switching Protocols\r\n\r\n", Answer(101), id="101 is final"),
        pytest.param(b"HTTP/1.1 200 OK\nA: b\n\n", READ, id="bare line feeds"),
        pytest.param(b"\r\nHTTP/1.0 200\r\nA :b \r\n\r\n", READ, id="no phrase, an empty line before, a space"),
        pytest.param(b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", Answer(200, (("A", "b c"),)), id="a folded line"),
        pytest.param(b"HTTP/1.1 200 OK\r\nno colon\r\nA: b\r\n\r\n", READ, id="a line without a colon"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 5000 + b"\r\n", Answer(200, (("A", "b"),) * 5000), id="many lines"
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nA: " + b"b" * 100_000 + b"\r\n\r\n",
            Answer(200, (("A", "b" * 100_000),)),
            id="a long line",
        ),
    ],
)
def test_responses_that_browsers_accept(received: bytes, answer: Answer) -> None:
    """It is an answer, however its bytes are cut."""
    for cut in {0, 1, len(received) // 2, len(received) - 1}:
        reader = HeadReader()
        assert reader.feed(received[:cut]) is None
        assert reader.feed(received[cut:] + b"content") == answer
        assert reader.content == b"content"


@pytest.mark.parametrize("received", [b"SSH-2.0-OpenSSH_9.2\r\n", b"\x16\x03\x01", b"HTTP/1.1 OK\r\n\r\n"])
def test_bytes_that_are_not_a_response(received: bytes) -> None:
    """It is reported as soon as no further byte could make it a response."""
    with pytest.raises(NoHeadError):
        HeadReader().feed(received)


def test_a_head_has_an_end() -> None:
    """Memory is bounded by the limit of browsers, separately for each head."""
    long = b"HTTP/1.1 103 Early Hints\r\nA: " + b"a" * (MAX_HEAD - 1000) + b"\r\n\r\n"
    assert HeadReader().feed(long + long + OK) == READ
    with pytest.raises(NoHeadError):
        HeadReader().feed(b"HTTP/1.1 200 OK\r\nA: " + b"a" * MAX_HEAD)
