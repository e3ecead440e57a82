"""Shapes of scalars: booleans, choices, durations, sizes, integers and names.

Each is a `Word`: a parser for the text after interpolation, and a JSON Schema for what a YAML library makes of it.
Addresses, URLs and paths have modules of their own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import TypeVar

from corsproxy.config.problems import RefusedError, did_you_mean, listed, quote
from corsproxy.config.shape import JsonSchema, Word

V = TypeVar("V")
C = TypeVar("C", bound=str)
"""One of the words of a choice."""

_BOOLEANS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
"""The words of YAML 1.1, without its one-letter forms."""

_NUMBER = r"([0-9]+(\.[0-9]*)?|\.[0-9]+)"
_DURATION = re.compile(_NUMBER + r"(ms|s|m|h)?", re.ASCII)
_DURATION_TEXT: JsonSchema = {"type": "string", "pattern": f"^{_DURATION.pattern}$"}
_DURATION_UNITS = {None: 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_SIZE = re.compile(r"([0-9]+)(KiB|MiB|GiB)?", re.ASCII)
_SIZE_UNITS = {None: 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}
_INTEGER = re.compile(r"[0-9]+", re.ASCII)
_MAX_DIGITS = 18
"""More than any limit has; a longer number is never converted."""

NAME_PATTERN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}")
"""A name of an upstream or a policy: it becomes a label of metrics and a part of key paths."""


def _label(value: str) -> str:
    if not NAME_PATTERN.fullmatch(value):
        rule = "at most 63 letters, digits, '_', '-' and '.', the first a letter, digit or '_'"
        raise RefusedError(f"invalid name {quote(value)}: {rule}")
    return value


LABEL = Word("name", _label, ({"pattern": f"^{NAME_PATTERN.pattern}$"},))
"""A name that the user chooses."""


def text(noun: str = "text") -> Word[str]:
    """Return the word for any text that is not empty; it is checked later, together with other keys."""

    def parse(value: str) -> str:
        if not value:
            raise RefusedError(f"missing {noun}: the value is empty; write one, or remove it", "missing")
        return value

    return Word(noun, parse, ({"type": "string", "minLength": 1},))


def name(noun: str) -> Word[str]:
    """Return the word for a name that the file defines elsewhere."""

    def parse(value: str) -> str:
        if not value:
            raise RefusedError(f"missing name of {noun}: the value is empty", "missing")
        return value

    # A YAML library loads `no` as a boolean and `1` as a number: both are valid names here.
    return Word(f"name of {noun}", parse, ({"type": ["string", "number", "boolean"], "minLength": 1},))


def choice(*names: C, meanings: Mapping[str, C] | None = None) -> Word[C]:
    """Return the word for one of `names`; `meanings` has the right one for words of other programs, for the message."""
    words = {str(one): one for one in names}

    def parse(value: str) -> C:
        if value not in words:
            meant = (meanings or {}).get(value.lower())
            hint = did_you_mean(value, words) if not value.isdecimal() else ""
            hint = f": write {meant}" if meant else hint
            raise RefusedError(f"invalid word {quote(value)}: expected {listed(words)}" + (hint and f";{hint[1:]}"))
        return words[value]

    values: list[str | float] = list(words)
    if "off" in words:
        values.append(False)  # as a YAML 1.1 library loads `off`
    values += [int(word) for word in words if word.isdecimal()]
    values += [float(word) for word in words if re.fullmatch(r"[0-9]+\.[0-9]+", word)]
    return Word(" | ".join(words), parse, ({"enum": values},))


def _boolean(value: str) -> bool:
    if value.lower() not in _BOOLEANS:
        raise RefusedError(f"invalid boolean {quote(value)}: expected true or false")
    return _BOOLEANS[value.lower()]


BOOLEAN = Word("true | false", _boolean, ({"type": "boolean"}, {"enum": ["true", "false", "yes", "no", "on", "off"]}))


def duration(at_least: float = 0, at_most: float = 168 * 3600) -> Word[float]:
    """Return the word for a duration, in seconds from `at_least` to `at_most` (a week)."""
    number: JsonSchema = {"type": "number", "minimum": at_least, "maximum": at_most}
    return Word("duration", partial(_seconds, at_least=at_least, at_most=at_most), (number, _DURATION_TEXT))


def whole_seconds(at_least: int, at_most: int, *, zero: str) -> Word[int]:
    """Return the word for a duration of whole seconds; `zero` is the meaning of 0, for the message."""

    def parse(value: str) -> int:
        seconds = _seconds(value, at_least, at_most, zero)
        if seconds != int(seconds):
            raise RefusedError(f"invalid duration {quote(value)}: it must be whole seconds")
        return int(seconds)

    number: JsonSchema = {"type": "integer", "minimum": at_least, "maximum": at_most}
    return Word("duration", parse, (number, _DURATION_TEXT))


def _seconds(value: str, at_least: float, at_most: float, zero: str = "") -> float:
    found = _DURATION.fullmatch(value)
    if found is None or len(value) > _MAX_DIGITS:
        raise RefusedError(
            f"invalid duration {quote(value)}: expected seconds (5, 0.5) or a number with its unit and no space "
            f"(500ms, 10s, 5m, 1h){_negative(value, zero)}{_spelled(value, _DURATION_NAMES)}"
        )
    seconds = float(found[1]) * _DURATION_UNITS[found[3]]
    if not at_least <= seconds <= at_most:
        below = f"at least {_shown(at_least)}" if seconds < at_least else f"at most {_shown(at_most)}"
        raise RefusedError(f"invalid duration {quote(value)}: it must be {below}")
    return seconds


def size(at_least: int = 0, at_most: int = 2**50) -> Word[int]:
    """Return the word for a size, in bytes."""

    def parse(value: str) -> int:
        found = _SIZE.fullmatch(value)
        if found is None or len(value) > _MAX_DIGITS:
            raise RefusedError(
                f"invalid size {quote(value)}: expected bytes (65536) or a whole number with its unit and no space "
                f"(64KiB, 10MiB, 1GiB){_spelled(value, _SIZE_NAMES)}"
            )
        amount = int(found[1]) * _SIZE_UNITS[found[2]]
        if not at_least <= amount <= at_most:
            raise RefusedError(f"invalid size {quote(value)}: it must be {_bound(amount, at_least, at_most)} bytes")
        return amount

    number: JsonSchema = {"type": "integer", "minimum": at_least, "maximum": at_most}
    return Word("size", parse, (number, {"type": "string", "pattern": f"^{_SIZE.pattern}$"}))


def integer(at_least: int, at_most: int) -> Word[int]:
    """Return the word for a whole number."""

    def parse(value: str) -> int:
        if not _INTEGER.fullmatch(value) or len(value) > _MAX_DIGITS:
            raise RefusedError(f"invalid number {quote(value)}: expected a whole number of at least {at_least}")
        if not at_least <= int(value) <= at_most:
            raise RefusedError(f"invalid number {quote(value)}: it must be {_bound(int(value), at_least, at_most)}")
        return int(value)

    number: JsonSchema = {"type": "integer", "minimum": at_least, "maximum": at_most}
    return Word("whole number", parse, (number, {"type": "string", "pattern": "^[0-9]+$"}))


def boolean_or(word: Word[V]) -> Word[bool | V]:
    """Return the word for true or false, or else for `word`."""

    def parse(value: str) -> bool | V:
        return _BOOLEANS[value.lower()] if value.lower() in _BOOLEANS else word.parse(value)

    return Word(f"{BOOLEAN.noun} | {word.noun}", parse, (*BOOLEAN.schema, *word.schema))


def choice_or(names: tuple[str, ...], word: Word[str]) -> Word[str]:
    """Return the word for one of `names`, or else for `word`."""

    def parse(value: str) -> str:
        return value if value in names else word.parse(value)

    return Word(f"{' | '.join(names)} | {word.noun}", parse, ({"enum": list(names)}, *word.schema))


def _spelled(value: str, names: Mapping[str, str]) -> str:
    """Return `: write ` and the right spelling of a number with another program's unit, or nothing."""
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]+)", value.strip())
    unit = names.get(found[2].lower()) if found else None
    if found is None or unit is None or (names is _SIZE_NAMES and "." in found[1]):
        return ""
    if unit == "d":
        return f": write {float(found[1]) * 24:g}h"
    return f": write {found[1]}{unit}"


_DURATION_NAMES = {
    **dict.fromkeys(("ms", "msec", "millisecond", "milliseconds", "millis"), "ms"),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), "m"),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), "h"),
    **dict.fromkeys(("d", "day", "days"), "d"),
}
_SIZE_NAMES = {
    **dict.fromkeys(("k", "kb", "kib", "ki"), "KiB"),
    **dict.fromkeys(("m", "mb", "mib", "mi"), "MiB"),
    **dict.fromkeys(("g", "gb", "gib", "gi"), "GiB"),
    **dict.fromkeys(("b", "bytes"), ""),
}


def _bound(value: int, at_least: int, at_most: int) -> str:
    return f"at least {at_least}" if value < at_least else f"at most {at_most}"


def _negative(value: str, zero: str) -> str:
    return f"; 0 is {zero}" if zero and value.startswith("-") else ""


def _shown(seconds: float) -> str:
    for unit, length in (("h", 3600.0), ("m", 60.0), ("s", 1.0)):
        if seconds >= length and seconds % length == 0:
            return f"{int(seconds // length)}{unit}"
    return f"{round(seconds * 1000)}ms"
