"""Responses on their way to the client: the upstream's bytes, the hop's own fields gone, framing written anew.

The numbers are those of docs/http.md.
"""

from __future__ import annotations

import gzip
from email.utils import formatdate

import pytest

from tests.proxy.bench import Bench
from tests.proxy.wire import GET, Response
from tests.support.upstream import Connection

HEAD = b"HEAD / HTTP/1.1\r\nHost: h\r\n\r\n"
OLD = b"GET / HTTP/1.0\r\nHost: h\r\n\r\n"
OLD_KEEP = b"GET / HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n"


def answer(*lines: bytes, body: bytes = b"", status: bytes = b"200 OK") -> bytes:
    """Write a response with a length."""
    head = b"".join(line + b"\r\n" for line in (*lines, b"Content-Length: %d" % len(body)))
    return b"HTTP/1.1 " + status + b"\r\n" + head + b"\r\n" + body


def relayed(response: Response) -> list[bytes]:
    """Return the lines a client got, but for what the proxy adds to every response."""
    added = (b"Via:", b"Vary:", b"Content-Length:", b"Date: " + now()[:16])
    return [line for line in response.lines if not line.startswith(added)]


def now() -> bytes:
    """Return the time as Date says it."""
    return formatdate(usegmt=True).encode()


KEPT = [
    pytest.param([b"Set-Cookie: a=1", b"set-cookie: b=2", b"SET-COOKIE: c=3"], id="http-53 cookies, never folded"),
    pytest.param([b"Trailers: x"], id="http-54 a name that only looks like a hop's"),
    pytest.param([b"X-A: a\xe4\xff\x80b"], id="http-11 bytes above ASCII"),
    pytest.param([b"Date: Tue, 15 Nov 1994 08:12:31 GMT", b"Server: old/1.0"], id="http-56 Date and Server"),
    pytest.param([b"Location: http://elsewhere.example/\xe4"], id="http-72 a redirect to elsewhere"),
    pytest.param([b'WWW-Authenticate: Basic realm="x"', b"WWW-Authenticate: Digest y"], id="challenges on two lines"),
    pytest.param([b"X-B: 1", b"X-A: 2", b"X-B: 3"], id="order and repetition"),
]


@pytest.mark.parametrize("lines", KEPT)
def test_lines_come_back_as_they_were(bench: Bench, lines: list[bytes]) -> None:
    """Nothing is folded, reordered or invented: no Content-Type, no Server (http-56); a missing Date is."""
    bench.answering(answer(*lines, body=b"ok"))
    response = bench.ask(GET)
    assert relayed(response) == lines
    assert response.body == b"ok"


STRIPPED = [
    pytest.param([b"Connection: close, X-Int", b"X-Int: 1"], id="http-54 what Connection names"),
    pytest.param([b"Connection:", b"Connection: x-int", b"X-Int: 1"], id="http-54 a second Connection line"),
    pytest.param([b"Keep-Alive: timeout=5"], id="http-54 Keep-Alive"),
    pytest.param([b"Proxy-Authenticate: Basic"], id="http-54 Proxy-Authenticate"),
    pytest.param([b"Proxy-Connection: close"], id="http-54 Proxy-Connection"),
    pytest.param([b"Upgrade: h2c"], id="http-54 Upgrade"),
    pytest.param([b"TE: trailers"], id="http-54 TE"),
    pytest.param([b"Trailer: X-T"], id="http-54 Trailer"),
]


@pytest.mark.parametrize("lines", STRIPPED)
def test_lines_for_one_hop_stay_here(bench: Bench, lines: list[bytes]) -> None:
    """The client gets none of them, and its own connection stays open."""
    bench.answering(answer(*lines, b"X-Last: 1", body=b"ok"))
    with bench.client() as client:
        for _ in range(2):
            client.send(GET)
            response = client.read_response()
            assert relayed(response) == [b"X-Last: 1"]
            assert response.body == b"ok"


