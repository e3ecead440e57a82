"""Untrusted text is escaped in one way everywhere."""

from __future__ import annotations

import pytest

from corsproxy.config.problems import quote
from corsproxy.escape import printable
from corsproxy.tools.browser.shown import visible


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("plain é 中 'quoted' \\", "plain é 中 'quoted' \\"),
        ("a\nb\r\t", "a\\nb\\r\\t"),
        ("\x1b[31m\x7f\x00", "\\x1b[31m\\x7f\\x00"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("\u202edirection", "\\u202edirection"),
        ("\udce4", "\\udce4"),
        ("\U000e0001", "\\U000e0001"),
    ],
)
def test_one_way_to_escape(written: str, shown: str) -> None:
    """In a message about a file and in what a browser is said to have got, alike."""
    assert printable(written) == shown
    assert quote(written) == f"'{shown}'"
    assert list(visible([("X-A", written)])) == [("X-A", shown)]
