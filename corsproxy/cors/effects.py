"""The effect of a regular expression: the origins that it matches, not the way it is written.

The expression's automaton is walked together with that of serialized origins, so a finding covers every origin that the
expression matches; a made-up origin is then shown as a witness.
A site is what one owner controls: a public suffix and one label before it.
The walk is bounded by the expression's length, and whatever is not understood within the bound counts as dangerous.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from corsproxy.cors.expressions import ALPHABET, Automaton, mask_of
from corsproxy.cors.match_graph import MatchGraph, TooLargeError, character_of
from corsproxy.cors.public_suffix import is_public_suffix
from corsproxy.cors.serialized import DOMAIN, IPV4, IPV6, LOOPBACK

_MOST_NARROW = 10
"""The most characters in one place that still count as spelled out: a digit, an alternation of letters."""

_MOST_NAMES = 2_000
"""The most ends of hosts to follow; an expression with more sites does not spell them out."""

_MOST_NETWORKS = 16
"""The most prefixes of IPv4 addresses, two octets long, that count as spelled out."""

_DOT = mask_of(".")
_HOST = mask_of("abcdefghijklmnopqrstuvwxyz0123456789-_.")


class Danger(Enum):
    """A kind of origin that an expression matches without spelling it out."""

    STRANGER = "stranger"
    """Any site."""
    LOOK_ALIKE = "look-alike"
    """A site whose name has more in it than the expression spells out."""
    SUFFIX = "suffix"
    """Any site under a public suffix."""
    INSECURE = "insecure"
    """A plain-http page that is not on loopback."""


@dataclass(frozen=True, slots=True)
class ShownDanger:
    """One danger, with an origin as an example."""

    danger: Danger
    witness: str | None
    """None if not everything in the expression was understood, so that it may not be matched after all."""
    spans_labels: bool = False
    """True if the part that is not spelled out may contain a dot, and so more than a name under one suffix."""


@dataclass(frozen=True, slots=True)
class Effect:
    """The findings about an expression."""

    matches_none: bool
    """True if no serialized origin matches."""
    findings: tuple[ShownDanger, ...] = ()


@lru_cache(maxsize=64)
def effect_of(text: str) -> Effect:
    """Return the findings about an expression that compiles."""
    try:
        return _Judge(MatchGraph(Automaton(text))).effect()
    except (TooLargeError, RecursionError):
        return Effect(matches_none=False, findings=(ShownDanger(Danger.STRANGER, None, spans_labels=True),))


class _Judge:
    """Finds the dangers in what an expression matches."""

    def __init__(self, graph: MatchGraph) -> None:
        self._graph = graph

    def effect(self) -> Effect:
        """Return the findings of the walk."""
        if not self._graph.ends:
            return Effect(matches_none=True)
        found: dict[Danger, ShownDanger] = {}
        for finding in (*self._strangers(), *self._insecure()):
            found.setdefault(finding.danger, finding)
        if Danger.STRANGER not in found:
            found |= {finding.danger: finding for finding in self._addresses()}
        if Danger.STRANGER in found:  # an expression that matches everyone matches these, too
            found.pop(Danger.LOOK_ALIKE, None)
            found.pop(Danger.SUFFIX, None)
        return Effect(matches_none=False, findings=tuple(found.values()))

    def _insecure(self) -> Iterator[ShownDanger]:
        for node in self._graph.ends:
            origin = self._graph.origins[self._graph.at[node][1]]
            if origin.scheme == "http" and origin.kind != LOOPBACK:
                yield ShownDanger(
                    Danger.INSECURE, self._graph.witness(["http://evil.example"], self._graph.beginning(node))
                )
                return

    def _strangers(self) -> Iterator[ShownDanger]:
        """Yield dangers among names, followed from their end: those below a whole site belong to its owner."""
        todo: list[tuple[str, Iterable[int]]] = [("", self._graph.host_ends(DOMAIN))]
        for names, (name, nodes) in enumerate(_popped(todo)):
            if names > _MOST_NAMES + 2 * len(self._graph.automaton.reads):
                yield ShownDanger(Danger.LOOK_ALIKE, self._graph.witness([], self._graph.beginning(min(nodes)) + name))
                return
            if name.startswith(".") and _is_site(name[1:]):
                continue
            longer: dict[str, set[int]] = {}
            free: list[tuple[int, int, int]] = []
            for node in self._graph.closed(nodes):
                for before, mask, written in self._graph.before[node]:
                    if not mask or self._graph.region(before) != "host":
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
        """Return whether an edge accepts more characters, or more repetitions, than the expression spells out."""
        return (written & _HOST).bit_count() > _MOST_NARROW or self._graph.loops[before] == self._graph.loops[node]

    def _finding(self, free: list[tuple[int, int, int]], name: str) -> ShownDanger:
        """Return the danger if anything may precede `name`; the first node is nearest to the beginning."""
        before, node, mask = min(free)
        label, dot, suffix = name.partition(".")
        begin, rest = self._graph.beginning(before), self._graph.ending(node)
        shortest = begin + character_of(mask) + name + rest
        known = {self._graph.origins[self._graph.at[one][1]].scheme for one, _, _ in free}
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
            written & _DOT for one, other, _ in free for at, _, written in self._graph.before[other] if at == one
        )
        return ShownDanger(danger, self._graph.witness([text + rest for text in made_up], shortest), spans_labels)

    def _addresses(self) -> Iterator[ShownDanger]:
        """Yield dangers among IP addresses, judged by the networks that are spelled out."""
        ends = self._graph.host_ends(IPV6)
        alive = self._graph.reaching(ends)
        for node in alive:
            for before, mask, written in self._graph.before[node]:
                if mask and self._graph.region(before) == "host" and self._is_free(before, node, written):
                    yield ShownDanger(
                        Danger.STRANGER, self._graph.witness(["https://[2001:db8::1]"], None), spans_labels=True
                    )
                    return
        yield from self._ipv4()

    def _ipv4(self) -> Iterator[ShownDanger]:
        alive = self._graph.reaching(self._graph.host_ends(IPV4))
        begins = {node for node in alive if self._graph.origins[self._graph.at[node][1]].begins_host}
        todo: list[tuple[str, Iterable[int]]] = [("", begins)] if begins else []
        networks = 0
        for names, (name, nodes) in enumerate(_popped(todo)):
            networks += name.count(".") == 2
            if name.count(".") == 2 or _is_private(name):
                continue
            if networks > _MOST_NETWORKS or names > _MOST_NAMES:
                made_up = [f"{scheme}://203.0.113.7" for scheme in ("https", "http")]
                yield ShownDanger(Danger.STRANGER, self._graph.witness(made_up, None), spans_labels=True)
                return
            longer: dict[str, set[int]] = {}
            for node in self._graph.closed(nodes, forward=True):
                for after, mask, _ in self._graph.after[node]:
                    if mask and after in alive:
                        for place, character in enumerate(ALPHABET):
                            if mask >> place & 1:
                                longer.setdefault(name + character, set()).add(after)
            todo += longer.items()


def _popped(todo: list[tuple[str, Iterable[int]]]) -> Iterator[tuple[str, Iterable[int]]]:
    while todo:
        yield todo.pop()


def _is_site(name: str) -> bool:
    """Return whether everything below `name` has one owner."""
    return name == "localhost" or (name != "" and not is_public_suffix(name))


def _is_private(name: str) -> bool:
    """Return whether an IPv4 address with this prefix is in a private network (RFC 1918, RFC 3927)."""
    return name.startswith(("10.", "192.168.", "169.254.", *(f"172.{second}." for second in range(16, 32))))
