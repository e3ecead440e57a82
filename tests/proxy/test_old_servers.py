"""What old servers write: taken always, taken by `parsing: lenient` alone, or never; the table of docs/old-servers.md.

The upstream is a stub of raw bytes: no server that can be installed writes these things on demand.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.proxy.bench import Bench
from tests.proxy.wire import GET, ask
from tests.support.certificates import self_signed
from tests.support.process import Proxy, started, without_uvloop
from tests.support.upstream import Connection, Upstream

CONFIG = """
admin: 127.0.0.1:0
upstreams:
  strict: {{url: "{upstream}"}}
  lenient: {{url: "{upstream}", parsing: lenient}}
policies:
  app: {{allow_origins: ["https://app.example"]}}
routes:
  - {{path: /, upstream: strict, policy: app}}
  - {{path: /lenient, upstream: lenient, policy: app}}
log: {{format: json}}
"""

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKS = b"3\r\nabc\r\n0\r\n\r\n"


def get(path: bytes, *lines: bytes) -> bytes:
    """Write a GET from a page."""
    fields = b"".join(line + b"\r\n" for line in (b"Origin: https://app.example", *lines))
    return b"GET %b HTTP/1.1\r\nHost: h\r\n%b\r\n" % (path, fields)


@dataclass(frozen=True, slots=True)
class Odd:
    """A response that is odd, and what a client is to see of it."""

    response: bytes
    lines: tuple[bytes, ...] = ()
    body: bytes = b"abc"
    reused: bool = True
    """True if the connection carries another request."""


ALWAYS = [
    pytest.param(
        Odd(OK + b"X-A : 1\r\nContent-Length\t : 3\r\n\r\nabc", (b"X-A: 1",)), id="white space before a colon"
    ),
    pytest.param(Odd(OK + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc"), id="a length twice"),
    pytest.param(
        Odd(OK + b"Content-Length: 3, 3\r\n\r\nabc", (b"Content-Length: 3",)), id="a length twice in one line"
    ),
    pytest.param(Odd(b"HTTP/1.1 200 OK\nX-A: 1\nContent-Length: 3\n\nabc", (b"X-A: 1",)), id="bare LF in a head"),
    pytest.param(Odd(OK + b"X-A: 1\r\n \t2\r\nContent-Length: 3\r\n\r\nabc", (b"X-A: 1 2",)), id="a fold"),
    pytest.param(
        Odd(OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nContent-Length: 9\r\nX-T: 1\r\n\r\n"),
        id="a length in trailers",
    ),
    pytest.param(
        Odd(b"HTTP/1.1 103 Early Hints\r\nConnection: close\r\n\r\n" + OK + b"Content-Length: 3\r\n\r\nabc"),
        id="an interim response that says close",
    ),
    pytest.param(Odd(b"HTTP/1.2 200 OK\r\nContent-Length: 3\r\n\r\nabc"), id="HTTP/1.2"),
    pytest.param(
        Odd(OK + b"Connection: close\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nabc", reused=False),
        id="close beside keep-alive",
    ),
    pytest.param(
        Odd(OK + b"Connection: keep-alive, close\r\nContent-Length: 3\r\n\r\nabc", reused=False),
        id="close beside keep-alive in one line",
    ),
]


@pytest.mark.parametrize("odd", ALWAYS)
@pytest.mark.parametrize("path", [b"/", b"/lenient"])
def test_what_is_always_taken(bench: Bench, path: bytes, odd: Odd) -> None:
    """Each is mended on the way; the connection stays, unless the upstream says otherwise."""
    bench.answering(odd.response)
    for _ in range(2):
        response = bench.ask(get(path))
        assert (response.status, response.body, response.whole) == (200, odd.body, True)
        assert set(odd.lines) <= set(response.lines)
        assert len(response.values(b"Content-Length")) <= 1
    assert len(bench.connections) == (1 if odd.reused else 2)


LENIENT = [
    pytest.param(
        OK + b"Content-Length: 7\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS,
        "Content-Length beside Transfer-Encoding",
        id="a length beside chunks",
    ),
    pytest.param(
        b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS,
        "chunked content in HTTP/1.0",
        id="chunks in HTTP/1.0",
    ),
    pytest.param(
        OK + b"Transfer-Encoding: identity\r\nContent-Length: 3\r\n\r\nabc",
        "the transfer coding 'identity'",
        id="identity",
    ),
    pytest.param(
        OK + b"Transfer-Encoding: chunked, chunked\r\n\r\n" + CHUNKS,
        "the transfer coding 'chunked' named twice",
        id="chunked twice",
    ),
    pytest.param(
        OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: Chunked\r\n\r\n" + CHUNKS,
        "the transfer coding 'chunked' named twice",
        id="chunked on two lines",
    ),
    pytest.param(
        OK + b"Transfer-Encoding: chunked\r\n\r\n3\nabc\n0\n\n", "a bare LF in chunk framing", id="bare LF in chunks"
    ),
    pytest.param(
        OK + b"Oops, a line\r\nContent-Length: 3\r\n\r\nabc",
        "a field line without a colon",
        id="a line without a colon",
    ),
    pytest.param(
        OK + b"X-A: a\x00\x01\x7fb\r\nContent-Length: 3\r\n\r\nabc",
        "a control byte in a field value",
        id="control bytes",
    ),
]


@pytest.mark.parametrize(("odd", "warning"), LENIENT)
def test_what_lenient_takes(bench: Bench, odd: bytes, warning: str) -> None:
    """`lenient` takes it, closes the connection and warns; strict parsing is 502, and the log names the key."""
    bench.answering(odd)
    assert bench.ask(get(b"/")).status == 502
    bench.proxy.stderr.wait_line(f"upstream strict: .*{re.escape(warning)}.*parsing: lenient")
    bench.settle()
    bench.answering(odd)
    for number in range(2):
        response = bench.ask(get(b"/lenient/page?q=1", b"X-Request-Id: id-%d" % number))
        assert (response.status, response.body, response.whole) == (200, b"abc", True)
        assert not (response.values(b"Content-Length") and response.values(b"Transfer-Encoding"))
        assert not any(set(line) & {*range(9), *range(10, 32), 127} for line in response.lines)
        assert b"Oops" not in response.head
    assert [len(connection.requests) for connection in bench.connections] == [1, 1]
    bench.proxy.stderr.wait_line(f"upstream lenient: .*{re.escape(warning)}")
    found = [line for line in bench.proxy.stderr.lines if "upstream lenient" in line and warning in line]
    assert len(found) == 1  # once a minute
    assert "/lenient/page" in found[0]
    assert re.search(r"request id-\d", found[0])
    assert "q=1" not in found[0]


NEVER = [
    pytest.param(OK + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", id="two lengths"),
    pytest.param(OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + CHUNKS, id="another coding"),
    pytest.param(OK + b"Content-Length: 9223372036854775808\r\n\r\nabc", id="a length of 2^63"),
    pytest.param(OK + b" X-A: 1\r\nContent-Length: 3\r\n\r\nabc", id="white space behind the status line"),
    pytest.param(b"RTSP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc", id="RTSP"),
    pytest.param(b"ICY 200 OK\r\nContent-Length: 3\r\n\r\nabc", id="ICY"),
    pytest.param(OK + b"X\x00A: 1\r\nContent-Length: 3\r\n\r\nabc", id="a control byte in a name"),
    pytest.param(OK + b": 1\r\nContent-Length: 3\r\n\r\nabc", id="no name"),
    pytest.param(OK + b"X-A: 1\r\n" * 1001 + b"Content-Length: 3\r\n\r\nabc", id="1,002 lines"),
    pytest.param(OK + b"X-A: " + b"a" * 300_000 + b"\r\nContent-Length: 3\r\n\r\nabc", id="a head of 300 KB"),
    pytest.param(OK + b"X-A: " + b"a" * 300_000, id="300 KB of a head"),
    pytest.param(b"HTTP/1.1 103 x\r\nX-A: 1\r\n\r\n" * 400, id="interim responses without end"),
    pytest.param(OK + b"Transfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n", id="a size of 0x3"),
]


@pytest.mark.parametrize("response_bytes", NEVER)
@pytest.mark.parametrize("path", [b"/", b"/lenient"])
def test_what_is_never_taken(bench: Bench, path: bytes, response_bytes: bytes) -> None:
    """What has two readings, and what is too much, is 502 under either parsing."""
    bench.answering(response_bytes)
    with bench.client() as client:
        client.send(get(path))
        response = client.read_response()
        if b"chunked\r\n" in response_bytes and b"gzip" not in response_bytes:
            assert not response.whole or response.status == 502
        else:
            assert response.status == 502


SLIPS = [
    b"Access-Control-Allow-Origin : *",
    b"Access-Control-Allow-Origin\t:*",
    b"X-A: 1\r\n Access-Control-Allow-Origin: *",
    b"Oops\r\n Access-Control-Allow-Origin: *",
    b"Oops\r\nACCESS-CONTROL-ALLOW-ORIGIN: *",
    b"X-A: 1\x00\nAccess-Control-Allow-Origin: *",
    b"X-A: 1\rAccess-Control-Allow-Origin: *",
    b"X-A: 1\r\r\nAccess-Control-Allow-Origin: *",
    b"X-A: \x0bAccess-Control-Allow-Origin: *",
    b"access-control-allow-origin: \x00*\r\naccess-control-allow-credentials: true",
    b"Access-Control-Allow-Origin\x00: *",
    b"\x00Access-Control-Allow-Origin: *",
    b"Access-Control-Allow-Origin",
    b"Vary\r\n : *\r\nAccess-Control-Allow-Origin: *",
    b"Transfer-Encoding: identity\r\nAccess-Control-Allow-Origin: *",
]


@pytest.mark.parametrize("path", [b"/", b"/lenient"])
@pytest.mark.parametrize("lines", SLIPS)
def test_no_field_of_the_upstream_s_slips_through(bench: Bench, path: bytes, lines: bytes) -> None:
    """However it is written, a client sees the policy's grant and no other."""
    bench.answering(OK + lines + b"\r\nContent-Length: 3\r\n\r\nabc")
    response = bench.ask(get(path))
    assert response.cors == [b"Access-Control-Allow-Origin: https://app.example", b"Vary: Origin"]
    assert not re.search(rb"(?i)\naccess-control[^\r\n]*\*", response.head.replace(b"\r", b"\n"))
    bench.settle()
    tail = b"3\r\nabc\r\n0\r\n" + lines + b"\r\n\r\n"
    bench.answering(OK + b"Transfer-Encoding: chunked\r\nTrailer: X\r\n\r\n" + tail)
    response = bench.ask(get(path, b"TE: trailers"))
    assert response.cors == [b"Access-Control-Allow-Origin: https://app.example", b"Vary: Origin"]
    assert not re.search(rb"(?im)^access-control", response.trailers.replace(b"\r", b"\n"))


