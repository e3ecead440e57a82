"""What can be said of a regular expression over origins by reading it.

Whether an expression can match some plain-http origin is judged by its first characters, conservatively:
where they cannot be read as plain text, it is taken to match.
Knows no policy.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_HTTP = "http://"
_MAX_STEPS = 200
"""Branches followed before an expression counts as unreadable; real ones have a handful."""

_LITERAL = re.compile(r"\\([/:.\-+])|\[([a-z])\]|([a-z:/])")
_OPTIONAL_PORT = r":(?:(?:\\d|\[0-9\]|[0-9])(?:[+*]|\{[0-9]+(?:,[0-9]*)?\})?)+"
# After `http://`: a loopback host in plain text, and nothing but a port behind it.
_LOOPBACK_REST = re.compile(
    r"(?:localhost|127\\\.(?:[0-9]{1,3}|\\d\+|\[0-9\]\+)(?:\\\.(?:[0-9]{1,3}|\\d\+|\[0-9\]\+)){2}|\\\[::1\\?\])"
    rf"(?:{_OPTIONAL_PORT}|\((?:\?:)?{_OPTIONAL_PORT}\)\??)?(?:\$|\\Z)?"
)
_UNESCAPED_DOT = re.compile(r"\.(?=[a-z0-9])")
_SKIPPED = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
_COLON_OR_WILD = re.compile(r":|\\[xuNWSD]|\[\^|\.")


def can_match_insecure(text: str) -> bool:
    """Say whether the expression may match a plain-http origin that is not a loopback one."""
    budget = [_MAX_STEPS]
    found = any(rest is None or not _LOOPBACK_REST.fullmatch(rest) for rest in _starts(text, "", budget))
    return found or budget[0] < 0


def has_loose_dot(text: str) -> bool:
    """Say whether a dot before a word is left unescaped, and so stands for any character."""
    return _UNESCAPED_DOT.search(_SKIPPED.sub("_", text)) is not None


def matches_no_scheme(text: str) -> bool:
    """Say whether nothing in the expression can match the `://` that every origin has."""
    return _COLON_OR_WILD.search(text.replace("\\.", "")) is None


def _starts(text: str, seen: str, budget: list[int]) -> Iterator[str | None]:
    """Follow every way the expression may begin, as far as `http://`.

    Gives the rest of the expression after it, or None where the beginning could not be read as plain text.
    Ways that cannot come to `http://` are dropped.
    """
    budget[0] -= 1
    if budget[0] < 0 or not _HTTP.startswith(seen):
        return
    alternatives = _split(text)
    if len(alternatives) > 1:
        for alternative in alternatives:
            yield from _starts(alternative, seen, budget)
        return
    if seen == _HTTP:
        yield text
    elif text.startswith(("^", "\\A")):
        yield from _starts(text[1 if text[0] == "^" else 2 :], seen, budget)
    elif group := _group(text):
        yield from _after(group[0], group[1], seen, budget)
    elif literal := _LITERAL.match(text):
        char = literal[1] or literal[2] or literal[3]
        yield from _after([char], text[literal.end() :], seen, budget, is_literal=True)
    elif text:
        yield None


def _after(
    items: list[str], rest: str, seen: str, budget: list[int], *, is_literal: bool = False
) -> Iterator[str | None]:
    """Follow an item, a character or the alternatives of a group, and the quantifier behind it."""
    if rest.startswith(("*", "+", "{")):
        yield None
        return
    if rest.startswith("?"):
        rest = rest[1:].removeprefix("?").removeprefix("+")
        yield from _starts(rest, seen, budget)
    for item in items:
        if is_literal:
            yield from _starts(rest, seen + item, budget)
        else:
            yield from _starts(item + rest, seen, budget)


def _split(text: str) -> list[str]:
    """The alternatives between top-level bars."""
    parts = [""]
    depth = 0
    for item in _items(text):
        depth += (item == "(") - (item == ")")
        if item == "|" and depth == 0:
            parts.append("")
        else:
            parts[-1] += item
    return parts


def _group(text: str) -> tuple[list[str], str] | None:
    """The alternatives of the plain group that `text` begins with, and what follows it."""
    if not text.startswith("(") or (text.startswith("(?") and not text.startswith("(?:")):
        return None
    depth = 0
    length = 0
    for item in _items(text):
        depth += (item == "(") - (item == ")")
        length += len(item)
        if depth == 0:
            break
    return _split(text[1 : length - 1].removeprefix("?:")), text[length:]


def _items(text: str) -> Iterator[str]:
    """The expression cut in escapes, classes and single characters."""
    place = 0
    while place < len(text):
        skipped = _SKIPPED.match(text, place)
        end = skipped.end() if skipped else place + 1
        yield text[place:end]
        place = end
