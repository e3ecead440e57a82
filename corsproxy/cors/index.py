"""Matching an origin against many patterns at the cost of matching it against one.

Each kind of pattern is a dictionary keyed by what must be equal, so that a request only looks things up;
regular expressions, which cannot be keyed, come last and one by one.
Every dictionary's value is the number of the rule, its place in the policy's list; of two equal rules the first counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from corsproxy.cors.matcher import Matcher, safe_matcher
from corsproxy.cors.origins import Origin
from corsproxy.cors.patterns import Pattern, PatternKind

_ANY_PORT = -1
"""Stands beside real ports in keys; no port is negative."""

_Place = tuple[str, int | None]
"""Scheme, and port or `_ANY_PORT`."""

# What a star inside a label stands for.
_STAR = re.compile(r"[a-z0-9-]+")


@dataclass(frozen=True, slots=True)
class OriginIndex:
    """Patterns of tuple origins, ready for look-up; `*` and `null` are the policy's business."""

    exact: dict[bytes, int] = field(default_factory=dict)
    """By the serialised origin, so that what a request sends is looked up unparsed."""
    any_port: dict[tuple[str, str], int] = field(default_factory=dict)
    """By scheme and host."""
    subdomains: dict[_Place, dict[str, int]] = field(default_factory=dict)
    """By place, then domain."""
    labels: dict[_Place, dict[str, dict[tuple[int, int], dict[tuple[str, str], int]]]] = field(default_factory=dict)
    """By place, then domain, then the lengths of what stands before and after the star, then those themselves."""
    schemes: dict[str, int] = field(default_factory=dict)
    """By scheme: any host of it."""
    regexes: list[tuple[re.Pattern[str] | Matcher, int]] = field(default_factory=list, compare=False)

    def rules(self, origin: Origin) -> Iterator[int]:
        """Yield the number of every rule that matches, except those of `exact`; the cheapest kinds come first."""
        any_port = self.any_port.get((origin.scheme, origin.host))
        if any_port is not None:
            yield any_port
        scheme = self.schemes.get(origin.scheme) if origin.port is None else None
        if scheme is not None:
            yield scheme
        for port in (origin.port, _ANY_PORT):
            by_domain = self.subdomains.get((origin.scheme, port))
            if by_domain:
                yield from _under(by_domain, origin.host)
            by_label = self.labels.get((origin.scheme, port))
            if by_label:
                yield from _in_label(by_label, origin.host)
        if self.regexes:
            text = str(origin)
            for regex, rule in self.regexes:
                if regex.fullmatch(text):
                    yield rule


def build_index(patterns: list[tuple[int, Pattern]]) -> OriginIndex:
    """Index patterns by what they compare; each comes with the number of its rule."""
    index = OriginIndex()
    for rule, pattern in patterns:
        place = (pattern.scheme, _ANY_PORT if pattern.any_port else pattern.port)
        if pattern.kind is PatternKind.REGEX and pattern.regex is not None:
            index.regexes.append((safe_matcher(pattern.regex), rule))
        elif pattern.kind is PatternKind.SCHEME:
            index.schemes.setdefault(pattern.scheme, rule)
        elif pattern.kind is PatternKind.SUBDOMAINS:
            index.subdomains.setdefault(place, {}).setdefault(pattern.host, rule)
        elif pattern.kind is PatternKind.LABEL:
            shapes = index.labels.setdefault(place, {}).setdefault(pattern.host, {})
            shape = (len(pattern.prefix), len(pattern.suffix))
            shapes.setdefault(shape, {}).setdefault((pattern.prefix, pattern.suffix), rule)
        elif pattern.any_port:
            index.any_port.setdefault((pattern.scheme, pattern.host), rule)
        elif pattern.kind is PatternKind.EXACT:
            index.exact.setdefault(pattern.text.encode("ascii"), rule)  # which is its serialised form
    return index


def _under(by_domain: dict[str, int], host: str) -> Iterator[int]:
    """Rules for a domain that `host` lies under; a host has at most 127 labels, so this ends soon."""
    dot = host.find(".")
    while dot >= 0:
        rule = by_domain.get(host[dot + 1 :])
        if rule is not None:
            yield rule
        dot = host.find(".", dot + 1)


def _in_label(by_label: dict[str, dict[tuple[int, int], dict[tuple[str, str], int]]], host: str) -> Iterator[int]:
    """Rules whose prefix and suffix the leftmost label has; it has 63 characters, which bounds the shapes tried."""
    label, _, domain = host.partition(".")
    # Where prefix and suffix would overlap, nothing is left for the star, which stands for at least one character.
    for (before, after), affixes in by_label.get(domain, {}).items():
        end = len(label) - after
        if _STAR.fullmatch(label, before, end):
            rule = affixes.get((label[:before], label[end:]))
            if rule is not None:
                yield rule
