"""Origins that a policy allows: the exact ones, and a made-up one for each pattern and expression.

A made-up one is used only if the policy does allow it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from corsproxy.cors import OriginSpec, Policy
from corsproxy.tools.live.look_alikes import STRANGER

MADE_UP = "corsproxyverify"
"""A label in every origin made up here, by which `learn` recognizes it."""
_PORT = "8443"


@dataclass(frozen=True, slots=True)
class Member:
    """One origin that must be granted."""

    origin: str
    rule: int
    """The index in `allow_origins` of the item that matches it."""
    base: str | None
    """The origin whose look-alikes must be refused; None for `*` and `null`."""
    policy: int = 0
    """The index of its policy among those of the route."""


def members_of(policy: Policy, place: int = 0) -> tuple[list[Member], list[int]]:
    """Return the origins, and the indexes of items for which none could be made up."""
    found: list[Member] = []
    without: list[int] = []
    if place:
        made, without = members_of(policy)
        return [replace(one, policy=place) for one in made], without
    for rule, item in enumerate(policy.spec.allow_origins):
        made = [
            one
            for one in _made(item, rule)
            if policy.matching_rule(one.origin.encode("latin-1", "replace")) is not None
        ]
        found += made
        if not made:
            without.append(rule)
    return found, without


def _made(item: OriginSpec, rule: int) -> Iterator[Member]:
    text = item.text
    if item.is_regex:
        origin = example_of(text)
        if origin is not None:
            yield Member(origin, rule, origin)
    elif text == "*":
        yield Member(STRANGER, rule, None)
        yield Member("null", rule, None)
    elif text == "null":
        yield Member("null", rule, None)
    else:
        text = re.sub(r":\*$", f":{_PORT}", text)
        bare = text.replace("://*.", "://")
        for label in (MADE_UP, f"a.{MADE_UP}") if bare != text else (MADE_UP,):
            yield Member(text.replace("*", label), rule, bare.replace("*", MADE_UP))
            if "*" not in text:
                return


def example_of(expression: str) -> str | None:
    """Return a text that the expression matches in full, or None if none could be made up."""
    try:
        parser: Any = getattr(re, "_parser")  # noqa: B009 - typeshed does not know it
        text = "".join(_example(parser.parse(expression)))
    except (AttributeError, re.error, _TooHardError):
        return None
    return text if re.fullmatch(expression, text) else None


class _TooHardError(Exception):
    """A part of an expression for which no text can be made up."""


def _example(items: Iterable[tuple[Any, Any]]) -> Iterator[str]:
    for operation, argument in items:
        match str(operation):
            case "LITERAL":
                yield chr(argument)
            case "ANY" | "NOT_LITERAL":
                yield "a"
            case "IN":
                yield _member_of_set(argument)
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                least, most, repeated = argument
                yield "".join(_example(repeated)) * max(least, min(1, int(most)))
            case "SUBPATTERN":
                yield from _example(argument[3])
            case "ATOMIC_GROUP":
                yield from _example(argument)
            case "BRANCH":
                yield from _example(argument[1][0])
            case "AT" | "ASSERT" | "ASSERT_NOT":
                continue  # the whole text is tested later
            case _:
                raise _TooHardError


def _member_of_set(choices: list[tuple[Any, Any]]) -> str:
    expression = {"CATEGORY_DIGIT": "7", "CATEGORY_WORD": "a", "CATEGORY_NOT_SPACE": "a", "CATEGORY_NOT_DIGIT": "a"}
    if str(choices[0][0]) == "NEGATE":
        return "a"
    operation, argument = choices[0]
    match str(operation):
        case "LITERAL":
            return chr(argument)
        case "RANGE":
            return chr(argument[0])
        case _:
            return expression.get(str(argument), "a")
