"""What is looked up instead of read again: bounded, the same when found, and never about a person."""

from __future__ import annotations

import pytest

from corsproxy.proxy.fields.lines import FieldLine, joined, keep_line
from corsproxy.proxy.table import NameTable, Table


def test_a_value_is_found_again() -> None:
    """Under its own key, as the very object."""
    table: Table[bytes, object] = Table()
    first, second = object(), object()
    assert table.keep(b"a", 1, first) is first
    assert table.keep(b"b", 1, second) is second
    assert table.known == {b"a": first, b"b": second}


@pytest.mark.parametrize(
    ("size", "most"),
    [
        pytest.param(1, 1024, id="by entries"),
        pytest.param(1024, 256, id="by bytes"),
        pytest.param(100_000, 2, id="by bytes of few keys"),
    ],
)
def test_a_full_table_is_emptied(size: int, most: int) -> None:
    """Whoever fills it pays, and it is filled again as far."""
    table: Table[int, int] = Table()
    for number in range(2 * most + 1):
        table.keep(number, size, number)
        assert len(table.known) == number % most + 1
        assert table.known[number] == number


def test_a_name_is_classified_once() -> None:
    """Each spelling for itself; one that is longer than any real name each time."""
    asked: list[bytes] = []

    def classify(name: bytes) -> bytes:
        asked.append(name)
        return name.lower()

    table = NameTable(classify)
    longest, longer = b"X" * 64, b"X" * 65
    for _ in range(2):
        for name in (b"Host", b"host", longest, longer):
            assert table[name] == name.lower()
    assert asked == [b"Host", b"host", longest, longer, longer]
    assert table.known == {b"Host": b"host", b"host": b"host", longest: longest.lower()}


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        (b"Server", b"a", True),
        (b"sErVeR", b"a", True),
        (b"User-Agent", b"a" * 498, True),
        (b"User-Agent", b"a" * 499, False),
        (b"Cookie", b"a=b", False),
        (b"Set-Cookie", b"a=b", False),
        (b"Authorization", b"Basic abc", False),
        (b"Proxy-Authorization", b"Basic abc", False),
        (b"X-Api-Key", b"abc", False),
        (b"X-Forwarded-For", b"1.2.3.4", False),
        (b"Referer", b"https://a.example/?token=b", False),
        (b"Location", b"/?code=a", False),
        (b"ETag", b"a", False),
    ],
)
def test_which_lines_are_remembered(name: bytes, value: bytes, kept: bool) -> None:
    """Only short lines about programs are stored; no credential is in a table."""
    table: Table[bytes, FieldLine[int]] = Table()
    line = FieldLine(0, name, value)
    assert keep_line(table, b"key", line) is line
    assert table.known == ({b"key": line} if kept else {})


def test_a_line() -> None:
    """Its parts, and how it is written."""
    line, empty = FieldLine(1, b"X-A", b"b: c", 4), FieldLine(2, b"x", b"")
    assert (line.meaning, line.name, line.value, line.once) == (1, b"X-A", b"b: c", 4)
    assert (empty.value, empty.once) == (b"", 0)
    assert joined([line, empty]) == b"X-A: b: c\r\nx: \r\n"
