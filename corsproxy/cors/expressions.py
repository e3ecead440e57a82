"""A regular expression as an automaton over the characters of serialized origins, to judge it without running it.

Running it could take years (`re` backtracks, and has no time-out); an automaton is walked in a bounded number of steps.
What an automaton cannot express (look-around, word boundaries, possessive repeats) is left out, and what is too large
is widened: the automaton matches at least what the expression matches, never less.
It must not know what an origin is.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from functools import cache

# The tree is `re`'s own, which no other parser reads the same way; `tests/cors/test_effects.py` holds it.
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any, Final

ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz0123456789-._:/+[]"
"""Every character that a serialized origin may contain."""

ALL: Final = (1 << len(ALPHABET)) - 1
_BITS: Final = {character: 1 << place for place, character in enumerate(ALPHABET)}

_CATEGORIES: Final = {
    sre.CATEGORY_DIGIT: r"\d",
    sre.CATEGORY_NOT_DIGIT: r"\D",
    sre.CATEGORY_SPACE: r"\s",
    sre.CATEGORY_NOT_SPACE: r"\S",
    sre.CATEGORY_WORD: r"\w",
    sre.CATEGORY_NOT_WORD: r"\W",
}
_MASKS: Final = {
    category: sum(bit for character, bit in _BITS.items() if re.fullmatch(text, character))
    for category, text in _CATEGORIES.items()
}
_FOLDED: Final = {"i": "\u0130\u0131", "k": "\u212a", "s": "\u017f"}
"""Letters outside ASCII that `re.IGNORECASE` treats as an ASCII letter."""

_MOST_SHORT = 8
"""Repetitions that are cheap, however often they are tried."""

_MOST_REPEATS = 2
"""Consecutive long repeats that `re` may try in every combination: with two, 300 squared."""

STEP, BEGIN, END = 0, 1, 2
"""Edges that read no character: always open, or only at the beginning or end of the text."""


def mask_of(characters: str) -> int:
    """Return the set of `characters` as bits."""
    return sum(_BITS[character] for character in set(characters))


class Automaton:
    """States are numbers; 0 is the initial one, and `end` accepts."""

    def __init__(self, text: str) -> None:
        """Read the expression `text`, which compiles."""
        self.reads: list[list[tuple[int, int]]] = []
        """By state: the characters, and the state to which they lead."""
        self.edges: list[list[tuple[int, int]]] = []
        """By state: edges that read nothing, by kind."""
        self.is_exact = True
        """False if something was left out or widened, so that more is matched than the expression matches."""
        self.is_steep = False
        """True if `re` may need a number of steps that grows fast with the length of a text that does not match."""
        self._open_repeats = 0
        self._repeats = 0
        self._most = 1_000 + 40 * len(text)
        """The most states; an expression that needs more is widened."""
        self._masks: dict[tuple[int, Any, int], int] = {}
        """By the class of one character: a repeat reads the same class again and again."""
        self._groups: dict[int, tuple[Any, int]] = {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._tree = _parser.parse(text)
        self.end = self._sequence(self._tree, self._new(), self._tree.state.flags)

    def _new(self) -> int:
        self.reads.append([])
        self.edges.append([])
        return len(self.reads) - 1

    def _read(self, state: int, mask: int) -> int:
        after = self._new()
        if mask:
            self.reads[state].append((mask, after))
        return after

    def _sequence(self, items: Any, state: int, flags: int) -> int:
        for operator, argument in items:
            state = self._item(operator, argument, state, flags)
        return state

    def _item(self, operator: Any, argument: Any, state: int, flags: int) -> int:
        match operator:
            case sre.LITERAL | sre.NOT_LITERAL | sre.IN | sre.ANY:
                if (mask := self._masks.get((id(argument), operator, flags))) is None:
                    mask = self._masks[id(argument), operator, flags] = _mask(operator, argument, flags)
                return self._read(state, mask)
            case sre.BRANCH:
                self.is_steep = self.is_steep or self._open_repeats > 0
                return self._branch(argument[1], state, flags)
            case sre.SUBPATTERN:
                group, added, removed, items = argument
                flags = (flags | added) & ~removed
                self._groups[group] = (items, flags)
                return self._sequence(items, state, flags)
            case sre.MAX_REPEAT | sre.MIN_REPEAT:
                least, most, items = argument
                return self._repeat(least, most, items, state, flags)
            case sre.AT:
                return self._at(argument, state)
            case sre.FAILURE:
                return self._new()
        self.is_exact = False
        match operator:
            case sre.POSSESSIVE_REPEAT:
                least, most, items = argument
                return self._repeat(least, most, items, state, flags)
            case sre.ATOMIC_GROUP:
                return self._sequence(argument, state, flags)
            case sre.ASSERT | sre.ASSERT_NOT:
                return state
            case sre.GROUPREF if argument in self._groups and len(self.reads) < self._most:
                return self._sequence(*self._groups[argument][:1], state, self._groups[argument][1])
            case sre.GROUPREF_EXISTS:
                return self._branch([argument[1], argument[2] or ()], state, flags)
            case _:
                return self._repeat(0, sre.MAXREPEAT, [(sre.ANY, None)], state, flags)

    def _branch(self, alternatives: Any, state: int, flags: int) -> int:
        after = self._new()
        for items in alternatives:
            self.edges[self._sequence(items, state, flags)].append((STEP, after))
        return after

    def _repeat(self, least: int, most: Any, items: Any, state: int, flags: int) -> int:
        is_long = most == sre.MAXREPEAT or most > _MOST_SHORT
        self._repeats += is_long
        self.is_steep = self.is_steep or self._repeats > _MOST_REPEATS or (self._open_repeats > 0 and most != 1)
        self._open_repeats += is_long
        state = self._copies(least, most, items, state, flags)
        self._open_repeats -= is_long
        return state

    def _copies(self, least: int, most: Any, items: Any, state: int, flags: int) -> int:
        copies = 0
        while copies < least and len(self.reads) < self._most:
            state = self._sequence(items, state, flags)
            copies += 1
        if most == sre.MAXREPEAT or len(self.reads) >= self._most:
            self.is_exact = self.is_exact and most == sre.MAXREPEAT and copies == least
            loop = self._new()
            self.edges[state].append((STEP, loop))
            self.edges[self._sequence(items, loop, flags)].append((STEP, loop))
            return self._step(loop)
        after = self._new()
        while copies < most and len(self.reads) < self._most:
            self.edges[state].append((STEP, after))
            state = self._sequence(items, state, flags)
            copies += 1
        if copies < most:
            self.is_exact = False
            state = self._copies(0, sre.MAXREPEAT, items, state, flags)
        self.edges[state].append((STEP, after))
        return after

    def _step(self, state: int) -> int:
        after = self._new()
        self.edges[state].append((STEP, after))
        return after

    def _at(self, where: Any, state: int) -> int:
        kind = STEP
        if where in (sre.AT_BEGINNING, sre.AT_BEGINNING_STRING, sre.AT_BEGINNING_LINE):
            kind = BEGIN
        elif where in (sre.AT_END, sre.AT_END_STRING, sre.AT_END_LINE):
            kind = END
        else:
            self.is_exact = False
        after = self._new()
        self.edges[state].append((kind, after))
        return after

    def starts(self) -> set[int]:
        """Return the states in which a text begins."""
        return self._closure({0}, (STEP, BEGIN))

    def accepting(self) -> set[int]:
        """Return the states in which a text may end."""
        before: list[list[int]] = [[] for _ in self.edges]
        for state, edges in enumerate(self.edges):
            for kind, after in edges:
                if kind != BEGIN:
                    before[after].append(state)
        found, todo = {self.end}, [self.end]
        while todo:
            for state in before[todo.pop()]:
                if state not in found:
                    found.add(state)
                    todo.append(state)
        return found

    def matches(self, text: str) -> bool:
        """Return whether the automaton accepts a text, which is not empty; linear in both."""
        states = self.starts()
        for character in text:
            states = self.after(states, character)
        return not states.isdisjoint(self.accepting())

    def after(self, states: Iterable[int], character: str) -> set[int]:
        """Return the states after reading a character."""
        bit = _BITS.get(character, 0)
        read = {after for state in states for mask, after in self.reads[state] if mask & bit}
        return self._closure(read, (STEP,))

    def _closure(self, states: set[int], kinds: tuple[int, ...]) -> set[int]:
        found, todo = set(states), list(states)
        while todo:
            for kind, after in self.edges[todo.pop()]:
                if kind in kinds and after not in found:
                    found.add(after)
                    todo.append(after)
        return found


def _mask(operator: Any, argument: Any, flags: int) -> int:
    """Return the characters that a character class matches."""
    if operator is sre.ANY:
        return ALL
    folds = bool(flags & int(re.IGNORECASE))
    if operator is sre.IN:
        negated = bool(argument) and argument[0][0] is sre.NEGATE
        mask = 0
        for kind, value in argument[negated:]:
            if kind is sre.CATEGORY:
                mask |= _MASKS[value]
            else:
                low, high = value if kind is sre.RANGE else (value, value)
                mask |= _range_mask(low, high, folds=folds, exactly=negated)
        return ALL & ~mask if negated else mask
    mask = _range_mask(argument, argument, folds=folds, exactly=operator is sre.NOT_LITERAL)
    return ALL & ~mask if operator is sre.NOT_LITERAL else mask


@cache
def _range_mask(low: int, high: int, *, folds: bool, exactly: bool) -> int:
    mask = 0
    for character, bit in _BITS.items():
        spellings = character
        if folds:
            spellings += character.upper() + ("" if exactly else _FOLDED.get(character, ""))
        if any(low <= ord(spelling) <= high for spelling in spellings):
            mask |= bit
    return mask
