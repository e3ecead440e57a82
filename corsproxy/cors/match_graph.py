"""Every way in which some serialized origin matches an expression: the product of the two automata, as a graph.

It knows the parts of an origin, and judges nothing: `effects` does.
"""

from __future__ import annotations

from collections.abc import Iterable

from corsproxy.cors.expressions import ALPHABET, STEP, Automaton
from corsproxy.cors.origins import parse_origin
from corsproxy.cors.serialized import serialized_origins

_PREFERRED = "xevil" + ALPHABET
"""Characters for a witness, in order of preference."""

_Edge = tuple[int, int, int]


class TooLargeError(Exception):
    """The graph would be larger than the length of the expression allows."""


class MatchGraph:
    """The nodes are pairs of states, of the expression and of the origin."""

    def __init__(self, automaton: Automaton) -> None:
        self.automaton = automaton
        self.origins = serialized_origins()
        self.at: list[tuple[int, int]] = []
        """By node: the state of each automaton."""
        self._from: list[tuple[int, int] | None] = []
        """By node: the node from which it was first reached, and the characters that led here (0 is none)."""
        self.after: list[list[_Edge]] = []
        self.before: list[list[_Edge]] = []
        """By node: the neighbours, the characters on the way, and those that the expression accepts there."""
        self._build()
        accepting = automaton.accepting()
        self.ends = [
            node for node, (state, place) in enumerate(self.at) if state in accepting and self.origins[place].ends
        ]
        self.alive = self.reaching(self.ends)
        self.loops = self._components()

    def _build(self) -> None:
        nodes: dict[tuple[int, int], int] = {}
        budget = 20_000 + 60 * len(self.automaton.reads)

        def reach(at: tuple[int, int], source: int | None, mask: int, written: int) -> None:
            node = nodes.get(at)
            if node is None:
                node = nodes[at] = len(self.at)
                self.at.append(at)
                self._from.append(None if source is None else (source, mask))
                self.after.append([])
                self.before.append([])
            if source is not None:
                self.after[source].append((node, mask, written))
                self.before[node].append((source, mask, written))

        for state in self.automaton.starts():
            reach((state, 0), None, 0, 0)
        for node, (state, place) in enumerate(self.at):  # which grows
            steps = self.origins[place].steps
            for kind, after in self.automaton.edges[state]:
                if kind == STEP:
                    reach((after, place), node, 0, 0)
            for mask, after in self.automaton.reads[state]:
                for characters, next_place in steps:
                    if both := mask & characters:
                        reach((after, next_place), node, both, mask)
                budget -= len(steps)
            if budget < 0:
                raise TooLargeError

    def region(self, node: int) -> str:
        """Return the part of an origin that `node` stands in."""
        return self.origins[self.at[node][1]].region

    def closed(self, nodes: Iterable[int], *, forward: bool = False) -> set[int]:
        """Return `nodes` and those that edges without a character connect to them, forwards or backwards."""
        edges = self.after if forward else self.before
        found, todo = set(nodes), list(nodes)
        while todo:
            for other, mask, _ in edges[todo.pop()]:
                if not mask and other not in found:
                    found.add(other)
                    todo.append(other)
        return found

    def reaching(self, ends: Iterable[int]) -> set[int]:
        """Return the nodes from which one of `ends` can be reached."""
        found, todo = set(ends), list(ends)
        while todo:
            for before, _, _ in self.before[todo.pop()]:
                if before not in found:
                    found.add(before)
                    todo.append(before)
        return found

    def _components(self) -> list[int]:
        """Return the number of each node's strongly connected component (Kosaraju).

        An edge within a component may be taken any number of times.
        """
        order: list[int] = []
        seen = [node not in self.alive for node in range(len(self.at))]
        for root in self.alive:
            if seen[root]:
                continue
            seen[root] = True
            stack = [(root, iter(self.after[root]))]
            while stack:
                node, edges = stack[-1]
                for after, _, _ in edges:
                    if not seen[after]:
                        seen[after] = True
                        stack.append((after, iter(self.after[after])))
                        break
                else:
                    order.append(node)
                    stack.pop()
        component = [-1] * len(self.at)
        for number, root in enumerate(reversed(order)):
            todo = [root] if component[root] < 0 else []
            while todo:
                node = todo.pop()
                if component[node] < 0 and node in self.alive:
                    component[node] = number
                    todo += [before for before, _, _ in self.before[node]]
        return component

    def host_ends(self, kind: str) -> frozenset[int]:
        """Return the nodes at which a host of this kind may end."""
        found = set()
        for node in self.ends:
            origin = self.origins[self.at[node][1]]
            if origin.region == "host" and origin.kind == kind:
                found.add(node)
        for node in self.alive:
            if self.region(node) == "port":
                for before, _, _ in self.before[node]:
                    if self.region(before) == "host" and self.origins[self.at[before][1]].kind == kind:
                        found.add(before)
        return frozenset(found)

    def beginning(self, node: int) -> str:
        """Return a prefix that leads to `node`."""
        text = ""
        while (step := self._from[node]) is not None:
            node, mask = step
            text = (character_of(mask) if mask else "") + text
        return text

    def ending(self, node: int) -> str:
        """Return the shortest suffix that may follow a host at `node`: nothing, or a port."""
        ends = set(self.ends)
        found, todo = {node}, [(node, "")]
        for at, text in todo:  # which grows
            if at in ends:
                return text
            for after, mask, _ in self.after[at]:
                if after not in found and (not mask or self.region(after) == "port"):
                    found.add(after)
                    todo.append((after, text + (character_of(mask) if mask else "")))
        return ""

    def witness(self, made_up: Iterable[str], otherwise: str | None) -> str | None:
        """Return the first made-up origin that matches, else the path of the walk."""
        for text in (*made_up, otherwise) if self.automaton.is_exact else ():
            if text is not None and parse_origin(text.encode("ascii")) is not None and self.automaton.matches(text):
                return text
        return None


def character_of(mask: int) -> str:
    """Return the character of a set that a witness has there."""
    return next((character for character in _PREFERRED if mask >> ALPHABET.index(character) & 1), "")