def test_a_date_is_added(bench: Bench) -> None:
    """http-56: a response without Date gets one; one that has it keeps its own."""
    bench.answering(OK + b"Content-Length: 3\r\n\r\nabc")
    (date,) = bench.ask(GET).values(b"Date")
    assert re.fullmatch(rb"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", date)
    bench.settle()
    bench.answering(OK + b"DATE: yesterday\r\nContent-Length: 3\r\n\r\nabc")
    assert bench.ask(GET).values(b"Date") == [b"yesterday"]


def test_a_426_keeps_its_upgrade(bench: Bench) -> None:
    """It names the protocol that is required; any other status loses the hop's field."""
    for status, kept in ((b"426 Upgrade Required", [b"TLS/1.3"]), (b"200 OK", [])):
        bench.answering(
            b"HTTP/1.1 " + status + b"\r\nUpgrade: TLS/1.3\r\nConnection: Upgrade\r\nContent-Length: 0\r\n\r\n"
        )
        response = bench.ask(GET)
        assert response.values(b"Upgrade") == kept
        assert response.values(b"Connection") == ([b"Upgrade"] if kept else [])
        bench.settle()


def test_a_head_response_ends_at_its_head(bench: Bench) -> None:
    """`Content-Length: 0` beside chunks, as Cowboy writes to HEAD: no content is waited for."""
    bench.answering(OK + b"Content-Length: 0\r\nTransfer-Encoding: chunked\r\nX-A: 1\r\n\r\n")
    with bench.client() as client:
        for _ in range(2):
            client.send(b"HEAD / HTTP/1.1\r\nHost: h\r\n\r\n")
            response = client.read_response(to="HEAD")
            assert (response.status, response.values(b"X-A")) == (200, [b"1"])
        assert not client.received