def test_http_54_connection_cannot_take_away_the_length(bench: Bench) -> None:
    """http-54: a Connection line that names Content-Length, Set-Cookie or Vary does not unframe the response."""
    bench.answering(
        answer(b"Connection: Content-Length, Set-Cookie, Vary", b"Set-Cookie: a=b", b"Vary: Accept", body=b"ok")
    )
    response = bench.ask(GET)
    assert (response.body, response.whole) == (b"ok", True)
    assert response.values(b"Content-Length") == [b"2"]
    assert response.values(b"Set-Cookie") == [b"a=b"]
    assert response.values(b"Vary") == [b"Accept, Origin"]


def test_http_55_coded_content_stays_coded(bench: Bench) -> None:
    """http-55: gzip comes through byte for byte, both ways, with its length."""
    packed = gzip.compress(b"hello" * 1000)
    bench.answering(answer(b"Content-Encoding: gzip", body=packed))
    response = bench.ask(
        b"POST / HTTP/1.1\r\nHost: h\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%b" % (len(packed), packed)
    )
    assert response.values(b"Content-Encoding") == [b"gzip"]
    assert (response.body, bench.request.body) == (packed, packed)


TRUNCATED = [
    pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", id="http-57 a length"),
    pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", id="http-58 chunks"),
    pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", id="http-58 inside a chunk"),
    pytest.param(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n", id="http-58 inside the last chunk"
    ),
    pytest.param(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\nzz\r\n", id="http-58 an invalid chunk"
    ),
]


@pytest.mark.parametrize("response_bytes", TRUNCATED)
@pytest.mark.parametrize("request_bytes", [GET, OLD], ids=["HTTP/1.1 client", "HTTP/1.0 client"])
def test_a_cut_response_stays_cut(bench: Bench, response_bytes: bytes, request_bytes: bytes) -> None:
    """http-57, http-58: the client sees that the end is missing; no end is made up."""
    bench.answering_and_closing(response_bytes)
    with bench.client() as client:
        client.send(request_bytes)
        response = client.read_response()
        if response.status == 502:
            return  # it was known to be cut before anything had been sent
        assert response.status == 200
        assert not response.whole
        assert b"0\r\n\r\n" not in response.raw_body
        assert client.ended == ("closed" if request_bytes == GET or b"Content-Length" in response_bytes else "reset")


def test_http_57_what_came_before_the_cut_is_delivered(bench: Bench) -> None:
    """http-57: the client gets the bytes that there were, then the end."""
    bench.script = cut_after_a_while
    with bench.client() as client:
        client.send(GET)
        response = client.read_response()
    assert (response.status, response.body, response.whole) == (200, b"a" * 100_000, False)


def cut_after_a_while(connection: Connection) -> None:
    """Send less than was promised, and close."""
    connection.read_request()
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n")
    connection.send(b"a" * 100_000)


def test_http_59_content_up_to_the_end_of_the_connection(bench: Bench) -> None:
    """http-59: an HTTP/1.1 client gets it in chunks and may go on; an HTTP/1.0 client gets it up to the end."""
    for version in (b"1.0", b"1.1"):
        bench.answering_and_closing(b"HTTP/" + version + b" 200 OK\r\n\r\nabc")
        with bench.client() as client:
            for _ in range(2):
                client.send(GET)
                response = client.read_response()
                assert (response.body, response.whole) == (b"abc", True)
                assert response.values(b"Transfer-Encoding") == [b"chunked"]
                assert response.values(b"Content-Length") == []
        for request in (OLD, OLD_KEEP):
            with bench.client() as client:
                client.send(request)
                response = client.read_response()
                assert (response.body, response.whole) == (b"abc", True)
                assert response.values(b"Transfer-Encoding") == []
                assert response.values(b"Connection") == [b"close"]


