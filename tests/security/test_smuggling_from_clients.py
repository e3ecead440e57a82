"""A client tries to have bytes read as a different request, or as none.

Each attack leaves the connection such that the next request on it is answered rightly, or closed.
"""

from __future__ import annotations

import pytest

from tests.proxy.bench import Bench
from tests.support.upstream import OK, Connection

GET = b"GET %b HTTP/1.1\r\nHost: h\r\n\r\n"
WEBSOCKET = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAA\r\n"
H2C = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"


def post(path: bytes, fields: bytes, content: bytes) -> bytes:
    """Write a POST request whose framing is among `fields`."""
    return b"POST %b HTTP/1.1\r\nHost: h\r\n%b\r\n%b" % (path, fields, content)


def asked(bench: Bench, data: bytes, answers: int) -> tuple[list[int], list[bytes]]:
    """Send `data` on one connection: the statuses of all answers, and the paths that the upstream was asked for."""
    with bench.client() as client:
        client.send(data)
        statuses = [client.read_response().status for _ in range(answers)]
        client.finish_sending()
        assert client.read_to_end() == b""
    return statuses, [request.line.split()[1] for request in bench.requests]


def test_frames_behind_an_upgrade_go_into_its_tunnel_however_many_requests_stand_before_it(bench: Bench) -> None:
    """They are never read as a request, although the request before the upgrade is over before it."""
    early: list[bytes] = []

    def script(connection: Connection) -> None:
        while True:
            if connection.read_request().values(b"Upgrade"):
                connection.send(SWITCHED)
                early.append(connection.read_until(b"END"))
                connection.send(b"taken")
                return
            connection.send(OK)

    bench.script = script
    hidden = GET % b"/hidden" + b"END"
    with bench.client() as client:
        client.send(GET % b"/first" + b"GET /socket HTTP/1.1\r\nHost: h\r\n" + WEBSOCKET + b"\r\n" + hidden)
        assert client.read_response().body == b"ok"
        assert client.read_head().status == 101
        assert client.read_to_end() == b"taken"
    assert early == [hidden]
    assert [request.line for request in bench.requests] == [b"GET /first HTTP/1.1", b"GET /socket HTTP/1.1"]


def test_a_request_behind_a_declined_upgrade_is_answered_as_one(bench: Bench) -> None:
    """The upstream answers 200 to the handshake, and the connection goes on with HTTP."""
    handshake = b"GET /socket HTTP/1.1\r\nHost: h\r\n" + WEBSOCKET + b"\r\n"
    statuses, paths = asked(bench, GET % b"/a" + handshake + GET % b"/b", 3)
    assert statuses == [200, 200, 200]
    assert paths == [b"/a", b"/socket", b"/b"]


BEHIND = [
    pytest.param(post(b"/h2c", H2C + b"Content-Length: 5\r\n", b"hello"), id="content of known length"),
    pytest.param(post(b"/h2c", H2C + b"Transfer-Encoding: chunked\r\n", b"5\r\nhello\r\n0\r\n\r\n"), id="chunks"),
    pytest.param(GET % b"/h2c" * 31 + b"GET /h2c HTTP/1.1\r\nHost: h\r\n" + H2C + b"\r\n", id="a full queue before it"),
]


@pytest.mark.parametrize("before", BEHIND)
def test_nothing_is_taken_from_the_middle_of_what_stands_behind_another_upgrade(bench: Bench, before: bytes) -> None:
    """The parser loses bytes behind it; each request here is read from where it begins."""
    smuggled = GET % b"/smuggled"
    innocent = post(b"/innocent", b"Content-Length: %d\r\n" % len(smuggled), smuggled)
    count = before.count(b"/h2c")
    with bench.client() as client:
        client.send(before + innocent)
        assert [client.read_response().status for _ in range(count + 1)] == [200] * (count + 1)
    assert [request.line.split()[1] for request in bench.requests] == [b"/h2c"] * count + [b"/innocent"]
    assert bench.requests[-1].body == smuggled


def test_an_upgrade_that_is_not_offered_costs_a_request_without_content_nothing(bench: Bench) -> None:
    """Clients that ask for h2c each time keep their connection."""
    data = (b"GET /h2c HTTP/1.1\r\nHost: h\r\n" + H2C + b"\r\n") * 3 + GET % b"/next"
    statuses, paths = asked(bench, data, 4)
    assert statuses == [200] * 4
    assert paths == [b"/h2c"] * 3 + [b"/next"]


@pytest.mark.parametrize("zeros", [17, 25, 5000])
def test_a_content_length_of_many_digits_is_refused_and_no_fault_of_ours(bench: Bench, zeros: int) -> None:
    """Leading zeros in any number pass llhttp; other servers take none, or fail on them."""
    response = bench.ask(post(b"/", b"Content-Length: %b123\r\n" % (b"0" * zeros), b"x" * 123))
    assert response.status == 400
    assert response.values(b"Connection") == [b"close"]
    assert bench.requests == []


def test_an_expectation_does_not_save_a_connection_that_must_close(bench: Bench) -> None:
    """HTTP/1.0 with a transfer coding closes, whatever else the request holds against itself."""
    request = (
        b"POST / HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\nExpect: more\r\n\r\n0\r\n\r\n"
        + GET % b"/smuggled"
    )
    with bench.client() as client:
        client.send(request)
        response = client.read_response()
        client.read_to_end()
    assert (response.status, response.values(b"Connection")) == (400, [b"close"])
    assert bench.requests == []
