"""Methods and header names as Fetch sorts them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corsproxy.cors import exposed_names, is_cors_response_field
from corsproxy.cors.headers import is_forbidden_request_header, is_forbidden_response_header
from corsproxy.cors.methods import is_forbidden, normalize
from corsproxy.cors.tokens import is_token


@pytest.mark.parametrize("method", [b"get", b"Head", b"pOST", b"put", b"delete", b"options"])
def test_six_methods_are_normalized(method: bytes) -> None:
    """The six methods that browsers turn to upper case are."""
    assert normalize(method) == method.upper()


@pytest.mark.parametrize("method", [b"patch", b"Patch", b"PATCH", b"query", b"x"])
def test_other_methods_keep_their_letter_case(method: bytes) -> None:
    """Every other method stays as it is, `patch` first of all."""
    assert normalize(method) == method


@pytest.mark.parametrize("method", [b"CONNECT", b"trace", b"Track"])
def test_forbidden_methods(method: bytes) -> None:
    """Three methods are forbidden in any letter case."""
    assert is_forbidden(method)
    assert not is_forbidden(method + b"X")


@pytest.mark.parametrize(
    "name",
    [
        *(b"Accept-Charset Accept-Encoding Access-Control-Request-Headers Access-Control-Request-Method").split(),
        *(b"Connection Content-Length Cookie Cookie2 Date DNT Expect Host Keep-Alive Origin Referer").split(),
        *(b"Set-Cookie TE Trailer Transfer-Encoding Upgrade Via Proxy-Authorization proxy-x Sec-Fetch-Site").split(),
    ],
)
def test_forbidden_request_headers(name: bytes) -> None:
    """Fetch's list of forbidden request-headers, in any letter case, prefixes included."""
    assert is_forbidden_request_header(name)
    assert is_forbidden_request_header(name.upper())


@pytest.mark.parametrize("name", [b"Authorization", b"User-Agent", b"Proxy", b"Second", b"Content-Type", b"Cookies"])
def test_other_request_headers_are_not_forbidden(name: bytes) -> None:
    """A name that only resembles a forbidden one is allowed."""
    assert not is_forbidden_request_header(name)


def test_forbidden_response_headers() -> None:
    """Cookies can never be read by a page."""
    assert is_forbidden_response_header(b"Set-Cookie")
    assert is_forbidden_response_header(b"SET-COOKIE2")
    assert not is_forbidden_response_header(b"Cookie")


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        (b"Access-Control-Allow-Origin", True),
        (b"access-control-allow-origin", True),
        (b"ACCESS-CONTROL-MAX-AGE", True),
        (b"Access-Control-Allow-Private-Network", True),
        (b"Access-Control-Anything", True),
        (b"Access-Control", False),
        (b"X-Access-Control-Allow-Origin", False),
        (b"Access_Control_Allow_Origin", False),
        (b"Vary", False),
        (b"Timing-Allow-Origin", False),
        (b"", False),
    ],
)
def test_cors_response_fields(name: bytes, answer: bool) -> None:
    """Every `Access-Control-*` field is the policy's to write, in any letter case."""
    assert is_cors_response_field(name) is answer


@pytest.mark.parametrize(
    ("names", "value"),
    [
        pytest.param([], b"", id="no names make an empty value"),
        pytest.param([b"ETag", b"X-A"], b"ETag, X-A", id="names are listed in order"),
        pytest.param([b"ETag", b"etag", b"ETAG"], b"ETag", id="letter case makes no other name"),
        pytest.param(
            [b"Content-Type", b"cache-control", b"PRAGMA", b"X-A"], b"X-A", id="safelisted names are left out"
        ),
        pytest.param([b"Set-Cookie", b"X-A", b"set-cookie2"], b"X-A", id="cookies are left out"),
        pytest.param([b"Access-Control-Allow-Origin", b"X-A"], b"X-A", id="CORS fields are left out"),
        pytest.param([b"Vary", b"Date", b"Server"], b"Vary, Date, Server", id="all others are listed"),
    ],
)
def test_exposed_names(names: list[bytes], value: bytes) -> None:
    """The value lists what a page could not read otherwise."""
    assert exposed_names(names) == value


@given(st.binary(max_size=20))
def test_a_token_is_what_rfc_9110_says(value: bytes) -> None:
    """A token is one or more of the letters, digits and marks of RFC 9110, and nothing else."""
    marks = "!#$%&'*+-.^_`|~"
    text = value.decode("latin-1")
    by_definition = bool(text) and all((char.isascii() and char.isalnum()) or char in marks for char in text)

    assert is_token(value) is by_definition
