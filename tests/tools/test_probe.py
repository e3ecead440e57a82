"""Probe as a command: what it sends and shows, blocked requests, servers that do not answer, mistakes of its user."""

from __future__ import annotations

import contextlib
import io
import math
import socket

import pytest

from corsproxy.errors import UsageError
from corsproxy.tools.probe.command import ProbeOptions, probe_command
from tests.support.upstream import Connection, Upstream
from tests.tools.probe_servers import (
    PAGE,
    Fields,
    careful,
    letting_in,
    probed,
    served,
)


@pytest.mark.parametrize(
    ("method", "headers", "credentials"),
    [
        pytest.param("GET", (), False, id="a GET"),
        pytest.param("PUT", ("Content-Type",), True, id="a PUT of JSON with credentials"),
    ],
)
def test_a_careful_server_has_no_findings(method: str, headers: tuple[str, ...], credentials: bool) -> None:
    """Nothing is found where nothing is wrong, and the exit status is 0."""
    with served(careful) as server:
        status, report, _ = probed(f"{server.url}/x", *headers, method=method, credentials=credentials)
    assert report["findings"] == []
    assert report["verdict"]["allowed"] is True
    assert status == 0


@pytest.mark.parametrize(
    ("method", "headers", "credentials", "reason"),
    [
        pytest.param("DELETE", (), False, "method_not_allowed", id="a method that is not allowed"),
        pytest.param("GET", ("X-A",), False, "headers_not_allowed", id="a header that is not allowed"),
        pytest.param("GET", (), False, "origin_not_allowed", id="an origin that is not allowed"),
    ],
)
def test_blocked_with_its_reason(method: str, headers: tuple[str, ...], credentials: bool, reason: str) -> None:
    """A blocked request has a reason from the closed list."""
    origin = "https://other.example.org" if reason == "origin_not_allowed" else PAGE
    with served(careful) as server:
        status, report, _ = probed(server.url, *headers, method=method, origin=origin, credentials=credentials)
    assert (status, report["verdict"]["allowed"], report["verdict"]["reason"]) == (1, False, reason)
    assert report["findings"][0]["code"] == reason


def test_credentials_are_blocked_where_only_the_origin_is_granted() -> None:
    """A grant without Access-Control-Allow-Credentials is none for a page that sends them."""
    with served(letting_in(lambda origin: origin == PAGE, credentials=False)) as server:
        assert probed(server.url)[0] == 0
        status, report, _ = probed(server.url, credentials=True)
    assert (status, report["verdict"]["reason"]) == (1, "credentials_not_allowed")


def test_redirects_are_followed_as_a_browser_does() -> None:
    """The further requests go to where the page ends up."""

    def serve(method: str, path: str, origin: str | None) -> tuple[int, Fields]:
        status, fields = careful(method, path, origin)
        return (302, [*fields, ("Location", "/new")]) if path == "/old" else (status, fields)

    with served(serve) as server:
        status, report, _ = probed(f"{server.url}/old")
        assert [exchange["request"]["url"] for exchange in report["exchanges"]] == [
            f"{server.url}/old",
            f"{server.url}/new",
        ]
        assert all("/new" in further["request"]["url"] for further in report["further"])
    assert status == 0


def test_the_number_of_requests_is_announced() -> None:
    """The number on stderr is an upper bound of the requests."""
    with served(careful) as server:
        _, _, told = probed(f"{server.url}/x", method="PUT", origin=PAGE)
        sent = len(server.requests)
    announced = int(told.split("at most ")[1].split(" ")[0])
    assert 30 <= sent <= announced <= 60


def test_dangerous_methods_are_sent_once() -> None:
    """A DELETE goes out once, for the page; the further requests are GET and OPTIONS."""

    def serve(method: str, path: str, origin: str | None) -> tuple[int, Fields]:
        status, fields = careful(method, path, origin)
        return status, [*fields, ("Access-Control-Allow-Methods", "DELETE")]

    with served(serve) as server:
        probed(f"{server.url}/x", method="DELETE")
        methods = [request.line.split()[0] for request in server.requests]
    assert methods.count(b"DELETE") == 1
    assert set(methods) == {b"DELETE", b"GET", b"OPTIONS"}


