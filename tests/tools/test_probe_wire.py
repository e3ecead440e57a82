"""Probe on the wire: TLS, targets and content; an untrusted certificate is one clear line."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from corsproxy.tools.browser import Answer, Sent
from corsproxy.tools.live.wire import UnreachableError, Wire
from tests.support.certificates import self_signed
from tests.support.upstream import Upstream, answer_each

ASKED = "GET", (("Accept", "*/*"),)


@pytest.fixture(name="server")
def server_fixture(tmp_path: Path) -> Upstream:
    """An https server with a self-signed certificate."""
    made = self_signed(tmp_path, "localhost")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(made.certificate, made.private_key)
    answer = b"HTTP/1.1 200 OK\r\nvary: a\r\nVary: Origin\r\nContent-Length: 0\r\n\r\n"
    return Upstream(answer_each(answer), tls=context)


def test_an_unknown_certificate_is_refused_with_the_way_out(server: Upstream) -> None:
    """The message names the option that takes it all the same."""
    with server, pytest.raises(UnreachableError, match=r"^TLS failed: self.signed certificate \(--insecure takes"):
        Wire(20).send(Sent("actual", ASKED[0], f"{server.url}/", ASKED[1]))


def test_a_server_without_tls_is_reported_as_such() -> None:
    """No option would help."""
    with Upstream(lambda connection: connection.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as server:
        asked = Sent("actual", ASKED[0], f"{server.url}/".replace("http:", "https:"), ASKED[1])
        with pytest.raises(UnreachableError, match=r"^TLS failed: what answers does not speak it"):
            Wire(20).send(asked)


def test_insecure_accepts_any_certificate(server: Upstream) -> None:
    """The answer comes with its field lines as they were sent."""
    with server:
        answer = Wire(20, insecure=True).send(Sent("actual", ASKED[0], f"{server.url}/", ASKED[1]))
    assert answer == Answer(200, (("vary", "a"), ("Vary", "Origin"), ("Content-Length", "0")))


@pytest.mark.parametrize(
    ("path", "target"),
    [
        pytest.param("", b"/", id="no path is the root"),
        pytest.param("/a%2Fb//c/../d?x=%20&y=[1]", b"/a%2Fb//c/../d?x=%20&y=[1]", id="a target goes out as written"),
        pytest.param("/a b?c d", b"/a%20b?c%20d", id="a space is escaped"),
        pytest.param("/caf\u00e9", b"/caf%C3%A9", id="what is not ASCII is escaped"),
        pytest.param("/\udcff", b"/%FF", id="a byte that is no UTF-8 is escaped"),
    ],
)
def test_the_target_is_sent_as_written(path: str, target: bytes) -> None:
    """Nothing is normalized: the server is asked what the page asks."""
    with Upstream() as server:
        Wire(20).send(Sent("actual", "GET", server.url + path, ()))
        assert server.requests[0].line == b"GET %b HTTP/1.1" % target


@pytest.mark.parametrize(
    ("value", "sent"),
    [("caf\u00e9", b"caf\xe9"), ("\u20ac\u00e9", b"\xe2\x82\xac\xc3\xa9"), ("a\udcff", b"a\xff")],
    ids=["a character a byte, as fetch() does", "UTF-8, as in cookies", "a byte of a pasted command"],
)
def test_a_value_is_sent_complete(value: str, sent: bytes) -> None:
    """No character becomes a question mark."""
    with Upstream() as server:
        Wire(20).send(Sent("actual", "GET", f"{server.url}/", (("Cookie", value),)))
        assert server.requests[0].values(b"Cookie") == [sent]


@pytest.mark.parametrize(
    ("kind", "method", "length"),
    [("actual", "POST", [b"3"]), ("actual", "PUT", [b"3"]), ("actual", "GET", []), ("preflight", "OPTIONS", [])],
)
def test_only_the_request_itself_has_content(kind: str, method: str, length: list[bytes]) -> None:
    """The content of curl's --data is sent with the request, not with its preflight."""
    with Upstream() as server:
        Wire(20, body=b"abc").send(Sent(kind, method, f"{server.url}/", ()))
        assert server.requests[0].values(b"Content-Length") == length
        assert server.requests[0].body == (b"abc" if length else b"")


def test_the_connection_is_left_open_as_a_browser_leaves_it() -> None:
    """A server that is asked to close says so, in a field that no page would see."""
    with Upstream() as server:
        Wire(20).send(Sent("actual", "GET", f"{server.url}/", ()))
        assert server.requests[0].values(b"Connection") == []


def test_the_host_may_be_another_than_the_address() -> None:
    """As behind a gateway that routes by Host."""
    with Upstream() as server:
        Wire(20, host="api.example.com").send(Sent("actual", "GET", f"{server.url}/", ()))
        assert server.requests[0].values(b"Host") == [b"api.example.com"]


@pytest.mark.parametrize(
    ("status", "kind", "text"),
    [(b"403", b"text/plain; charset=utf-8", "why\n"), (b"200", b"text/plain", ""), (b"403", b"image/png", "")],
)
def test_the_text_of_an_error_is_read(status: bytes, kind: bytes, text: str) -> None:
    """And no other content."""
    answer = b"HTTP/1.1 %b x\r\nContent-Type: %b\r\nContent-Length: 4\r\n\r\nwhy\n" % (status, kind)
    with Upstream.answering(answer) as server:
        assert Wire(20).send(Sent("actual", "GET", f"{server.url}/", ())).text == text
