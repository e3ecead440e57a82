"""The demo's table is aligned, and fits the terminal where that can be."""

from __future__ import annotations

from corsproxy.tools.demo.table import NARROWEST, table


def test_columns_are_as_wide_as_their_cells() -> None:
    """Every cell begins under its heading, and no line ends in white space."""
    text = table(("a", "bb", "last"), [("long", "x", "one"), ("", "y", "two")], width=80)
    assert text == "a     bb  last\n----  --  ----\nlong  x   one\n      y   two"


def test_the_last_column_is_wrapped_at_words() -> None:
    """A long cell continues below, in the same column."""
    words = " ".join(["word"] * 20)
    lines = table(("call", "verdict"), [("GET", words)], width=60).splitlines()
    assert max(map(len, lines)) <= 60
    assert " ".join(line[6:] for line in lines[2:]) == words
    assert [line[:6] for line in lines[3:]] == [" " * 6]


def test_a_row_of_one_cell_is_a_heading() -> None:
    """A heading stands across the columns, and makes none of them wider."""
    text = table(("a", "last"), [("a long heading",), ("  x", "one")], width=80)
    assert text == "a    last\n---  ----\na long heading\n  x  one"


def test_a_narrow_terminal_does_not_make_it_unreadable() -> None:
    """Below a certain width lines are longer than the terminal."""
    lines = table(("call", "verdict"), [("GET", "word " * 30)], width=10).splitlines()
    assert NARROWEST <= max(map(len, lines)) <= NARROWEST + 6
