"""The request line as it stands on the wire, held against what a parser made of it."""

from __future__ import annotations

import pytest

from corsproxy.proxy.client.request_line import is_on_the_wire, with_known_method, with_known_version

TOKEN_CHARACTERS = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"GET /a HTTP/1.1\r\n", True),
        (b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n", True),
        (b"GET /a HTTP/1.1", False),
        (b"GET /a HTTP/1.1\n", False),
        (b"GET  /a HTTP/1.1\r\n", False),
        (b"GET /a  HTTP/1.1\r\n", False),
        (b"GET /a HTTP/1.1 \r\n", False),
        (b"GET\t/a HTTP/1.1\r\n", False),
        (b" GET /a HTTP/1.1\r\n", False),
        (b"\r\nGET /a HTTP/1.1\r\n", False),
        (b"get /a HTTP/1.1\r\n", False),
        (b"GET /a http/1.1\r\n", False),
        (b"GET /a RTSP/1.1\r\n", False),
        (b"GET /a\r\n", False),
        (b"GET /ab HTTP/1.1\r\n", False),
        (b"GET /a HTTP/1.10\r\n", False),
        (b"GET /a HTTP/01.1\r\n", False),
        (b"GET /a HTTP/1.0\r\n", False),
        (b"GET /a HTTP/2.1\r\n", False),
        (b"", False),
    ],
)
def test_one_spelling_is_on_the_wire(data: bytes, expected: bool) -> None:
    """Method, target and version as they were read, with one space between them and CRLF behind."""
    assert is_on_the_wire(data, "GET", b"/a", 1, 1) is expected


def test_every_part_is_held_against_what_was_read() -> None:
    """None of them is taken for granted."""
    data = b"PUT /\xe4 HTTP/2.0\r\n"
    assert is_on_the_wire(data, "PUT", b"/\xe4", 2, 0)
    assert not is_on_the_wire(data, "POST", b"/\xe4", 2, 0)
    assert not is_on_the_wire(data, "PUT", b"/", 2, 0)
    assert not is_on_the_wire(data, "PUT", b"/\xe4", 1, 0)
    assert not is_on_the_wire(data, "PUT", b"/\xe4", 2, 1)


@pytest.mark.parametrize("minor", range(10))
@pytest.mark.parametrize("rest", [b"", b"\r", b"\r\n", b"\r\nHost: h HTTP/1.2\r\n\r\n"])
def test_later_versions_are_read_as_1_1(minor: int, rest: bytes) -> None:
    """RFC 9110 section 2.5; whether the line has ended or not, and nothing else is changed."""
    expected = b"GET /a HTTP/1.1" + rest if minor >= 2 else None
    assert with_known_version(b"GET /a HTTP/1.%d%b" % (minor, rest)) == expected


@pytest.mark.parametrize(
    "data",
    [
        b"GET /a HTTP/1.22\r\n",
        b"GET /a HTTP/1.2 \r\n",
        b"GET /a HTTP/1.2\n",
        b"GET /a HTTP/1.2x",
        b"GET /a HTTP/2.2\r\n",
        b"GET /a HTTP/1,2\r\n",
        b"GET /a http/1.2\r\n",
        b"GET /a RTSP/1.2\r\n",
        b"GET  /a HTTP/1.2\r\n",
        b"GET /a  HTTP/1.2\r\n",
        b"GET /a b HTTP/1.2\r\n",
        b"GET HTTP/1.2\r\n",
        b" GET /a HTTP/1.2\r\n",
        b"GET /a\r\nX: HTTP/1.2\r\n",
        b"GET\r /a HTTP/1.2\r\n",
        b"",
    ],
)
def test_no_other_line_is_changed(data: bytes) -> None:
    """What is no request line, or has no such version on it, stays the parser's to refuse."""
    assert with_known_version(data) is None


@pytest.mark.parametrize("method", [b"FOO", b"get", b"GETT", b"GE", b"M-SEARCH", b"X", TOKEN_CHARACTERS])
@pytest.mark.parametrize("rest", [b"", b" ", b" /a HTTP/1.1\r\nX: FOO\r\n\r\n"])
def test_any_method_is_read_as_get(method: bytes, rest: bytes) -> None:
    """A token, followed by a space or by nothing yet; the rest stays as it is."""
    assert with_known_method(method + rest) == (method.decode(), b"GET" + rest)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" ",
        b" /a",
        b"GET",
        b"GET /a",
        b"FOO\r\n",
        b"FOO\t/a",
        b"FO\xd6 /a",
        b"F(O /a",
        b'"FOO" /a',
        b"FOO\x00",
        b"/a",
    ],
)
def test_what_is_no_other_method(data: bytes) -> None:
    """GET is known; and what is no token is none."""
    assert with_known_method(data) is None
