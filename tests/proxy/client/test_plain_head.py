"""The plain way to read a request's head and the parser's are one: what the plain one takes, the parser reads alike."""

from __future__ import annotations

import ast
import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from corsproxy.proxy.client import plain_head
from corsproxy.proxy.client.head import ParsedHead
from corsproxy.proxy.client.parser import HeadParser
from corsproxy.proxy.client.plain_head import read_plain_head
from corsproxy.proxy.errors import Refusal
from corsproxy.proxy.fields import sections
from tests.proxy.messages import mutated, requests

LINES = 20

REQUEST_LINES = (
    "GET / HTTP/1.1",
    "POST /a%2Fb?c=d HTTP/1.1",
    "OPTIONS * HTTP/1.1",
    "OPTIONS /* HTTP/1.1",
    "GET //x/../y;z HTTP/1.1",
    "GET /a#b HTTP/1.1",
    'GET /\\a|{}^"<>` HTTP/1.1',
    "GET /\xe4 HTTP/1.1",
    "GET /a b HTTP/1.1",
    "GET /a  HTTP/1.1",
    "GET  /a HTTP/1.1",
    "GET /a HTTP/1.1 ",
    "GET /a HTTP/1.0",
    "GET /a HTTP/1.2",
    "GET /a HTTP/2.0",
    "GET /a http/1.1",
    "GET /a RTSP/1.0",
    "GET /a",
    "GET http://h/ HTTP/1.1",
    "CONNECT h:1 HTTP/1.1",
    "CONNECT /a HTTP/1.1",
    "TRACE / HTTP/1.1",
    "PRI / HTTP/1.1",
    "PROPFIND / HTTP/1.1",
    "REPORT / HTTP/1.1",
    "get / HTTP/1.1",
    "FOO / HTTP/1.1",
    " GET / HTTP/1.1",
    "",
)

FIELD_LINES = (
    "Host: h",
    "host:h:1",
    "HOST:",
    "Content-Length: 2",
    "Content-Length: 0",
    "content-length:02",
    "Content-Length: 2, 2",
    "Content-Length: +2",
    "Content-Length: \xb2",
    "Content-Length: 2 ",
    "Content-Length: 99999999999999999999",
    "Content-Length:",
    "Content-Length: 0x2",
    "Content-Length: 2_0",
    "Transfer-Encoding: chunked",
    "transfer-encoding: gzip",
    "Connection: close",
    "Connection: Keep-Alive",
    "Connection: close, X-A",
    "Connection: keep-alive, close",
    "Connection: upgrade",
    "Connection:",
    "Proxy-Connection: close",
    "Keep-Alive: timeout=5",
    "Upgrade: websocket",
    "Upgrade: h2c",
    "User-Agent: a",
    "user-agent: b",
    "Content-Type: a",
    "ETag: a",
    "Server: a",
    "Max-Forwards: 1",
    "Content-Range: 1",
    "Content-Location: 1",
    "Content-Encoding: gzip",
    "Sec-WebSocket-Key1: 1",
    "Cookie: a=b",
    "Expect: 100-continue",
    "TE: trailers",
    "X-Tabs:\t \ta\t ",
    "X-Empty:",
    "X-A : 1",
    ": 1",
    "no colon",
    " folded",
    "\tfolded",
    "X(A: 1",
    "X A: 1",
    "X-A: \x00",
    "X-A: \x7f",
    "X-A: \x0b",
    "X-A: \x1f",
    "X-A: a\rb",
    "X-A: a\nX-B: b",
    "X-A: a\r",
    "X-A: \xe4",
    "X\xe4: 1",
    "X-A: a:b",
)

heads = st.builds(
    lambda line, fields: "\r\n".join((line, *fields, "", "")).encode("latin-1"),
    st.sampled_from(REQUEST_LINES[:5]) | st.sampled_from(REQUEST_LINES),
    st.lists(st.sampled_from(FIELD_LINES[:2]) | st.sampled_from(FIELD_LINES), max_size=6),
)


def said(head: ParsedHead) -> object:
    """Return all there is to know of a head."""
    lines = [(line.meaning, line.name, line.value, line.line) for line in head.lines]
    return head.method, head.target, head.minor, lines, head.keep_alive, head.upgrade, head.length


def parsed(head: bytes) -> object:
    """Return what the parser makes of a whole head."""
    loop = asyncio.new_event_loop()
    try:
        return said(HeadParser(100_000, LINES, loop).parse(head))
    except Refusal as refusal:
        return refusal.status
    finally:
        loop.close()