def test_secrets_are_sent_and_not_shown() -> None:
    """Authorization and cookies reach the server and no report."""
    with served(careful) as server:
        _, report, _ = probed(server.url, from_curl=None, method="PUT")
        curl = f"curl {server.url}/x -H 'Origin: {PAGE}' -b 'session=S3CRET'"
        _, report, _ = probed(None, from_curl=curl, origin=None)
        assert any(b"session=S3CRET" in request.head for request in server.requests)
    assert "S3CRET" not in str(report)
    assert report["credentials"] is True


def test_nothing_listens_there() -> None:
    """An unreachable server is one clear line, without a traceback or a finding."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    status, report, told = probed(f"http://127.0.0.1:{port}/")
    assert status == 1
    assert report["error"] == "connection refused: nothing listens there"
    assert report["findings"] == []
    assert told.splitlines()[-1] == f"probe: http://127.0.0.1:{port}/: connection refused: nothing listens there"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"", "closed the connection without an answer"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "no HTTP/1.1 response"),
    ],
)
def test_a_server_that_is_not_an_http_server(answer: bytes, said: str) -> None:
    """Whatever comes back is an answer or one clear line."""
    with Upstream.answering(answer) if answer else Upstream(lambda connection: connection.close()) as server:
        status, report, _ = probed(server.url)
    assert status == 1
    assert said in report["error"]


def _wait(connection: Connection) -> None:
    connection.read_to_end()


def test_a_silent_server_is_given_up() -> None:
    """A server that says nothing ends the probe after the timeout."""
    with Upstream(_wait) as server:
        status, report, _ = probed(server.url, timeout=0.2)
    assert (status, report["error"]) == (1, "no answer within 0.2 s")


def test_an_endless_response_is_given_up() -> None:
    """The timeout is for the whole head, however many interim responses a server sends."""

    def go_on(connection: Connection) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")

    with Upstream(go_on) as server:
        status, report, _ = probed(server.url, timeout=0.5)
    assert (status, report["error"]) == (1, "no answer within 0.5 s")


def test_a_head_that_is_cut_by_the_timeout_is_no_answer() -> None:
    """The part that arrived looks like a complete one."""

    def begin(connection: Connection) -> None:
        connection.send(b"HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\n")
        connection.read_to_end()

    with Upstream(begin) as server:
        status, report, _ = probed(server.url, timeout=0.5)
    assert (status, report["error"]) == (1, "no answer within 0.5 s")


@pytest.mark.parametrize(
    "location", ["http://a b/", "http://a..b/", "http://\xff/", "http://" + "a" * 300 + "/", "/\xff"]
)
def test_wherever_a_server_redirects_to_nothing_is_raised(location: str) -> None:
    """It is a stranger's to choose."""
    answer = (
        f"HTTP/1.1 302 Found\r\nAccess-Control-Allow-Origin: *\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
    )
    with Upstream.answering(answer.encode("latin-1")) as server:
        status, report, _ = probed(server.url, origin="http://localhost:3000")
    assert status == 1
    assert not report["verdict"]["allowed"]