def test_http_59_chunks_for_an_http_1_0_client(bench: Bench) -> None:
    """http-59: chunks are undone for a client that does not know them, and the end of the connection is the end."""
    bench.answering(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
    response = bench.ask(OLD_KEEP)
    assert (response.body, response.values(b"Transfer-Encoding")) == (b"abc", [])
    assert response.values(b"Connection") == [b"close"]


def test_http_59_an_http_1_0_client_may_keep_its_connection(bench: Bench) -> None:
    """http-59: where the length is known, `Connection: keep-alive` is honoured and said."""
    bench.answering(answer(body=b"abc"))
    with bench.client() as client:
        for _ in range(2):
            client.send(OLD_KEEP)
            response = client.read_response()
            assert response.values(b"Connection") == [b"keep-alive"]
            assert response.body == b"abc"
        client.send(OLD)
        assert client.read_response().values(b"Connection") == [b"close"]
        assert client.read_to_end() == b""


WITHOUT_CONTENT = [
    pytest.param(HEAD, b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n", [b"50"], id="http-60 HEAD keeps the length"),
    pytest.param(HEAD, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", [], id="http-60 HEAD and chunks"),
    pytest.param(HEAD, b"HTTP/1.1 200 OK\r\n\r\n", [], id="http-60 HEAD without a length"),
    pytest.param(GET, b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", [], id="http-61 204 has no length"),
    pytest.param(GET, b"HTTP/1.1 304 Not Modified\r\nContent-Length: 50\r\n\r\n", [b"50"], id="http-61 304"),
    pytest.param(GET, b"HTTP/1.1 205 Reset\r\nContent-Length: 3\r\n\r\nabc", [b"0"], id="http-63 205 has no content"),
    pytest.param(
        GET, b"HTTP/1.1 205 Reset\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", [b"0"], id="http-63 205 in chunks"
    ),
    pytest.param(GET, b"HTTP/1.1 205 Reset\r\n\r\n", [b"0"], id="http-63 205 whose end nothing tells"),
    pytest.param(GET, b"HTTP/1.1 205 Reset\n\n", [b"0"], id="http-63 205 whose end nothing tells, of an old server"),
]


@pytest.mark.parametrize(("request_bytes", "response_bytes", "lengths"), WITHOUT_CONTENT)
def test_responses_without_content(
    bench: Bench, request_bytes: bytes, response_bytes: bytes, lengths: list[bytes]
) -> None:
    """No byte of content is sent where none may be, and the connection carries the next request."""
    bench.answering(response_bytes)
    with bench.client() as client:
        for _ in range(2):
            client.send(request_bytes)
            head = client.read_head()
            assert head.values(b"Content-Length") == lengths
            assert head.values(b"Transfer-Encoding") == []
        client.finish_sending()
        assert client.read_to_end() == b""


@pytest.mark.parametrize(
    ("request_bytes", "response_bytes"),
    [
        (HEAD, b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"),
        (HEAD, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
        (GET, b"HTTP/1.1 204 No Content\r\n\r\nabc"),
        (GET, b"HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"),
        (GET, b"HTTP/1.1 304 Not Modified\r\n\r\nabc"),
        (GET, b"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        (GET, b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ],
)
@pytest.mark.parametrize("cut", [0, 1, 5])
def test_http_62_content_that_may_not_be_there(
    bench: Bench, request_bytes: bytes, response_bytes: bytes, cut: int
) -> None:
    """http-62: the response is passed on, what follows is dropped, and the next request has a clean connection.

    `cut` is where behind the head a segment ends; 0 is nowhere.
    """
    head = response_bytes.index(b"\r\n\r\n") + 4

    def script(connection: Connection) -> None:
        connection.read_request()
        if cut:
            connection.send(response_bytes[: head + cut - 1])
            connection.send(response_bytes[head + cut - 1 :])
        else:
            connection.send(response_bytes)
        connection.read_to_end()

    bench.script = script
    with bench.client() as client:
        client.send(request_bytes)
        response = client.read_response(to=request_bytes.split()[0].decode())
        assert response.status_line == response_bytes.split(b"\r\n")[0]
        bench.answering(answer(body=b"clean"))
        client.send(GET)
        assert client.read_response().body == b"clean"
        assert not client.received
    assert len(bench.connections) == 2


INVALID = [
    pytest.param(
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        id="http-64 length and chunks",
    ),
    pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 4\r\n\r\nhello", id="http-64 two lengths"),
    pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 2, 3\r\n\r\nok", id="http-64 a list of lengths"),
    pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok", id="http-64 a negative length"),
    pytest.param(b"HTTP/1.1 200 OK\r\nX: a\x01b\r\nContent-Length: 2\r\n\r\nok", id="http-65 a control character"),
    pytest.param(b"HTTP/1.1 200 OK\r\nX: a\x7fb\r\nContent-Length: 2\r\n\r\nok", id="http-65 DEL"),
    pytest.param(b"HTTP/1.1 099 x\r\nContent-Length: 0\r\n\r\n", id="http-67 status 099"),
    pytest.param(b"HTTP/1.1 20 x\r\nContent-Length: 0\r\n\r\n", id="http-67 status 20"),
    pytest.param(b"HTTP/1.1 1000 x\r\nContent-Length: 0\r\n\r\n", id="http-67 status 1000"),
    pytest.param(b"HTTP/2 200 x\r\nContent-Length: 0\r\n\r\n", id="http-67 HTTP/2"),
    pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", id="http-71 gzip, chunked"),
    pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nxx", id="http-71 gzip"),
    pytest.param(
        b"HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", id="http-73 101 to no upgrade request"
    ),
    pytest.param(b"HTTP/1.1 199 x\r\n\r\n", id="http-67 a final 1xx: nothing follows it"),
    pytest.param(b"nonsense\r\n\r\n", id="no HTTP at all"),
    pytest.param(b"", id="nothing at all"),
]


@pytest.mark.parametrize("response_bytes", INVALID)
def test_invalid_responses_are_502(bench: Bench, response_bytes: bytes) -> None:
    """http-79, http-80: a generic text, the grant of the route, and nothing of the upstream's bytes or name."""
    bench.answering_and_closing(response_bytes)
    response = bench.ask(GET.replace(b"\r\n\r\n", b"\r\nOrigin: https://app.example\r\n\r\n"))
    assert response.status == 502
    assert response.values(b"Access-Control-Allow-Origin") == [b"https://app.example"]
    assert response.values(b"Vary") == [b"Origin"]
    assert b"127.0.0.1" not in response.body
    assert b"Traceback" not in response.body


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (b"200 ", b"HTTP/1.1 200 "),
        (b"200", b"HTTP/1.1 200 "),
        (b"200 Fine \xe4 (really)", b"HTTP/1.1 200 Fine \xe4 (really)"),
        (b"299 x", b"HTTP/1.1 299 x"),
        (b"600 x", b"HTTP/1.1 600 x"),
        (b"999 x", b"HTTP/1.1 999 x"),
    ],
)
def test_http_68_the_status_line(bench: Bench, status: bytes, expected: bytes) -> None:
    """http-67, http-68: any status from 200 up, and the reason phrase as it was."""
    bench.answering(answer(status=status))
    assert bench.ask(GET).status_line == expected


@pytest.mark.parametrize(
    ("response_bytes", "value"),
    [
        (b"HTTP/1.1 200 OK\r\nX: a\r\n  b\r\nContent-Length: 0\r\n\r\n", b"a b"),
        (b"HTTP/1.1 200 OK\nX: a\nContent-Length: 0\n\n", b"a"),
    ],
)
def test_http_66_old_ways_of_writing_a_head(bench: Bench, response_bytes: bytes, value: bytes) -> None:
    """http-66: a folded line comes out on one line, a bare LF as CRLF."""
    bench.answering(response_bytes)
    response = bench.ask(GET)
    assert response.values(b"X") == [value]
    assert response.head.count(b"\n") == response.head.count(b"\r\n")


def test_http_69_interim_responses(bench: Bench) -> None:
    """http-69: what is not 100 or 101 goes to an HTTP/1.1 client as it comes, and to no HTTP/1.0 client."""
    bench.answering(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nConnection: x\r\n"
        b"Access-Control-Allow-Origin: *\r\n\r\n" + answer(body=b"ok")
    )
    with bench.client() as client:
        client.send(GET)
        interim = client.read_head()
        assert interim.status_line == b"HTTP/1.1 103 Early Hints"
        assert interim.lines == [b"Link: </a.css>"]
        assert client.read_response().body == b"ok"
    with bench.client() as client:
        client.send(OLD)
        assert client.read_head().status == 200


def test_http_69_an_interim_response_does_not_wait(bench: Bench) -> None:
    """http-69: the client has the hints while the upstream still works on its answer."""
    with bench.client() as client:

        def script(connection: Connection) -> None:
            connection.read_request()
            connection.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
            connection.read_until(b"\r\n\r\n")  # the second request of the test: the client has seen the first head

        bench.script = script
        client.send(GET)
        assert client.read_head().status == 103


TRAILED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n1\r\na\r\n0\r\nX-T: 1\r\nX-T: 2\r\n\r\n"
)


@pytest.mark.parametrize(
    ("fields", "trailers", "announced"),
    [
        (b"", b"", []),
        (b"TE: gzip\r\n", b"", []),
        (b"TE: trailers\r\nConnection: TE\r\n", b"X-T: 1\r\nX-T: 2\r\n", [b"X-T"]),
        (b"TE: gzip, Trailers\r\n", b"X-T: 1\r\nX-T: 2\r\n", [b"X-T"]),
    ],
)
def test_http_70_trailer_fields(bench: Bench, fields: bytes, trailers: bytes, announced: list[bytes]) -> None:
    """http-70: only a client that said `TE: trailers` gets them."""
    bench.answering(TRAILED)
    response = bench.ask(GET.replace(b"\r\n\r\n", b"\r\n" + fields + b"\r\n"))
    assert (response.body, response.trailers) == (b"a", trailers)
    assert response.values(b"Trailer") == announced


@pytest.mark.parametrize(
    ("announced", "passed_on"),
    [
        ([b"Access-Control-Allow-Origin"], []),
        ([b"X-T, access-control-allow-origin ,, Set-Cookie"], [b"X-T"]),
        ([b"Vary", b"X-T"], [b"X-T"]),
        ([b""], []),
    ],
)
def test_http_70_names_of_trailers_that_never_come(
    bench: Bench, announced: list[bytes], passed_on: list[bytes]
) -> None:
    """http-70: what is removed behind the content is not announced before it."""
    lines = b"".join(b"Trailer: %b\r\n" % names for names in announced)
    bench.answering(TRAILED.replace(b"Trailer: X-T\r\n", lines).replace(b"X-T: 2", b"Access-Control-Allow-Origin: *"))
    response = bench.ask(GET.replace(b"\r\n\r\n", b"\r\nTE: trailers\r\n\r\n"))
    assert (response.values(b"Trailer"), response.trailers) == (passed_on, b"X-T: 1\r\n")


@pytest.mark.parametrize("status", [b"301", b"302", b"303", b"307", b"308"])
def test_http_72_redirects_are_not_followed(bench: Bench, status: bytes) -> None:
    """http-72: the client gets the redirect with the grant, and the upstream was asked once."""
    bench.answering(answer(b"Location: http://elsewhere.example/", status=status + b" x"))
    response = bench.ask(GET.replace(b"\r\n\r\n", b"\r\nOrigin: https://app.example\r\n\r\n"))
    assert response.status == int(status)
    assert response.values(b"Location") == [b"http://elsewhere.example/"]
    assert response.values(b"Access-Control-Allow-Origin") == [b"https://app.example"]
    assert len(bench.requests) == 1


def test_http_74_a_large_head(bench: Bench) -> None:
    """http-74: 60 KiB in one line and 500 lines come through."""
    lines = [b"X: " + b"a" * 60_000, *(b"Set-Cookie: c%d=x" % number for number in range(500))]
    bench.answering(answer(*lines))
    assert relayed(bench.ask(GET)) == lines


def test_http_74_a_head_without_end(bench: Bench) -> None:
    """http-74: memory for a head is bounded, somewhere above 256 KiB."""
    bench.answering(answer(*[b"X: " + b"a" * 60_000] * 10))
    assert bench.ask(GET).status == 502


def test_http_84_bytes_behind_a_response(bench: Bench) -> None:
    """http-84: a connection with more on it than was asked for is not used again."""
    bench.answering(answer(body=b"first") + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
    with bench.client() as client:
        for _ in range(3):
            client.send(GET)
            assert client.read_response().body == b"first"
    assert [len(connection.requests) for connection in bench.connections] == [1, 1, 1]