CUT_CONFIG = """
upstreams:
  strict: {{url: "{url}", tls: {{ca: {ca}}}}}
  lenient: {{url: "{url}", tls: {{ca: {ca}}}, parsing: lenient}}
routes:
  - {{path: /, upstream: strict}}
  - {{path: /lenient, upstream: lenient}}
"""


@pytest.fixture(name="over_tls", scope="module", params=["uvloop", "asyncio"])
def _over_tls(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """A proxy whose upstream ends its TLS connections with the closing alert or without, as the path says."""
    folder = tmp_path_factory.mktemp("tls")
    made = self_signed(folder, "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.certificate, made.private_key)

    def script(connection: Connection) -> None:
        line = connection.read_request().line
        connection.send(OK + b"\r\nabc")
        if b"alert" in line:
            connection.send_closing_alert()

    environ = {} if request.param == "uvloop" else without_uvloop(folder)
    with (
        Upstream(script, tls=context) as upstream,
        started(CUT_CONFIG.format(url=upstream.url, ca=made.certificate), environ=environ) as proxy,
    ):
        yield proxy


@pytest.mark.parametrize(
    ("path", "whole"), [(b"/alert", True), (b"/", False), (b"/lenient/alert", True), (b"/lenient", True)]
)
def test_tls_that_ends_without_its_alert(over_tls: Proxy, path: bytes, whole: bool) -> None:
    """Content that only the end of the connection ends is cut, because an attacker could have ended it there."""
    response = ask(over_tls.address, get(path))
    assert (response.status, response.body, response.whole) == (200, b"abc", whole)
    if path == b"/lenient":
        over_tls.stderr.wait_line("upstream lenient: a TLS connection that ended without its closing alert")


@pytest.mark.parametrize("end", [b"", b"Content-Length: 9\r\n\r\nx"], ids=["unfinished", "with content to come"])
def test_the_memory_of_a_head_is_bounded(bench: Bench, end: bytes) -> None:
    """Heads of tiny lines: what they cost for as long as a response takes is within ten times their bytes."""
    held = b"HTTP/1.1 200 OK\r\n" + b"a:\r\n" * 990 + end

    def script(connection: Connection) -> None:
        connection.read_request()
        connection.send(held)
        connection.read_to_end()

    bench.script = script
    assert bench.ask(b"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n").status == 204
    before = resident(bench.proxy)
    clients = [bench.client() for _ in range(200)]
    for client in clients:
        client.send(get(b"/"))
    bench.upstream.wait_for(lambda: len(bench.connections) == 200 and all(one.requests for one in bench.connections))
    bench.wait_in_flight(200)
    if end:
        for client in clients:
            client.read_until(b"\r\n\r\nx")
    grown = resident(bench.proxy) - before
    for client in clients:
        client.reset()
    # Two connections and what belongs to them take some 30 to 40 KiB for each request, whatever the head; 110 KB in all
    # were seen on a busy machine.
    assert grown < 200 * (10 * len(held) + 96 * 1024)


def resident(proxy: Proxy) -> int:
    """Return the bytes of memory the process has."""
    status = Path(f"/proc/{proxy.pid}/status").read_text(encoding="ascii")
    match = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert match is not None
    return int(match[1]) * 1024