def check(head: bytes) -> bool:
    """Hold the plain way against the parser's; return whether it took the head."""
    plain = read_plain_head(head, LINES)
    if plain is not None:
        wanted = parsed(head)
        assert said(plain) == wanted
        # Now its lines are known, then its section as a whole.
        for _ in range(2):
            again = read_plain_head(head, LINES)
            assert again is not None
            assert said(again) == wanted
    return plain is not None


@given(heads)
@example(b"GET / HTTP/1.1\r\nHost: h\r\n" + b"X: a\r\n" * LINES + b"\r\n")
@example(b"GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n")
@example(b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n")
def test_what_the_plain_way_takes_the_parser_reads_alike(head: bytes) -> None:
    """Request lines and field lines of every kind, together."""
    check(head)


@given(requests() | mutated(requests()))
def test_heads_of_the_fuzz_tests_read_alike(data: bytes) -> None:
    """Valid or not."""
    if b"\r\n\r\n" in data:
        check(data[: data.index(b"\r\n\r\n") + 4])


@pytest.mark.parametrize("line", REQUEST_LINES)
def test_each_request_line_reads_alike(line: str) -> None:
    """One by one, whatever a random choice would find."""
    check(line.encode("latin-1") + b"\r\nHost: h\r\n\r\n")


@pytest.mark.parametrize("line", FIELD_LINES)
def test_each_field_line_reads_alike(line: str) -> None:
    """One by one; a Content-Length that only `int` takes for a number is the parser's to refuse."""
    check(b"POST / HTTP/1.1\r\nHost: h\r\n" + line.encode("latin-1") + b"\r\n\r\n")


@pytest.mark.parametrize(
    ("option", "keeps"), [(b"", True), (b"Keep-Alive", True), (b"keep-alive", True), (b"CLOSE", False)]
)
def test_what_becomes_of_the_connection(option: bytes, keeps: bool) -> None:
    """RFC 9112 section 9.3, in any letter case."""
    line = b"Connection: " + option + b"\r\n" if option else b""
    plain = read_plain_head(b"GET / HTTP/1.1\r\nHost: h\r\n" + line + b"\r\n", LINES)
    assert plain is not None
    assert plain.keep_alive is keeps


def corpus() -> Iterator[bytes]:
    """Every bytes literal of the tests that is, or begins with, a whole head."""
    for path in sorted(Path(__file__).parents[2].rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, bytes) and b" HTTP/1" in node.value:
                head, end, _ = node.value.partition(b"\r\n\r\n")
                yield head + (end or b"\r\n\r\n")


def test_every_head_of_the_tests_reads_alike() -> None:
    """And many of them are plain: otherwise there would be no use in it."""
    taken = [check(head) for head in corpus()]
    assert len(taken) > 200
    assert sum(taken) > 50


def test_an_ordinary_head_is_plain() -> None:
    """What browsers send is taken."""
    fields = b"Host: h\r\nCookie: a=b\r\nConnection: close\r\n\r\n"
    plain = read_plain_head(b"GET /orders/7?page=2 HTTP/1.1\r\n" + fields, LINES)
    assert plain is not None
    assert (plain.method, plain.target, plain.keep_alive, plain.length) == ("GET", b"/orders/7?page=2", False, 0)


BROWSER = b"\r\nHost: h\r\nAccept: a/b\r\nReferer: %b\r\nConnection: close\r\nOrigin: https://a.example\r\n\r\n"


def read(line: bytes, fields: bytes, *, times: int = 1, most: int = LINES) -> ParsedHead | None:
    """Read a head several times; return what the last time gave."""
    return [read_plain_head(line + fields, most) for _ in range(times)][-1]


def test_a_section_that_comes_again_is_found_whole() -> None:
    """Under another request line and with another Referer, of which each request has its own."""
    first = read(b"GET /a HTTP/1.1", BROWSER % b"https://a.example/one", times=2)
    other = read(b"OPTIONS /b HTTP/1.1", BROWSER % b" https://a.example/two\t")
    assert first is not None
    assert other is not None
    assert other.section is not None
    assert other.section is first.section
    assert (other.method, other.target, other.keep_alive, other.length) == ("OPTIONS", b"/b", False, 0)
    assert [head.lines[2].line for head in (first, other)] == [
        b"Referer: https://a.example/one\r\n",
        b"Referer: https://a.example/two\r\n",
    ]


def test_the_place_of_the_referer_is_part_of_the_section() -> None:
    """The same lines in another order are another section."""
    fields = b"\r\nHost: h\r\nAccept: a/b\r\nReferer: r\r\n\r\n", b"\r\nHost: h\r\nReferer: r\r\nAccept: a/b\r\n\r\n"
    for one in fields:
        head = read(b"GET / HTTP/1.1", one, times=3)
        assert head is not None
        assert b"\r\n" + b"".join(line.line for line in head.lines) + b"\r\n" == one


@pytest.mark.parametrize("value", [b"a\rb", b"a\nb", b"a\x00b", b"a\x7f", b"a\nX-A: b"])
def test_a_referer_beside_a_known_section_is_checked(value: bytes) -> None:
    """What is not a field value is the parser's to judge."""
    assert read(b"GET / HTTP/1.1", BROWSER % b"r", times=3) is not None
    assert read(b"GET / HTTP/1.1", BROWSER % value) is None


def test_a_known_section_is_held_to_the_number_of_lines() -> None:
    """The table is of all listeners, the limit of one."""
    assert read(b"GET / HTTP/1.1", BROWSER % b"r", times=3, most=5) is not None
    assert read(b"GET / HTTP/1.1", BROWSER % b"r", most=4) is None


@pytest.mark.parametrize(
    "line",
    [b"Cookie: of-one", b"Authorization: of-one", b"X-Api-Key: of-one", b"Referer: of-one\r\nReferer: of-one",
     b"referer: of-one", b"If-None-Match: of-one", b"Accept: of-one" + b"x" * 600],
)  # fmt: skip
def test_a_section_of_one_person_is_not_kept(line: bytes) -> None:
    """However often it comes: a cookie, a credential, an unknown name, two Referers."""
    plain = read(b"GET / HTTP/1.1", b"\r\nHost: h\r\n" + line + b"\r\n\r\n", times=4)
    assert plain is None or plain.section is None
    assert not [key for key in sections.KNOWN_SECTIONS.known if b"of-one" in b"".join(key)]


def test_no_referer_is_kept() -> None:
    """Neither in the keys nor in the lines."""
    read(b"GET / HTTP/1.1", BROWSER % b"https://a.example/of-one", times=4)
    known = sections.KNOWN_SECTIONS.known
    assert known
    assert not [key for key in known if b"of-one" in b"".join(key)]
    assert not [line for section in known.values() for line in section.lines if b"of-one" in line.line]


def test_a_section_with_content_or_seen_once_is_not_kept() -> None:
    """Lengths are too many, and most of what comes once never comes again."""
    sections.KNOWN_SECTIONS.known.clear()
    once = read(b"GET / HTTP/1.1", b"\r\nHost: h\r\nAccept: seen/once\r\n\r\n")
    length = read(b"POST / HTTP/1.1", b"\r\nHost: h\r\nContent-Length: 7\r\n\r\n", times=4)
    assert once is not None
    assert length is not None
    assert once.section is length.section is None
    assert sections.KNOWN_SECTIONS.known == {}


@pytest.mark.parametrize("method", [b"GET", b"OPTIONS"])
def test_a_section_that_is_not_looked_for_is_the_same(method: bytes) -> None:
    """Behind a head with lines of a person: it is read line by line, and not stored twice."""
    head = method + b" / HTTP/1.1" + BROWSER % b"r"
    found = read(head, b"", times=3)
    plain = read_plain_head(head, LINES, may_be_known=False)
    assert found is not None
    assert plain is not None
    assert said(plain) == said(found)
    assert plain.section is found.section


def test_no_line_of_a_person_is_kept() -> None:
    """A cookie, a credential, an unknown name, a referring page: read each time and never stored."""
    for name in (b"Cookie", b"Authorization", b"X-Api-Key", b"Proxy-Authorization", b"Referer", b"traceparent"):
        assert read_plain_head(b"GET / HTTP/1.1\r\nHost: h\r\n" + name + b": of-one-person-only\r\n\r\n", LINES)
    assert not [kept for kept in plain_head.KNOWN_LINES.known if b"of-one-person-only" in kept]
    assert b"Host: h" in plain_head.KNOWN_LINES.known


def test_what_is_kept_is_bounded() -> None:
    """A flood of values empties the table, and long ones are not kept at all."""
    for number in range(5000):
        value = b"%d" % number + b"x" * (number % 1000)
        read_plain_head(b"GET / HTTP/1.1\r\nHost: h\r\nAccept: " + value + b"\r\n\r\n", LINES)
        assert len(plain_head.KNOWN_LINES.known) <= 1024
        assert sum(map(len, plain_head.KNOWN_LINES.known)) <= 256 * 1024
    assert max(map(len, plain_head.KNOWN_LINES.known)) <= 512
