"""The plain way to read a head and the other way are one: whatever the plain one takes, the other reads alike."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from corsproxy.proxy.upstream import plain_head
from corsproxy.proxy.upstream.head import ResponseHead
from corsproxy.proxy.upstream.odd_head import read_head
from corsproxy.proxy.upstream.oddity import Oddities
from corsproxy.proxy.upstream.plain_head import read_plain_head

STATUS_LINES = (
    "HTTP/1.1 200 OK",
    "HTTP/1.1 204 No Content",
    "HTTP/1.1 304 Not Modified",
    "HTTP/1.1 404 ",
    "HTTP/1.1 404",
    "HTTP/1.1 500  two spaces",
    "HTTP/1.1 500 space behind ",
    "HTTP/1.1 200 caf\xe9",
    "HTTP/1.1 100 Continue",
    "HTTP/1.1 101 Switching",
    "HTTP/1.1 099 x",
    "HTTP/1.1 999 x",
    "HTTP/1.1 2000 x",
    "HTTP/1.1 +20 x",
    "HTTP/1.0 200 OK",
    "HTTP/1.1\t200 OK",
    "http/1.1 200 OK",
    "ICY 200 OK",
)

FIELD_LINES = (
    "Content-Length: 2",
    "Content-Length: 2, 2",
    "content-length:0",
    "Content-Length: +2",
    "Content-Length: 99999999999999999999",
    "Content-Length:",
    "Transfer-Encoding: chunked",
    "transfer-encoding: gzip",
    "Connection: close",
    "Connection: Keep-Alive",
    "Connection: close, X-A",
    "Proxy-Connection: close",
    "Keep-Alive: timeout=5",
    "Upgrade: websocket",
    "Set-Cookie: a=b",
    "Vary:  Accept \t",
    "X-Empty:",
    "X-A : 1",
    ": 1",
    "no colon",
    " folded",
    "X(A: 1",
    "X-A: \x00",
    "X-A: \x7f",
    "X-A: a\rb",
    "X-A: a\nX-B: b",
    "X-A: \xe4",
    "X-A: a:b",
)

heads = st.builds(
    lambda line, fields: "\r\n".join([line, *fields]).encode("latin-1"),
    st.sampled_from(STATUS_LINES),
    st.lists(st.sampled_from(FIELD_LINES), max_size=4),
)


def said(head: ResponseHead) -> object:
    """Return all there is to know of a head."""
    fields = [(line.meaning, line.name, line.value, line.line) for line in head.fields]
    return head.status, head.minor, head.reason, fields, head.framing, head.length, head.keep_alive


@given(heads, st.booleans())
@example(b"HTTP/1.1 200 OK\r\nContent-Length: 2", False)
@example(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 2", False)
@example(b"HTTP/1.1 200 OK\r\nContent-Length: 2", True)
@example(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\nConnection: keep-alive", False)
def test_both_ways_read_alike(section: bytes, is_head_request: bool) -> None:
    """What the plain way takes, the other way takes with the same result, strict or lenient."""
    plain = read_plain_head(section, is_head_request=is_head_request)
    if plain is None:
        return
    for lenient in (False, True):
        oddities = Oddities(lenient=lenient)
        other = read_head(section, oddities, is_head_request=is_head_request, expects_upgrade=False)
        assert said(plain) == said(other)
        assert not oddities.found


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\nServer: legacy\r\nContent-Length: 2\r\nConnection: keep-alive",
        b"HTTP/1.1 404 Not Found\r\ncontent-length: 0",
        b"HTTP/1.1 204 No Content\r\nVary: Accept",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive",
        b"HTTP/1.1 200 OK\r\nConnection: close",
    ],
)
def test_an_ordinary_head_is_read_the_plain_way(data: bytes) -> None:
    """Were it left to the other way, nothing would be wrong but the speed."""
    assert read_plain_head(data, is_head_request=False) is not None


def test_a_line_that_has_come_before_is_not_read_again() -> None:
    """What programs say of themselves is the same in every response: the very object is shared."""
    data = b"HTTP/1.1 200 OK\r\nServer: %b\r\nContent-Length: 0"
    first, again, other = (
        read_plain_head(data % name, is_head_request=False) for name in (b"same/1", b"same/1", b"other/1")
    )
    assert first is not None
    assert again is not None
    assert other is not None
    assert first.fields[0] is again.fields[0]
    assert other.fields[0].line == b"Server: other/1\r\n"


@pytest.mark.parametrize("name", ["Set-Cookie", "set-cookie", "Authorization", "X-Auth-Token", "Location", "X-A"])
def test_what_may_be_about_a_person_is_not_kept(name: str) -> None:
    """A cookie, a credential, and whatever is not known to be harmless: gone with its response."""
    line = f"{name}: of-one-person-only".encode()
    plain = read_plain_head(b"HTTP/1.1 200 OK\r\n%b\r\nContent-Length: 0" % line, is_head_request=False)
    assert plain is not None
    assert [kept for kept in plain_head.KNOWN_LINES.known if b"of-one-person-only" in kept] == []


def test_the_lines_that_are_kept_are_few_and_short() -> None:
    """They are the upstream's to choose: their number and their length have a bound."""
    for number in range(3000):
        read_plain_head(b"HTTP/1.1 200 OK\r\nServer: s%d\r\nContent-Length: 0" % number, is_head_request=False)
    read_plain_head(b"HTTP/1.1 200 OK\r\nServer: %b\r\nContent-Length: 0" % (b"s" * 600), is_head_request=False)
    assert len(plain_head.KNOWN_LINES.known) <= 1024
    assert max(map(len, plain_head.KNOWN_LINES.known)) <= 512


def test_a_table_of_names_does_not_grow_for_ever() -> None:
    """Names are the upstream's to choose, and it may be as odd as any stranger."""
    for number in range(5000):
        read_plain_head(b"HTTP/1.1 200 OK\r\nX-%d: 1\r\nContent-Length: 0" % number, is_head_request=False)
    assert len(plain_head._NAMES.known) <= 1024
