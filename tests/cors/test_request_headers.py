"""The bounds of Access-Control-Request-Headers, to the byte and to the element."""

from __future__ import annotations

import pytest

from corsproxy.cors.request_headers import MAX_EMPTY_ELEMENTS, parse_request_headers


@pytest.mark.parametrize(
    ("lines", "max_bytes", "names"),
    [
        ((b"x-a", b"x-b"), 8, (b"x-a", b"x-b")),
        ((b"x-a", b"x-b"), 7, None),
        ((b"x-a,x-b",), 8, (b"x-a", b"x-b")),
        ((b"x-a,x-b",), 7, None),
    ],
)
def test_the_bytes_of_the_lines_and_their_ends_are_counted(
    lines: tuple[bytes, ...], max_bytes: int, names: tuple[bytes, ...] | None
) -> None:
    """Each line counts one byte more than it has, so that empty lines count, too."""
    assert parse_request_headers(lines, max_names=10, max_bytes=max_bytes) == names


def test_the_names_are_counted() -> None:
    """As many commas as names and empty elements have between them are read, and none more."""
    full = b",".join(b"x-%d" % number for number in range(10))
    assert parse_request_headers((full + b"," * MAX_EMPTY_ELEMENTS,), max_names=10, max_bytes=1000) is not None
    assert parse_request_headers((full + b"," * (MAX_EMPTY_ELEMENTS + 1),), max_names=10, max_bytes=1000) is None
    one_more = full + b",x-a" + b"," * MAX_EMPTY_ELEMENTS
    assert parse_request_headers((one_more,), max_names=10, max_bytes=1000) is None
