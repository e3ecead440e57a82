"""Booleans, choices, durations, sizes and whole numbers, from their text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corsproxy.config import words
from corsproxy.config.problems import RefusedError
from tests.config.files import refusal


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("5", 5.0),
        ("0.5", 0.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("500ms", 0.5),
        ("10s", 10.0),
        ("5m", 300.0),
        ("1.5h", 5400.0),
        ("0", 0.0),
        ("168h", 604800.0),
    ],
)
def test_a_duration_is_seconds_or_a_number_with_its_unit(text: str, seconds: float) -> None:
    """A duration is seconds or a number with its unit."""
    assert words.duration().parse(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "-1",
        "+1",
        "1 s",
        "10sec",
        "10S",
        "1d",
        "nan",
        "inf",
        "1e3",
        "0x10",
        "1_000",
        "true",
        "s",
        ".",
        "5s ",
        "٥",
        "9" * 30,
    ],
)
def test_what_is_no_duration_is_refused_with_the_spelling(text: str) -> None:
    """What is no duration is refused with the spelling."""
    with pytest.raises(RefusedError, match=r"500ms, 10s, 5m, 1h") as refused:
        words.duration().parse(text)
    assert refused.value.reason == "invalid"


@pytest.mark.parametrize(
    ("text", "said"),
    [("0", "at least 1ms"), ("0.0001s", "at least 1ms"), ("25h", "at most 24h"), ("86401", "at most 24h")],
)
def test_a_duration_out_of_range_is_refused_with_the_limit(text: str, said: str) -> None:
    """A duration out of range is refused with the limit."""
    with pytest.raises(RefusedError, match=said):
        words.duration(0.001, 86400).parse(text)


def test_whole_seconds_stay_whole() -> None:
    """max_age is sent as delta-seconds, which have no fraction (RFC 9111 section 1.2.2)."""
    parsed = words.whole_seconds(0, 86400, zero="none").parse("10m")
    assert parsed == 600
    assert isinstance(parsed, int)
    with pytest.raises(RefusedError, match="whole seconds"):
        words.whole_seconds(0, 86400, zero="none").parse("500ms")


def test_a_negative_duration_is_told_what_zero_means() -> None:
    """The message about a negative duration explains 0."""
    with pytest.raises(RefusedError, match="0 is no caching"):
        words.whole_seconds(0, 86400, zero="no caching").parse("-1")


@pytest.mark.parametrize(
    ("text", "amount"), [("0", 0), ("512", 512), ("64KiB", 65536), ("10MiB", 10485760), ("2GiB", 2147483648)]
)
def test_a_size_is_bytes_or_a_number_with_its_unit(text: str, amount: int) -> None:
    """A size is bytes or a number with its unit."""
    assert words.size().parse(text) == amount


@pytest.mark.parametrize("text", ["", "-1", "1.5MiB", "64KB", "64kib", "64 KiB", "64K", "1e6", "nan", "true", "9" * 30])
def test_what_is_no_size_is_refused_with_the_spelling(text: str) -> None:
    """What is no size is refused with the spelling."""
    with pytest.raises(RefusedError, match="64KiB, 10MiB, 1GiB"):
        words.size().parse(text)


def test_a_size_out_of_range_is_refused_with_the_limit() -> None:
    """A size out of range is refused with the limit."""
    with pytest.raises(RefusedError, match="at least 256 bytes"):
        words.size(256, 1024).parse("255")
    with pytest.raises(RefusedError, match="at most 1024 bytes"):
        words.size(256, 1024).parse("1MiB")


@pytest.mark.parametrize("text", ["", "0", "1.0", "-1", "true", "17", "1e1", "９"])
def test_a_whole_number_out_of_range_or_in_another_form_is_refused(text: str) -> None:
    """A whole number out of range or in another form is refused."""
    with pytest.raises(RefusedError, match="number"):
        words.integer(1, 16).parse(text)
    assert words.integer(1, 16).parse("16") == 16


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("yes", True), ("ON", True), ("False", False), ("no", False), ("off", False)]
)
def test_a_boolean_is_a_word_of_yaml(text: str, value: bool) -> None:
    """A boolean is a word of yaml."""
    assert words.BOOLEAN.parse(text) is value


@pytest.mark.parametrize("text", ["", "1", "0", "y", "enabled", "null"])
def test_what_is_no_boolean_is_refused(text: str) -> None:
    """What is no boolean is refused."""
    with pytest.raises(RefusedError, match="expected true or false"):
        words.BOOLEAN.parse(text)


def test_a_choice_names_its_words_and_the_nearest() -> None:
    """A choice names its words and the nearest."""
    with pytest.raises(
        RefusedError, match=r"invalid word 'policy2': expected policy, any or off; did you mean 'policy'\?"
    ):
        words.choice("policy", "any", "off").parse("policy2")
    with pytest.raises(RefusedError, match=r"invalid word 'no': expected enforce or shadow$"):
        words.choice("enforce", "shadow").parse("no")


@given(st.text())
def test_no_text_raises_anything_but_a_refusal(text: str) -> None:
    """Every parser of a word gives a value or says why not."""
    for word in (words.duration(), words.size(), words.integer(1, 9), words.BOOLEAN, words.choice("a", "off")):
        assert refusal(word.parse, text).isprintable()
