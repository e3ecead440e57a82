"""Whom a regular expression lets in, judged by its effect: the origins it matches, not the way it is written.

The expression's automaton is walked together with that of serialised origins, so that what is found is found of every
origin it matches; a few made-up ones are then shown as witnesses.
A site is what one owner has: a public suffix and one label before it.
The walk is bounded by the expression's length, and what is not understood within the bound counts as dangerous.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from corsproxy.cors.expressions import ALPHABET, STEP, Automaton, mask_of
from corsproxy.cors.origins import parse_origin
from corsproxy.cors.public_suffix import is_public_suffix
from corsproxy.cors.serialised import DOMAIN, IPV4, IPV6, LOOPBACK, serialised_origins

_MOST_NARROW = 10
"""Characters in one place that still count as spelled out: a digit, an alternation of letters."""

_MOST_NAMES = 2_000
"""Ends of hosts that are followed; what names more sites than that does not spell them out."""

_MOST_NETWORKS = 16
"""Beginnings of IPv4 addresses, two octets long, that count as spelled out."""

_DOT = mask_of(".")
_HOST = mask_of("abcdefghijklmnopqrstuvwxyz0123456789-_.")
_PREFERRED = "xevil" + ALPHABET
"""Characters of a witness, the first that will do."""


class Danger(Enum):
    """What an expression lets in without spelling it out."""

    STRANGER = "stranger"
    """Any site."""
    LOOK_ALIKE = "look-alike"
    """A site whose name has more in it than the expression spells out."""
    SUFFIX = "suffix"
    """Any site under a public suffix."""
    INSECURE = "insecure"
    """A plain-http page that is not loopback's."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One danger, with an origin that shows it."""

    danger: Danger
    witness: str | None
    """None if not everything in the expression was understood, so that it may not be matched after all."""
    spans_labels: bool = False
    """True if what is not spelled out may hold a dot, and so more than a name under one suffix."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What is known of an expression."""

    matches_none: bool
    """No serialised origin matches."""
    findings: tuple[Finding, ...] = ()


@lru_cache(maxsize=64)
def effect_of(text: str) -> Effect:
    """Judge an expression that compiles."""
    try:
        return _Walk(Automaton(text)).effect()
    except (_TooMuch, RecursionError):
        return Effect(matches_none=False, findings=(Finding(Danger.STRANGER, None, spans_labels=True),))


_Edge = tuple[int, int, int]


class _TooMuch(Exception):  # noqa: N818 - a bound that is met, no error
    """More work than the length of the expression allows."""


