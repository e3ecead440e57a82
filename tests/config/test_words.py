"""Booleans, choices, durations, sizes and whole numbers, from their text."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from corsproxy.config import words
from corsproxy.config.problems import RefusedError
from corsproxy.config.shape import Word
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
def test_an_invalid_duration_is_refused_with_the_spelling(text: str) -> None:
    """The message about an invalid duration has the spelling."""
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


def test_a_limit_below_a_second_is_named_in_milliseconds() -> None:
    """To the millisecond, as people write it."""
    with pytest.raises(RefusedError, match="at least 1500ms"):
        words.duration(1.5, 86400).parse("1s")


def test_whole_seconds_stay_whole() -> None:
    """max_age is sent as delta-seconds, which have no fraction (RFC 9111 section 1.2.2)."""
    parsed = words.whole_seconds(0, 86400, zero="none").parse("10m")
    assert parsed == 600
    assert isinstance(parsed, int)
    with pytest.raises(RefusedError, match="whole seconds"):
        words.whole_seconds(0, 86400, zero="none").parse("500ms")


def test_the_message_about_a_negative_duration_explains_zero() -> None:
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
def test_an_invalid_size_is_refused_with_the_spelling(text: str) -> None:
    """The message about an invalid size has the spelling."""
    with pytest.raises(RefusedError, match="64KiB, 10MiB, 1GiB"):
        words.size().parse(text)


def test_a_size_out_of_range_is_refused_with_the_limit() -> None:
    """A size out of range is refused with the limit."""
    with pytest.raises(RefusedError, match="at least 256 bytes"):
        words.size(256, 1024).parse("255")
    with pytest.raises(RefusedError, match="at most 1024 bytes"):
        words.size(256, 1024).parse("1MiB")
    assert [words.size(256, 1024).parse(text) for text in ("256", "1KiB")] == [256, 1024]


@pytest.mark.parametrize("text", ["", "0", "1.0", "-1", "true", "17", "1e1", "９"])
def test_a_whole_number_out_of_range_or_in_another_form_is_refused(text: str) -> None:
    """A whole number out of range or in another form is refused."""
    with pytest.raises(RefusedError, match="number"):
        words.integer(1, 16).parse(text)
    assert [words.integer(1, 16).parse(text) for text in ("1", "16")] == [1, 16]


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("yes", True), ("ON", True), ("False", False), ("no", False), ("off", False)]
)
def test_a_boolean_is_a_word_of_yaml(text: str, value: bool) -> None:
    """The words of YAML 1.1 are booleans."""
    assert words.BOOLEAN.parse(text) is value


@pytest.mark.parametrize("text", ["", "1", "0", "y", "enabled", "null"])
def test_an_invalid_boolean_is_refused(text: str) -> None:
    """Any other word is refused."""
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


AGREED: list[tuple[Callable[[], Word[object]], str, list[object], list[object]]] = [
    (lambda: words.BOOLEAN, "true | false", [True, False, "true", "yes", "no", "on", "off"], [1, 0, "y", "", None]),
    (
        lambda: words.choice("policy", "any", "off"),
        "policy | any | off",
        ["policy", "any", "off", False],
        ["none", "", True, 1, None],
    ),
    (lambda: words.choice("204", "200"), "204 | 200", ["204", "200", 204, 200], [201, "201", False, 1]),
    (lambda: words.choice("1.0", "1.2"), "1.0 | 1.2", ["1.0", "1.2", 1.0, 1.2], [1.1, "1.1", False, 2]),
    (lambda: words.choice("a", "b"), "a | b", ["a", "b"], [False, 0, 1, "c"]),
    (
        lambda: words.duration(0.001, 60),
        "duration",
        [0.001, 1, 60, 59.5, "5", ".5", "5.", "0.5", "10s", "500ms", "1m", "1h"],
        [0, -1, 60.1, True, None, "", "5 s", "s", "x5s", "5sx", "1d", "."],
    ),
    (lambda: words.duration(), "duration", [0, 604800, "0"], [604800.5, -0.5]),
    (
        lambda: words.whole_seconds(1, 60, zero="none"),
        "duration",
        [1, 60, "10s", "1m"],
        [0, 61, 1.5, True, "x", "5 s", None],
    ),
    (
        lambda: words.size(256, 1024),
        "size",
        [256, 1024, "512", "1KiB"],
        [255, 1025, 512.5, True, None, "", "1KB", "x1", "1x", "1.5KiB"],
    ),
    (lambda: words.size(), "size", [0, 2**50, "1MiB", "1GiB"], [-1, 2**50 + 1]),
    (lambda: words.integer(2, 5), "whole number", [2, 5, "3"], [1, 6, 2.5, True, None, "", "3x", "x3", "-3"]),
    (lambda: words.text("file"), "file", ["a", " "], ["", 1, None, True]),
    (lambda: words.name("policy"), "name of policy", ["a", 1, 1.5, True], ["", None, []]),
    (lambda: words.LABEL, "name", ["a", "_", "9.b-C_", "a" * 63], ["", "-a", ".a", "a" * 64, "a b", "ä"]),
    (
        lambda: words.boolean_or(words.integer(1, 9)),
        "true | false | whole number",
        [True, False, "on", 1, "9"],
        [0, 10, "x", None],
    ),
    (
        lambda: words.choice_or(("remove", "keep"), words.text("domain")),
        "remove | keep | domain",
        ["remove", "keep", "x"],
        ["", 1, None],
    ),
]
"""How a word is called, and values of a YAML library that its schema takes and refuses."""


@pytest.mark.parametrize(("make", "noun", "taken", "refused"), AGREED, ids=[noun for _, noun, _, _ in AGREED])
def test_a_word_and_its_schema_are_of_one_mind(
    make: Callable[[], Word[object]], noun: str, taken: list[object], refused: list[object]
) -> None:
    """Texts are also held against the parser."""
    word = make()
    assert word.noun == noun
    schema = Draft202012Validator({"anyOf": list(word.schema)})
    for value in taken:
        assert schema.is_valid(value), value
        if isinstance(value, str):
            assert refusal(word.parse, value) == "" or "it must be" in refusal(word.parse, value)
    for value in refused:
        assert not schema.is_valid(value), value
        if isinstance(value, str):
            assert refusal(word.parse, value) != "", value


def test_the_value_of_a_word() -> None:
    """The value itself: a boolean, a word, what the other word makes of it."""
    either = words.boolean_or(words.integer(1, 9))
    assert [either.parse(text) for text in ("ON", "no", "7")] == [True, False, 7]
    assert words.choice_or(("remove",), words.text("domain")).parse("remove") == "remove"
    assert words.choice_or(("remove",), words.text("domain")).parse("x") == "x"
    assert words.choice_or(("",), words.text("domain")).parse("") == ""
    assert (words.text().parse("a"), words.name("policy").parse("b"), words.LABEL.parse("c")) == ("a", "b", "c")
    assert words.text().noun == "text"
    assert words.choice("a", "off").parse("off") == "off"


REFUSED = [
    (lambda: words.text("file"), "", "missing", "missing file: the value is empty; write one, or remove it"),
    (lambda: words.name("policy"), "", "missing", "missing name of policy: the value is empty"),
    (
        lambda: words.LABEL,
        "-",
        "invalid",
        "invalid name '-': at most 63 letters, digits, '_', '-' and '.', the first a letter, digit or '_'",
    ),
    (lambda: words.BOOLEAN, "1", "invalid", "invalid boolean '1': expected true or false"),
    (lambda: words.duration(0.25, 90), "0.1", "invalid", "invalid duration '0.1': it must be at least 250ms"),
    (lambda: words.duration(1, 90), "91", "invalid", "invalid duration '91': it must be at most 90s"),
    (lambda: words.duration(1, 120), "121", "invalid", "invalid duration '121': it must be at most 2m"),
    (lambda: words.duration(3600, 7200), "1", "invalid", "invalid duration '1': it must be at least 1h"),
    (
        lambda: words.whole_seconds(0, 9, zero="none"),
        "1.5",
        "invalid",
        "invalid duration '1.5': it must be whole seconds",
    ),
    (lambda: words.whole_seconds(1, 9, zero="none"), "0", "invalid", "invalid duration '0': it must be at least 1s"),
    (lambda: words.size(2, 9), "1", "invalid", "invalid size '1': it must be at least 2 bytes"),
    (lambda: words.size(2, 9), "1KiB", "invalid", "invalid size '1KiB': it must be at most 9 bytes"),
    (lambda: words.integer(2, 9), "1", "invalid", "invalid number '1': it must be at least 2"),
    (lambda: words.integer(2, 9), "10", "invalid", "invalid number '10': it must be at most 9"),
    (lambda: words.integer(2, 9), "x", "invalid", "invalid number 'x': expected a whole number of at least 2"),
    (lambda: words.choice("a", "b"), "c", "invalid", "invalid word 'c': expected a or b"),
    (
        lambda: words.choice("ab", "cd", meanings={"on": "cd"}),
        "On",
        "invalid",
        "invalid word 'On': expected ab or cd; write cd",
    ),
    (lambda: words.choice("204", "200"), "205", "invalid", "invalid word '205': expected 204 or 200"),
]


@pytest.mark.parametrize(("make", "text", "reason", "message"), REFUSED, ids=[row[3] for row in REFUSED])
def test_a_refusal_names_the_rule(make: Callable[[], Word[object]], text: str, reason: str, message: str) -> None:
    """The whole text, and the reason."""
    with pytest.raises(RefusedError) as refused:
        make().parse(text)
    assert (refused.value.reason, refused.value.message) == (reason, message)
    assert str(refused.value) == message


@pytest.mark.parametrize("make", [words.duration, words.size, lambda: words.integer(0, 10**18)])
def test_a_number_has_at_most_18_digits(make: Callable[[], Word[object]]) -> None:
    """More is refused before it is made a number."""
    assert "expected" not in refusal(make().parse, "0" * 17 + "1")
    assert "expected" in refusal(make().parse, "0" * 18 + "1")


UNITS = [
    *[(f"1 {unit}", f"write 1{right}") for right, units in {
        "ms": ("ms", "msec", "millisecond", "milliseconds", "millis"), "s": ("s", "sec", "secs", "second", "seconds"),
        "m": ("m", "min", "mins", "minute", "minutes"), "h": ("h", "hr", "hrs", "hour", "hours", "HOURS"),
    }.items() for unit in units],
    *[(f"2{unit}", "write 48h") for unit in ("d", "day", "days")],
]  # fmt: skip
SIZES = [
    *[(f"1 {unit}", f"write 1{right}") for right, units in {
        "KiB": ("k", "kb", "kib", "ki", "KB"),
        "MiB": ("m", "mb", "mib", "mi"), "GiB": ("g", "gb", "gib", "gi"), "": ("b", "bytes"),
    }.items() for unit in units],
]  # fmt: skip


@pytest.mark.parametrize(("text", "right"), UNITS)
def test_every_usual_unit_of_time_is_understood(text: str, right: str) -> None:
    """The message has the spelling that is taken."""
    assert refusal(words.duration().parse, text).endswith(f": {right}")
    assert refusal(words.duration().parse, f" {text} ").endswith(f": {right}")


@pytest.mark.parametrize(("text", "right"), SIZES)
def test_every_usual_unit_of_size_is_understood(text: str, right: str) -> None:
    """But no fraction of one."""
    assert refusal(words.size().parse, text).endswith(f": {right}")
    assert refusal(words.size().parse, text.replace("1", "1.5")).endswith("(64KiB, 10MiB, 1GiB)")
