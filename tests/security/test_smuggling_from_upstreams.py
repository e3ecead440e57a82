"""An upstream tries to have the bytes of one response read as another response, or as something else."""

from __future__ import annotations

import pytest

from corsproxy.proxy.errors import UpstreamError, UpstreamErrorKind
from corsproxy.proxy.upstream.reader import ResponseReader
from tests.proxy.bench import ORIGIN, Bench
from tests.support.upstream import OK, Connection

ASK = b"GET /%b HTTP/1.1\r\nHost: h\r\nOrigin: " + ORIGIN.encode() + b"\r\n\r\n"

INTERIM = [
    pytest.param(b"HTTP/1.1 104 Early\r\nContent-Length: 5\r\n\r\nEVIL!", id="a length"),
    pytest.param(b"HTTP/1.1 104 Early\r\nContent-Length: 40\r\n\r\n", id="a length that reaches over the final head"),
    pytest.param(b"HTTP/1.1 104 Early\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nEVIL!\r\n0\r\n\r\n", id="chunks"),
    pytest.param(b"HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\nEVIL!", id="a length on 100"),
    pytest.param(b"HTTP/1.1 103 Early Hints\r\nTransfer-Encoding: chunked\r\n\r\n", id="a coding on 103"),
]


@pytest.mark.parametrize("interim", INTERIM)
def test_an_interim_response_that_announces_content_is_refused(bench: Bench, interim: bytes) -> None:
    """Its content would precede that of the final response, whose length counts both."""
    bench.answering(interim + OK)
    with bench.client() as client:
        client.send(ASK % b"a")
        assert client.read_response().status == 502
        bench.answering(OK)
        client.send(ASK % b"b")
        response = client.read_response()
    assert (response.status, response.body) == (200, b"ok")
    assert client.received == b""


def test_an_interim_response_with_a_length_of_nothing_passes(bench: Bench) -> None:
    """Old servers write it, and it announces no content."""
    bench.answering(b"HTTP/1.1 100 Continue\r\nContent-Length: 0\r\n\r\n" + OK)
    assert bench.ask(ASK % b"a").body == b"ok"


@pytest.mark.parametrize(
    "name",
    [b"Content-Length 2Content-Length", b"Connection x", b"Transfer-Encoding y", b"Upgrade\xa0", b"Content-Length\x0b"],
)
@pytest.mark.parametrize("cut", [0, 20])
def test_a_field_name_with_a_space_is_refused(name: bytes, cut: int) -> None:
    """A browser may read another name there than we do."""
    reader = ResponseReader()
    reader.start(is_head_request=False, expects_upgrade=False)
    data = b"HTTP/1.1 200 OK\r\n" + name + b": 2\r\nContent-Length: 2\r\n\r\nok"
    reader.feed(data[:cut])
    with pytest.raises(UpstreamError) as raised:
        reader.feed(data[cut:])
    assert raised.value.kind is UpstreamErrorKind.PROTOCOL


def test_a_content_length_of_thousands_of_digits_is_a_bad_answer_and_no_fault_of_ours(bench: Bench) -> None:
    """502, and nothing in the log but that."""
    bench.answering(b"HTTP/1.1 200 OK\r\nContent-Length: " + b"0" * 5000 + b"2\r\n\r\nok")
    response = bench.ask(ASK % b"a")
    assert response.status == 502
    assert b"Access-Control-Allow-Origin: " + ORIGIN.encode() in response.lines


POISON = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nPOISON"


@pytest.mark.parametrize(
    "framing", [b"Content-Length: 2\r\n\r\nok", b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"]
)
@pytest.mark.parametrize("surplus", [POISON, POISON[:1], b"\r\n" + POISON, b"0\r\n\r\n"])
def test_what_follows_a_whole_response_reaches_nobody(bench: Bench, framing: bytes, surplus: bytes) -> None:
    """Pipelined requests too, whose turn comes in the very moment in which the response is whole."""

    def script(connection: Connection) -> None:
        connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\n" + framing + surplus)
        connection.read_to_end()

    bench.script = script
    with bench.client() as client:
        client.send(ASK % b"a" + ASK % b"b" + ASK % b"c")
        assert [client.read_response().body for _ in range(3)] == [b"ok"] * 3
    assert [connection.requests[0].line.split()[1] for connection in bench.connections] == [b"/a", b"/b", b"/c"]