class _Walk:
    """The product of the two automata: every way in which some origin matches."""

    def __init__(self, automaton: Automaton) -> None:
        self._automaton = automaton
        self._origins = serialised_origins()
        self._at: list[tuple[int, int]] = []
        """By node: the state of each automaton."""
        self._from: list[tuple[int, int] | None] = []
        """By node: the node it was first reached from, and the characters that led here (0 is none)."""
        self._after: list[list[_Edge]] = []
        self._before: list[list[_Edge]] = []
        """By node: the nodes beside it, the characters on the way, and those that the expression takes there."""
        self._build()
        accepting = automaton.accepting()
        self._ends = [
            node for node, (state, place) in enumerate(self._at) if state in accepting and self._origins[place].ends
        ]
        self._alive = self._reaching(self._ends)
        self._loops = self._components()

    def _build(self) -> None:
        nodes: dict[tuple[int, int], int] = {}
        budget = 20_000 + 60 * len(self._automaton.reads)

        def reach(at: tuple[int, int], source: int | None, mask: int, written: int) -> None:
            node = nodes.get(at)
            if node is None:
                node = nodes[at] = len(self._at)
                self._at.append(at)
                self._from.append(None if source is None else (source, mask))
                self._after.append([])
                self._before.append([])
            if source is not None:
                self._after[source].append((node, mask, written))
                self._before[node].append((source, mask, written))

        for state in self._automaton.starts():
            reach((state, 0), None, 0, 0)
        for node, (state, place) in enumerate(self._at):  # which grows
            steps = self._origins[place].steps
            for kind, after in self._automaton.edges[state]:
                if kind == STEP:
                    reach((after, place), node, 0, 0)
            for mask, after in self._automaton.reads[state]:
                for characters, next_place in steps:
                    if both := mask & characters:
                        reach((after, next_place), node, both, mask)
                budget -= len(steps)
            if budget < 0:
                raise _TooMuch

    def effect(self) -> Effect:
        """Return what the walk shows."""
        if not self._ends:
            return Effect(matches_none=True)
        found: dict[Danger, Finding] = {}
        for finding in (*self._strangers(), *self._insecure()):
            found.setdefault(finding.danger, finding)
        if Danger.STRANGER not in found:
            found |= {finding.danger: finding for finding in self._addresses()}
        if Danger.STRANGER in found:  # who lets everybody in lets these in, too
            found.pop(Danger.LOOK_ALIKE, None)
            found.pop(Danger.SUFFIX, None)
        return Effect(matches_none=False, findings=tuple(found.values()))

    # --- plain http -------------------------------------------------------------------------------------------------

    def _insecure(self) -> Iterator[Finding]:
        for node in self._ends:
            origin = self._origins[self._at[node][1]]
            if origin.scheme == "http" and origin.kind != LOOPBACK:
                yield Finding(Danger.INSECURE, self._shown(["http://evil.example"], self._text(node)))
                return

    # --- sites ------------------------------------------------------------------------------------------------------

    def _strangers(self) -> Iterator[Finding]:
        """Follow hosts from their end: what comes before a whole site is its owner's."""
        todo: list[tuple[str, Iterable[int]]] = [("", self._host_ends(DOMAIN))]
        for names, (name, nodes) in enumerate(_popped(todo)):
            if names > _MOST_NAMES + 2 * len(self._automaton.reads):
                yield Finding(Danger.LOOK_ALIKE, self._shown([], self._text(min(nodes)) + name))
                return
            if name.startswith(".") and _is_site(name[1:]):
                continue
            longer: dict[str, set[int]] = {}
            free: list[tuple[int, int, int]] = []
            for node in self._closed(nodes):
                for before, mask, written in self._before[node]:
                    if not mask or self._region(before) != "host":
                        continue
                    if self._is_free(before, node, written) and mask & ~_DOT:
                        free.append((before, node, mask & ~_DOT))
                        mask &= _DOT
                    for place, character in enumerate(ALPHABET):
                        if mask >> place & 1:
                            longer.setdefault(character + name, set()).add(before)
            if free:
                finding = self._finding(free, name)
                yield finding
                if finding.danger is Danger.STRANGER:
                    return
            todo += longer.items()

    def _is_free(self, before: int, node: int, written: int) -> bool:
        """Return whether an edge takes more characters, or more often, than the expression spells out."""
        return (written & _HOST).bit_count() > _MOST_NARROW or self._loops[before] == self._loops[node]

    def _finding(self, free: list[tuple[int, int, int]], name: str) -> Finding:
        """Return what it means that before `name` anything may stand; the first node is nearest to the beginning."""
        before, node, mask = min(free)
        label, dot, suffix = name.partition(".")
        begin, rest = self._text(before), self._rest(node)
        shortest = begin + _character(mask) + name + rest
        known = {self._origins[self._at[one][1]].scheme for one, _, _ in free}
        schemes = [scheme for scheme in ("https", "http") if scheme in known]
        if not name:
            made_up = [f"{scheme}://evil.example" for scheme in schemes]
            made_up += [begin + end for end in (".evil.example", "-evil.example", "evil.example", ".evil.com")]
            danger = Danger.STRANGER
        elif dot and not label:
            made_up = [f"{scheme}://evil.{suffix}" for scheme in schemes]
            danger = Danger.SUFFIX
        else:
            made_up = [f"{scheme}://{evil}{name}" for scheme in schemes for evil in ("evil-", "evil", "evil.")]
            danger = Danger.LOOK_ALIKE
        spans_labels = any(
            written & _DOT for one, other, _ in free for at, _, written in self._before[other] if at == one
        )
        return Finding(danger, self._shown([text + rest for text in made_up], shortest), spans_labels)

    def _host_ends(self, kind: str) -> frozenset[int]:
        """Return the nodes at which a host of this kind may end."""
        found = set()
        for node in self._ends:
            origin = self._origins[self._at[node][1]]
            if origin.region == "host" and origin.kind == kind:
                found.add(node)
        for node in self._alive:
            if self._region(node) == "port":
                for before, _, _ in self._before[node]:
                    if self._region(before) == "host" and self._origins[self._at[before][1]].kind == kind:
                        found.add(before)
        return frozenset(found)

    # --- addresses --------------------------------------------------------------------------------------------------

    def _addresses(self) -> Iterator[Finding]:
        """Judge IP addresses: by the networks that are spelled out."""
        ends = self._host_ends(IPV6)
        alive = self._reaching(ends)
        for node in alive:
            for before, mask, written in self._before[node]:
                if mask and self._region(before) == "host" and self._is_free(before, node, written):
                    yield Finding(Danger.STRANGER, self._shown(["https://[2001:db8::1]"], None), spans_labels=True)
                    return
        yield from self._ipv4()

    def _ipv4(self) -> Iterator[Finding]:
        alive = self._reaching(self._host_ends(IPV4))
        begins = {node for node in alive if self._origins[self._at[node][1]].begins_host}
        todo: list[tuple[str, Iterable[int]]] = [("", begins)] if begins else []
        networks = 0
        for names, (name, nodes) in enumerate(_popped(todo)):
            networks += name.count(".") == 2
            if name.count(".") == 2 or _is_private(name):
                continue
            if networks > _MOST_NETWORKS or names > _MOST_NAMES:
                made_up = [f"{scheme}://203.0.113.7" for scheme in ("https", "http")]
                yield Finding(Danger.STRANGER, self._shown(made_up, None), spans_labels=True)
                return
            longer: dict[str, set[int]] = {}
            for node in self._closed(nodes, forward=True):
                for after, mask, _ in self._after[node]:
                    if mask and after in alive:
                        for place, character in enumerate(ALPHABET):
                            if mask >> place & 1:
                                longer.setdefault(name + character, set()).add(after)
            todo += longer.items()

    # --- the graph --------------------------------------------------------------------------------------------------

    def _region(self, node: int) -> str:
        return self._origins[self._at[node][1]].region

    def _closed(self, nodes: Iterable[int], *, forward: bool = False) -> set[int]:
        """Return `nodes` and those that edges without a character lead from (or to)."""
        edges = self._after if forward else self._before
        found, todo = set(nodes), list(nodes)
        while todo:
            for other, mask, _ in edges[todo.pop()]:
                if not mask and other not in found:
                    found.add(other)
                    todo.append(other)
        return found

    def _reaching(self, ends: Iterable[int]) -> set[int]:
        found, todo = set(ends), list(ends)
        while todo:
            for before, _, _ in self._before[todo.pop()]:
                if before not in found:
                    found.add(before)
                    todo.append(before)
        return found

    def _components(self) -> list[int]:
        """Number the strongly connected components: an edge within one may be taken any number of times (Kosaraju)."""
        order: list[int] = []
        seen = [node not in self._alive for node in range(len(self._at))]
        for root in self._alive:
            if seen[root]:
                continue
            seen[root] = True
            stack = [(root, iter(self._after[root]))]
            while stack:
                node, edges = stack[-1]
                for after, _, _ in edges:
                    if not seen[after]:
                        seen[after] = True
                        stack.append((after, iter(self._after[after])))
                        break
                else:
                    order.append(node)
                    stack.pop()
        component = [-1] * len(self._at)
        for number, root in enumerate(reversed(order)):
            todo = [root] if component[root] < 0 else []
            while todo:
                node = todo.pop()
                if component[node] < 0 and node in self._alive:
                    component[node] = number
                    todo += [before for before, _, _ in self._before[node]]
        return component

    # --- witnesses --------------------------------------------------------------------------------------------------

    def _text(self, node: int) -> str:
        """Return a beginning that leads to `node`."""
        text = ""
        while (step := self._from[node]) is not None:
            node, mask = step
            text = (_character(mask) if mask else "") + text
        return text

    def _rest(self, node: int) -> str:
        """Return the shortest end that a host at `node` may have: nothing, or a port."""
        ends = set(self._ends)
        found, todo = {node}, [(node, "")]
        for at, text in todo:  # which grows
            if at in ends:
                return text
            for after, mask, _ in self._after[at]:
                if after not in found and (not mask or self._region(after) == "port"):
                    found.add(after)
                    todo.append((after, text + (_character(mask) if mask else "")))
        return ""

    def _shown(self, made_up: Iterable[str], otherwise: str | None) -> str | None:
        """Return the first made-up origin that matches, else what the walk has come by."""
        for text in (*made_up, otherwise) if self._automaton.is_exact else ():
            if text is not None and parse_origin(text.encode("ascii")) is not None and self._automaton.matches(text):
                return text
        return None


def _popped(todo: list[tuple[str, Iterable[int]]]) -> Iterator[tuple[str, Iterable[int]]]:
    while todo:
        yield todo.pop()


def _character(mask: int) -> str:
    return next((character for character in _PREFERRED if mask >> ALPHABET.index(character) & 1), "")


def _is_site(name: str) -> bool:
    """Return whether everything below `name` is of one owner."""
    return name == "localhost" or (name != "" and not is_public_suffix(name))


def _is_private(name: str) -> bool:
    """Return whether an IPv4 address that begins so is of a private network (RFC 1918, RFC 3927)."""
    return name.startswith(("10.", "192.168.", "169.254.", *(f"172.{second}." for second in range(16, 32))))
