"""Matches strangers' origins against a regular expression, without the exponential time that `re` may need."""

from __future__ import annotations

import re

from corsproxy.cors.expressions import Automaton

_MOST_REMEMBERED = 20_000
"""States in the cached sets of a matcher; clients choose the texts, so a full cache is emptied."""


class Matcher:
    """Match texts with an automaton that reads each character once, where `re` could take exponential time."""

    def __init__(self, automaton: Automaton) -> None:
        self._automaton = automaton
        self._start = frozenset(automaton.starts())
        self._accepting = frozenset(automaton.accepting())
        self._known: dict[tuple[frozenset[int], str], frozenset[int]] = {}
        self._size = 0

    def fullmatch(self, text: str) -> bool:
        """Return whether the whole text matches; the text has only characters of `ALPHABET`, and at least one."""
        states = self._start
        for character in text:
            after = self._known.get((states, character))
            if after is None:
                after = frozenset(self._automaton.after(states, character))
                self._size += len(after) + 1
                if self._size > _MOST_REMEMBERED:
                    self._known.clear()
                    self._size = len(after) + 1
                self._known[states, character] = after
            if not after:
                return False
            states = after
        return not states.isdisjoint(self._accepting)


def safe_matcher(regex: re.Pattern[str]) -> re.Pattern[str] | Matcher:
    """Return a matcher for an expression: `re`, unless a hostile Origin could keep it busy (ReDoS).

    An expression that an automaton cannot express in full (look-around, references) is left to `re`, even a steep one.
    """
    try:
        automaton = Automaton(regex.pattern)
    except RecursionError:
        return regex
    return Matcher(automaton) if automaton.is_steep and automaton.is_exact else regex