def test_text_for_people() -> None:
    """The text shows what was sent and answered, each step, the verdict, and each finding with its fix."""
    out = io.StringIO()
    with served(letting_in(lambda _: True)) as server:
        options = ProbeOptions(f"{server.url}/x?a=1", PAGE, "PUT", ("X-A: 1",), credentials=True, timeout=20)
        probe_command(options, out=out, err=io.StringIO())
    text = out.getvalue()
    assert "preflight: OPTIONS /x?a=1\n" in text
    assert "  > Access-Control-Request-Headers: x-a\n" in text
    assert "  FAIL  preflight-headers: not allowed: x-a; Access-Control-Allow-Headers is 'Content-Type'\n" in text
    assert "https://fetch.spec.whatwg.org/#cors-preflight-fetch" in text
    assert "verdict: blocked (headers_not_allowed)" in text
    assert "  error  reflects_any_origin: any origin is granted, with credentials" in text
    assert "fix: compare Origin with a list" in text


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"Access-Control-Allow-Origin: *\r\n", "strangers: granted as every page is, by *, and not by name, so ruled"),
        (b"", "strangers: refused, so ruled out: reflection of any origin"),
    ],
)
def test_a_star_is_no_refusal(answer: bytes, said: str) -> None:
    """Where strangers may read because everybody may, the report does not call them refused."""
    out = io.StringIO()
    with Upstream.answering(b"HTTP/1.1 200 OK\r\n" + answer + b"Content-Length: 0\r\n\r\n") as server:
        probe_command(ProbeOptions(server.url, PAGE, timeout=20), out=out, err=io.StringIO())
    assert said in out.getvalue()


def test_control_characters_of_a_server_do_not_reach_the_terminal() -> None:
    """A hostile server cannot write escape sequences to the terminal."""
    out = io.StringIO()
    answer = b"HTTP/1.1 302 Found\r\nVary: \x1b[31mred\r\nLocation: \x1b[32mgreen\r\nContent-Length: 0\r\n\r\n"
    with Upstream.answering(answer) as server:
        probe_command(ProbeOptions(server.url, PAGE, timeout=20), out=out, err=io.StringIO())
    assert "\x1b" not in out.getvalue()
    assert "\\x1b[31mred" in out.getvalue()
    assert "\\x1b[32mgreen" in out.getvalue()


@pytest.mark.parametrize(
    ("url", "options", "said"),
    [
        pytest.param(None, {}, "missing URL", id="no URL"),
        pytest.param("api.example.com/x", {}, "write http://api.example.com/x", id="a URL without a scheme"),
        pytest.param("ftp://x/", {}, "expected an absolute http or https URL", id="a URL of another scheme"),
        pytest.param("http://x:99999/", {}, "invalid URL", id="a port out of range"),
        pytest.param("http://a b/", {}, "invalid URL", id="a space in the host"),
        pytest.param("http://\udcff/", {}, "invalid URL", id="a host that is no text"),
        pytest.param("http://x/", {"timeout": math.nan}, "no number of seconds", id="a timeout that is none"),
        pytest.param("http://x/", {"origin": ""}, "invalid origin", id="an empty origin"),
        pytest.param(
            None, {"from_curl": "curl http://y/ -b 'a\nb'"}, "a value is one line", id="a cookie of two lines"
        ),
        pytest.param(
            "http://x/",
            {"origin": "https://App.example.com/"},
            "write https://app.example.com",
            id="an origin misspelt",
        ),
        pytest.param("http://x/", {"origin": "app"}, "expected scheme://host", id="no origin"),
        pytest.param("http://x/", {"method": "GE T"}, "invalid method", id="no method"),
        pytest.param("http://x/", {"from_curl": "curl http://y/"}, "two requests", id="a URL and curl"),
        pytest.param(None, {"from_curl": "wget http://y/"}, "must begin with 'curl'", id="no curl"),
        pytest.param(None, {"from_curl": "curl -X POST"}, "names no URL", id="curl without a URL"),
        pytest.param(None, {"from_curl": "curl 'http://y/"}, "no closing quotation", id="an open quote"),
    ],
)
def test_usage(url: str | None, options: dict[str, str], said: str) -> None:
    """A mistake of the user is one line that says what to write."""
    with pytest.raises(UsageError, match=said):
        probed(url, **options)  # type: ignore[arg-type]  # the rows name keyword options of different types


@pytest.mark.parametrize("header", ["X A", "", ": x", "X-A: 1\r\nB: 2", "X-A: \u20ac", "X-A: \udcff"])
def test_bad_headers_are_refused(header: str) -> None:
    """A header that no request can hold never leaves."""
    with pytest.raises(UsageError, match="invalid header"):
        probed("http://x/", header)
