"""Requests whose framing two servers could read differently never reach an upstream; all others arrive as sent.

The numbers are those of docs/http.md.
"""

from __future__ import annotations

import pytest

from tests.proxy.bench import Bench, bench_for, configuration
from tests.proxy.wire import GET
from tests.support.upstream import Connection

POST = b"POST /p HTTP/1.1\r\nHost: h\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"

REFUSED = [
    pytest.param(
        POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", {400}, id="http-1 length and chunks"
    ),
    pytest.param(
        POST + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", {400}, id="http-1 chunks and length"
    ),
    pytest.param(POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", {400}, id="http-2 two lengths"),
    pytest.param(POST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", {400}, id="http-2 two equal lengths"),
    pytest.param(POST + b"Content-Length: 3, 3\r\n\r\nabc", {400}, id="http-3 a list of lengths"),
    pytest.param(POST + b"Content-Length: +3\r\n\r\nabc", {400}, id="http-3 a length with a plus"),
    pytest.param(POST + b"Content-Length: -1\r\n\r\nabc", {400}, id="http-3 a negative length"),
    pytest.param(POST + b"Content-Length:\r\n\r\nabc", {400}, id="http-3 an empty length"),
    pytest.param(POST + b"Content-Length: 3 3\r\n\r\nabc", {400}, id="http-3 two lengths behind a space"),
    pytest.param(POST + b"Content-Length: 18446744073709551617\r\n\r\nabc", {400}, id="http-3 a length beyond 64 bits"),
    pytest.param(POST + b"Content-Length: 9223372036854775808\r\n\r\nabc", {400}, id="http-3 a length of 2^63"),
    pytest.param(POST + b"Content-Length: 18446744073709551615\r\n\r\nabc", {400}, id="http-3 a length of 2^64 - 1"),
    pytest.param(POST + b"Content-Length: 18446744073709551616\r\n\r\nabc", {400}, id="http-3 a length of 2^64"),
    pytest.param(POST + b"Content-Length: 00000000000000000003\r\n\r\nabc", {400}, id="http-3 a length of 20 digits"),
    pytest.param(POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", {400, 501}, id="http-4 xchunked"),
    pytest.param(POST + b"Transfer-Encoding: identity\r\n\r\n0\r\n\r\n", {400, 501}, id="http-4 identity"),
    pytest.param(
        POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", {400, 501}, id="http-4 identity last"
    ),
    pytest.param(POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", {400, 501}, id="http-4 chunked twice"),
    pytest.param(
        POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        {400, 501},
        id="http-4 chunked on two lines",
    ),
    pytest.param(POST + b"Transfer-Encoding:\r\n\r\n0\r\n\r\n", {400, 501}, id="http-4 an empty coding"),
    pytest.param(POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", {400}, id="http-4 a VT before the coding"),
    pytest.param(POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", {501}, id="http-5 gzip, chunked"),
    pytest.param(
        POST + b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        {400, 501},
        id="http-5 gzip and chunked on two lines",
    ),
    pytest.param(
        b"POST /p HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
        {400},
        id="http-6 chunks in HTTP/1.0",
    ),
    pytest.param(CHUNKED + b"0x3\r\nabc\r\n0\r\n\r\n", {400}, id="http-7 a chunk size with 0x"),
    pytest.param(CHUNKED + b"-3\r\nabc\r\n0\r\n\r\n", {400}, id="http-7 a negative chunk size"),
    pytest.param(CHUNKED + b"3 \r\nabc\r\n0\r\n\r\n", {400}, id="http-7 a space behind a chunk size"),
    pytest.param(CHUNKED + b"fffffffffffffffff\r\nabc\r\n0\r\n\r\n", {400}, id="http-7 a chunk size beyond 64 bits"),
    pytest.param(CHUNKED + b"3\r\nabcdef0\r\n\r\n", {400}, id="http-7 no CRLF behind a chunk"),
    pytest.param(CHUNKED + b"3;a\nb\r\nabc\r\n0\r\n\r\n", {400}, id="http-7 a LF inside a chunk extension"),
    pytest.param(CHUNKED + b"3\nabc\n0\n\n", {400}, id="http-7 chunks with bare LF"),
    pytest.param(b"GET / HTTP/1.1\nHost: h\n\n", {400}, id="http-9 bare LF"),
    pytest.param(b"GET / HTTP/1.1\rHost: h\r\r", {400}, id="http-9 bare CR"),
    pytest.param(b"GET / HTTP/1.1\r\nHost: h\r\nX: a\rb\r\n\r\n", {400}, id="http-9 a bare CR inside a value"),
    pytest.param(b"GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n", {400}, id="http-9 a folded line"),
    pytest.param(b"GET / HTTP/1.1\r\n Host: h\r\n\r\n", {400}, id="http-9 a first line that is folded"),
    pytest.param(b"GET / HTTP/1.1\r\nHost : h\r\n\r\n", {400}, id="http-9 a space before the colon"),
    pytest.param(b"GET / HTTP/1.1\r\nHost: h\r\n: x\r\n\r\n", {400}, id="http-9 an empty name"),
    pytest.param(b"GET / HTTP/1.1\r\nHost: h\r\nX(A: 1\r\n\r\n", {400}, id="http-9 a name that is no token"),
    pytest.param(b"GET / HTTP/1.1\r\nHost: h\r\nno colon\r\n\r\n", {400}, id="http-9 a line without a colon"),
    pytest.param(b"GET / HTTP/1.1\r\nHost: h\r\nX: a\x00b\r\n\r\n", {400}, id="http-10 NUL"),
    pytest.param(b"GET / HTTP/1.1\r\nHost: h\r\nX: a\x01b\r\n\r\n", {400}, id="http-10 0x01"),
    pytest.param(b"GET / HTTP/1.1\r\nHost: h\r\nX: a\x7fb\r\n\r\n", {400}, id="http-10 DEL"),
    pytest.param(b"GET / HTTP/1.1\r\nHost: h\r\nX: a\x0bb\r\n\r\n", {400}, id="http-10 VT"),
    pytest.param(b"GET / HTTP/1.1\r\n\r\n", {400}, id="http-12 no Host"),
    pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", {400}, id="http-12 two Hosts"),
    pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", {400}, id="http-12 two equal Hosts"),
    pytest.param(b"GET / HTTP/1.1\r\nHost: a b/c@d\r\n\r\n", {400}, id="http-13 a Host with a path"),
    pytest.param(b"GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", {400}, id="http-13 a list of Hosts"),
    pytest.param(b"GET / HTTP/1.1\r\nHost:\r\n\r\n", {400}, id="http-13 an empty Host"),
    pytest.param(b"GET / HTTP/1.1\r\nHost: u@h\r\n\r\n", {400}, id="http-13 a Host with user information"),
    pytest.param(b"GET / HTTP/1.1\r\nHost: :\r\n\r\n", {400}, id="http-13 a Host of a colon alone"),
    pytest.param(b"GET / HTTP/1.1\r\nHost: h::\r\n\r\n", {400}, id="http-13 a Host with two colons"),
    pytest.param(b"GET / HTTP/1.1\r\nHost: h:port\r\n\r\n", {400}, id="http-13 a port that is no number"),
    pytest.param(b"GET / HTTP/1.1\r\nHost: \xe4\r\n\r\n", {400}, id="http-13 a Host above ASCII"),
    pytest.param(b"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", {400}, id="http-13 an open bracket"),
    pytest.param(b"GET / HTTP/2.0\r\nHost: h\r\n\r\n", {400, 505}, id="http-14 HTTP/2.0"),
    pytest.param(b"GET / HTTP/0.9\r\nHost: h\r\n\r\n", {400, 505}, id="http-14 HTTP/0.9"),
    pytest.param(b"GET / HTTP/1.10\r\nHost: h\r\n\r\n", {400}, id="http-14 HTTP/1.10"),
    pytest.param(b"GET / RTSP/1.0\r\nHost: h\r\n\r\n", {400}, id="http-14 RTSP"),
    pytest.param(b"GET / RTSP/1.1\r\nHost: h\r\n\r\n", {400}, id="http-14 RTSP/1.1"),
    pytest.param(b"DESCRIBE rtsp://h/a RTSP/1.0\r\nHost: h\r\n\r\n", {400}, id="http-14 a method of RTSP"),
    pytest.param(b"SOURCE / ICE/1.0\r\nHost: h\r\n\r\n", {400}, id="http-14 ICE"),
    pytest.param(b"GET /a  HTTP/1.1\r\nHost: h\r\n\r\n", {400}, id="http-14 two spaces before the version"),
    pytest.param(b"GET  /a HTTP/1.1\r\nHost: h\r\n\r\n", {400}, id="http-14 two spaces before the target"),
    pytest.param(b"GET\t/a HTTP/1.1\r\nHost: h\r\n\r\n", {400}, id="http-14 a tab before the target"),
    pytest.param(b"GET /a\tHTTP/1.1\r\nHost: h\r\n\r\n", {400}, id="http-14 a tab before the version"),
    pytest.param(b"GET /a HTTP/1.1 \r\nHost: h\r\n\r\n", {400}, id="http-14 a space behind the version"),
    pytest.param(b"GET /a HTTP/1.1  \r\nHost: h\r\n\r\n", {400}, id="http-14 two spaces behind the version"),
    pytest.param(b"GET /a HTTP/1.0 \r\n\r\n", {400}, id="http-14 a space behind HTTP/1.0"),
    pytest.param(b" GET /a HTTP/1.1\r\nHost: h\r\n\r\n", {400}, id="http-14 a space before the method"),
    pytest.param(b"\nGET /a HTTP/1.1\r\nHost: h\r\n\r\n", {400}, id="http-17 a bare LF before the method"),
    pytest.param(b"GET /a  HTTP/1.2\r\nHost: h\r\n\r\n", {400}, id="http-14 two spaces before HTTP/1.2"),
    pytest.param(b"GET / HTTP/3\r\nHost: h\r\n\r\n", {400, 505}, id="http-14 HTTP/3"),
    pytest.param(b"GET /\r\n\r\n", {400}, id="http-14 no version"),
    pytest.param(b"GET /a\r\nHost: h\r\n\r\n", {400}, id="http-14 no version, and fields"),
    pytest.param(b"GET /a \r\nHost: h\r\n\r\n", {400}, id="http-14 no version, and a space"),
    pytest.param(b"GET / http/1.1\r\nHost: h\r\n\r\n", {400}, id="http-14 a version in lower case"),
    pytest.param(
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(64)), {400}, id="http-15 the hello of TLS"
    ),
    pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {400}, id="http-15 the preface of HTTP/2"),
    pytest.param(b"hello\r\n\r\n", {400, 501}, id="no HTTP at all"),
]


@pytest.mark.parametrize(("request_bytes", "statuses"), REFUSED)
def test_ambiguous_requests_are_refused(bench: Bench, request_bytes: bytes, statuses: set[int]) -> None:
    """The client gets an error, the connection is closed, and the upstream sees nothing."""
    with bench.client() as client:
        client.send(request_bytes + GET)
        response = client.read_response()
        assert response.status in statuses
        assert response.status_line.startswith(b"HTTP/1.1 ")
        assert response.values(b"Connection") == [b"close"]
        assert client.read_to_end() == b""
        assert client.ended == "closed"
    assert bench.upstream.connections == []


def read_all(connection: Connection) -> None:
    """Take everything and answer nothing."""
    connection.read_to_end()


@pytest.mark.parametrize(
    "chunks", [b"3\r\nabc\r\n0x3\r\nabc\r\n0\r\n\r\n", b"3\r\nabc\r\n3\r\nabcdef0\r\n\r\n", b"3\r\nabc\r\nz\r\n"]
)
def test_http_7_a_chunk_gone_wrong_behind_good_ones(bench: Bench, chunks: bytes) -> None:
    """http-7: the upstream has the beginning of the content already; it never sees an end of it."""
    bench.script = read_all
    with bench.client() as client:
        client.send(CHUNKED + b"3\r\nabc\r\n")
        bench.upstream.wait_for(lambda: bench.connections and bench.connections[0].received.endswith(b"abc\r\n"))
        client.send(chunks)
        assert client.read_response().status == 400
        client.read_to_end()
    bench.upstream.wait_for(lambda: bench.connections[0].ended)
    content = bytes(bench.connections[0].received).partition(b"\r\n\r\n")[2]
    assert content in {b"3\r\nabc\r\n" + more for more in (b"", b"3\r\nabc\r\n", b"6\r\nabcabc\r\n")}


def content_of(bench: Bench) -> tuple[list[bytes], list[bytes], bytes]:
    """Content-Length, Transfer-Encoding and content as the upstream got them."""
    request = bench.request
    return request.values(b"Content-Length"), request.values(b"Transfer-Encoding"), request.body


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"DELETE", b"OPTIONS", b"POST", b"PUT", b"PATCH", b"PROPFIND"])
def test_http_18_content_of_a_known_length(bench: Bench, method: bytes) -> None:
    """http-18, http-20: whatever the method, a length stays that length and no chunks are made of it."""
    bench.ask(method + b" / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc")
    assert content_of(bench) == ([b"3"], [], b"abc")


def test_http_3_a_length_of_nineteen_digits(bench: Bench) -> None:
    """http-3: leading zeros are digits like any other, and 19 of them are not too many."""
    assert bench.ask(POST + b"Content-Length: 0000000000000000003\r\n\r\nabc").status == 200
    assert bench.request.body == b"abc"


@pytest.mark.parametrize("method", [b"POST", b"PUT", b"PATCH"])
def test_http_19_no_content_is_said(bench: Bench, method: bytes) -> None:
    """http-19: methods that give meaning to content say that there is none, and no Content-Type is invented."""
    bench.ask(method + b" / HTTP/1.1\r\nHost: h\r\n\r\n")
    assert content_of(bench) == ([b"0"], [], b"")
    assert bench.request.values(b"Content-Type") == []


@pytest.mark.parametrize("method", [b"GET", b"DELETE", b"OPTIONS"])
def test_http_19_nothing_is_said_where_nothing_is_expected(bench: Bench, method: bytes) -> None:
    """http-19: other methods without content stay without a length."""
    bench.ask(method + b" / HTTP/1.1\r\nHost: h\r\n\r\n")
    assert content_of(bench) == ([], [], b"")


def test_http_20_chunks_stay_chunks(bench: Bench) -> None:
    """http-8, http-20: chunks arrive as chunks, extensions and trailer fields gone, and there is no length."""
    bench.ask(CHUNKED + b"3;a=b\r\nabc\r\n2 ; x = y\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\n")
    lengths, codings, body = content_of(bench)
    assert (lengths, codings) == ([], [b"chunked"])
    assert b"abc" in body
    assert b";" not in body
    assert b"X-Trailer" not in body
    assert body.endswith(b"\r\n0\r\n\r\n")


def test_http_20_an_empty_chunked_content(bench: Bench) -> None:
    """http-20: no content in chunks is said in chunks."""
    bench.ask(CHUNKED + b"0\r\n\r\n")
    assert content_of(bench) == ([], [b"chunked"], b"0\r\n\r\n")


def test_http_16_pipelined_requests(bench: Bench) -> None:
    """http-16: answered in their order on the one connection."""
    bench.answering(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1", b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2")
    with bench.client() as client:
        client.send(b"GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n")
        assert [client.read_response().body, client.read_response().body] == [b"1", b"2"]
    assert [request.line for request in bench.requests] == [b"GET /1 HTTP/1.1", b"GET /2 HTTP/1.1"]


def test_http_16_many_pipelined_requests_with_content(bench: Bench) -> None:
    """http-16: content between them, and more of them than are kept at once."""
    with bench.client() as client:
        client.send(b"".join(POST + b"Content-Length: 3\r\n\r\n%03d" % number for number in range(100)))
        assert [client.read_response().status for _ in range(100)] == [200] * 100
    assert [request.body for request in bench.requests] == [b"%03d" % number for number in range(100)]


def test_http_16_a_good_request_before_a_bad_one(bench: Bench) -> None:
    """http-16: what comes first is answered first."""
    with bench.client() as client:
        client.send(b"GET /1 HTTP/1.1\r\nHost: h\r\n\r\n")
        client.send(b"GET /2 HTTP/1.1\r\nHost : h\r\n\r\n")
        assert [client.read_response().status, client.read_response().status] == [200, 400]
        assert client.read_to_end() == b""
    assert [request.line for request in bench.requests] == [b"GET /1 HTTP/1.1"]


@pytest.mark.parametrize("minor", range(1, 10))
def test_http_14_a_later_minor_version_is_served_as_1_1(bench: Bench, minor: int) -> None:
    """http-14: RFC 9110 section 2.5; whole, in pieces, with content, and persistent like 1.1."""
    version = b" HTTP/1.%d\r\nHost: h\r\n" % minor
    with bench.client() as client:
        client.send(b"GET /a" + version + b"\r\n")
        first = client.read_response()
        client.send(b"PUT /b" + version[:9])
        client.send(version[9:] + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" + GET)
        assert [client.read_response().status, client.read_response().status] == [200, 200]
    assert first.status_line == b"HTTP/1.1 200 OK"
    assert [request.line for request in bench.requests] == [b"GET /a HTTP/1.1", b"PUT /b HTTP/1.1", b"GET / HTTP/1.1"]


def test_another_protocol_is_told_so() -> None:
    """http-15: who speaks TLS, HTTP/2 or nothing like HTTP sends no end of a head, and is not told that it was slow."""
    with bench_for(configuration(header_timeout="1s")) as bench:
        for data in (b"\x16\x03\x01\x02\x00\x01", b"PRI * HTTP/2.0\r\n\r\n", b"hello", b"GET / HTTP/1.1\nHost: h\n\n"):
            with bench.client() as client:
                client.send(data)
                assert client.read_response().status in {400, 501}


def test_http_17_empty_lines_before_a_request(bench: Bench) -> None:
    """http-17: an empty line or two before the request line are ignored."""
    assert bench.ask(b"\r\n\r\n" + GET).status == 200


def test_a_head_that_is_too_large(bench: Bench) -> None:
    """A whole head of more than `max_header_bytes` is 431, however it is made up, and the client gets to read that."""
    limit = 32 * 1024
    for fields in (b"X: %b\r\n" % (b"a" * limit), b"X: a\r\n" * (limit // 6), b"X: %b\r\n" % (b"a" * 900_000)):
        response = bench.ask(b"GET / HTTP/1.1\r\nHost: h\r\n" + fields + b"\r\n")
        assert (response.status, response.whole) == (431, True)
    assert bench.ask(b"GET /" + b"a" * limit + b" HTTP/1.1\r\nHost: h\r\n\r\n").status == 431
    assert bench.connections == []
    fits = b"X: %b\r\n" % (b"a" * (limit - 100))
    assert bench.ask(b"GET / HTTP/1.1\r\nHost: h\r\n" + fits + b"\r\n").status == 200


@pytest.mark.parametrize("whole", [True, False])
def test_a_head_of_too_many_lines(bench: Bench, whole: bool) -> None:
    """More than `max_header_lines` is 431, the head whole or not; so many are not too many."""
    for lines, status in ((127, 200), (128, 431), (4000, 431)):
        with bench.client() as client:
            client.send(b"GET / HTTP/1.1\r\n")
            client.send(b"Host: h\r\n" + b"a:\r\n" * lines + (b"\r\n" if whole or status == 200 else b""))
            assert client.read_response().status == status


def test_content_that_is_too_large(bench: Bench) -> None:
    """More than `max_body` is 413: by its length before the upstream is asked, in chunks as soon as it is seen."""
    size = 2 * 1024 * 1024
    announced = bench.ask(POST + b"Content-Length: %d\r\n\r\n" % (size + 1))
    assert (announced.status, announced.values(b"Connection")) == (413, [b"close"])
    assert bench.connections == []

    bench.script = read_all
    chunked = bench.ask(CHUNKED + b"%x\r\n%b\r\n0\r\n\r\n" % (size + 1, b"a" * (size + 1)))
    assert chunked.status == 413
    bench.upstream.wait_for(lambda: bench.connections and bench.connections[0].ended)
    assert not bench.connections[0].received.endswith(b"0\r\n\r\n")


def test_content_that_just_fits(bench: Bench) -> None:
    """`max_body` itself is allowed, both ways of saying it."""
    size = 2 * 1024 * 1024
    assert bench.ask(POST + b"Content-Length: %d\r\n\r\n%b" % (size, b"a" * size)).status == 200
    assert bench.ask(CHUNKED + b"%x\r\n%b\r\n0\r\n\r\n" % (size, b"a" * size)).status == 200
