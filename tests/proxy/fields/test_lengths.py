"""The digits of a Content-Length become one number, or none."""

from __future__ import annotations

import pytest

from corsproxy.proxy.fields.lengths import MAX_LENGTH, read_length


@pytest.mark.parametrize(
    ("digits", "length"),
    [
        (b"0", 0),
        (b"7", 7),
        (b"007", 7),
        (b"%d" % MAX_LENGTH, MAX_LENGTH),
        (b"0" * 19, 0),
        (b"%d" % (MAX_LENGTH + 1), -1),
        (b"9" * 19, -1),
        (b"0" * 20, -1),
        (b"9" * 5000, -1),
        (b"", -1),
        (b"+1", -1),
        (b"-1", -1),
        (b"1 ", -1),
        (b"1,1", -1),
        (b"1_0", -1),
        (b"0x1", -1),
        (b"\xb2", -1),
        ("１".encode(), -1),
    ],
)
def test_what_every_recipient_counts_alike(digits: bytes, length: int) -> None:
    """ASCII digits up to 2^63 - 1; never an error, whatever a stranger writes."""
    assert read_length(digits) == length
