"""A field section line by line: which names and values it holds, what is mended, and what is refused."""

from __future__ import annotations

import pytest

from corsproxy.proxy.errors import UpstreamError, UpstreamErrorKind
from corsproxy.proxy.upstream.field_section import MAX_FIELD_LINES, read_field_lines, split_lines
from corsproxy.proxy.upstream.oddity import Oddities, Oddity

Fields = list[tuple[bytes, bytes]]

TOKEN_CHARACTERS = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def fields(*lines: bytes, lenient: bool = False) -> Fields:
    """Return names and values; raises `UpstreamError`."""
    return read_field_lines(list(lines), Oddities(lenient=lenient))


@pytest.mark.parametrize(
    ("section", "lines"),
    [
        (b"", [b""]),
        (b"a", [b"a"]),
        (b"a\r\nb\nc", [b"a", b"b", b"c"]),
        (b"a\r\n\r\nb", [b"a", b"", b"b"]),
        (b"a\r\r\nb\r", [b"a\r", b"b"]),
        (b"a\rb", [b"a\rb"]),
    ],
)
def test_lines_end_by_crlf_or_lf(section: bytes, lines: list[bytes]) -> None:
    """A CR elsewhere is part of a line, for the value's check to find."""
    assert split_lines(section) == lines


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param((), [], id="no line"),
        pytest.param((b"A: b",), [(b"A", b"b")], id="a line"),
        pytest.param((b"A:b", b"A:", b"a: \t b c \t"), [(b"A", b"b"), (b"A", b""), (b"a", b"b c")], id="white space"),
        pytest.param((b"A: b:c: d",), [(b"A", b"b:c: d")], id="the first colon ends the name"),
        pytest.param((b"A\t : b",), [(b"A", b"b")], id="white space before the colon"),
        pytest.param((b"A: Xb X",), [(b"A", b"Xb X")], id="only white space is stripped"),
        pytest.param((b"XA X: b",), None, id="white space inside a name"),
        pytest.param((b"A: \xe4\xff",), [(b"A", b"\xe4\xff")], id="bytes above ASCII"),
        pytest.param((b"A: b\tc",), [(b"A", b"b\tc")], id="a tab"),
        pytest.param((TOKEN_CHARACTERS + b":1",), [(TOKEN_CHARACTERS, b"1")], id="every character of a token"),
        pytest.param((b"A: b", b" c"), [(b"A", b"b c")], id="a fold"),
        pytest.param((b"A: b", b"\tXc X\t", b"  d"), [(b"A", b"b Xc X d")], id="two folds"),
        pytest.param((b"A:", b" c", b"D: e"), [(b"A", b"c"), (b"D", b"e")], id="a fold of nothing"),
        pytest.param((b"A: b", b" ", b"D: e"), [(b"A", b"b"), (b"D", b"e")], id="a fold with nothing in it"),
        pytest.param((b" A: b",), None, id="a fold of nothing before it"),
        pytest.param((b"\tA: b",), None, id="a fold by a tab of nothing before it"),
        pytest.param((b":b",), None, id="an empty name"),
        pytest.param((b" :b",), None, id="a name of white space"),
        pytest.param((b"\xe4: b",), None, id="a name above ASCII"),
        pytest.param((b"A\x00: b",), None, id="NUL in a name"),
        pytest.param((b"A\r: b",), None, id="CR in a name"),
        pytest.param((b'"A": b',), None, id="a quoted name"),
    ],
)
def test_names_and_values(lines: tuple[bytes, ...], expected: Fields | None) -> None:
    """One reading, or none; no leniency changes it."""
    for lenient in (False, True):
        if expected is not None:
            assert fields(*lines, lenient=lenient) == expected
        else:
            with pytest.raises(UpstreamError) as refused:
                fields(*lines, lenient=lenient)
            assert refused.value.kind is UpstreamErrorKind.PROTOCOL


@pytest.mark.parametrize("control", [*range(0x09), *range(0x0A, 0x20), 0x7F])
def test_control_characters(control: int) -> None:
    """They are refused; lenient parsing leaves them out, and white space that stood beside them with them."""
    line = b"A: %c b%cc %c" % (control, control, control)
    with pytest.raises(UpstreamError) as refused:
        fields(line)
    assert refused.value.kind is UpstreamErrorKind.PROTOCOL
    oddities = Oddities(lenient=True)
    assert read_field_lines([line, b"B: X%cX" % control], oddities) == [(b"A", b"bc"), (b"B", b"XX")]
    assert oddities.found == [Oddity.CONTROL]


def test_a_control_character_in_a_fold() -> None:
    """It is one of the value's like any other."""
    with pytest.raises(UpstreamError):
        fields(b"A: b", b" c\x00")
    assert fields(b"A: b", b" c\x00", lenient=True) == [(b"A", b"b c")]


def test_lines_without_a_colon() -> None:
    """They are refused; lenient parsing drops them with all their folds, and keeps what stands around them."""
    lines = (b"A: b", b"Fatal error", b" in a.php", b"\ton line 3", b"B: c", b" d")
    with pytest.raises(UpstreamError):
        fields(*lines)
    oddities = Oddities(lenient=True)
    assert read_field_lines(list(lines), oddities) == [(b"A", b"b"), (b"B", b"c d")]
    assert oddities.found == [Oddity.NO_COLON]
    assert fields(b"Fatal error", b" in a.php", lenient=True) == []


def test_the_last_line() -> None:
    """So many lines are read, and no section of one more; folds count."""
    assert fields(*[b"A: b"] * MAX_FIELD_LINES) == [(b"A", b"b")] * MAX_FIELD_LINES
    for line in (b"A: b", b" fold"):
        with pytest.raises(UpstreamError, match=str(MAX_FIELD_LINES)):
            fields(*[b"A: b"] * MAX_FIELD_LINES, line)


def test_an_error_shows_little_of_a_name() -> None:
    """A name may be as long as a head."""
    with pytest.raises(UpstreamError) as refused:
        fields(b"(" + b"a" * 1000 + b": b")
    assert b"a" * 20 in refused.value.detail.encode()
    assert len(refused.value.detail) < 150
