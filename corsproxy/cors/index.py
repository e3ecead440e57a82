"""An index that matches an origin against many patterns at the cost of one.

Each kind of pattern is a dictionary keyed by the parts that must be equal, so a request only looks things up;
regular expressions, which cannot be keyed, are tried last, one by one.
A value is the number of its rule, which is its index in the policy's list; of two equal rules the first counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from corsproxy.cors.matcher import Matcher, safe_matcher
from corsproxy.cors.origins import Origin
from corsproxy.cors.patterns import Pattern, PatternKind

_ANY_PORT = -1
"""A key for any port; no real port is negative."""

_Place = tuple[str, int | None]
"""Scheme, and port or `_ANY_PORT`."""

# The characters that a star inside a label matches.
_STAR = re.compile(r"[a-z0-9-]+")


@dataclass(frozen=True, slots=True)
class OriginIndex:
    """Patterns of tuple origins, ready for look-up; the policy handles `*` and `null`."""

    exact: dict[bytes, int] = field(default_factory=dict)
    """By the serialized origin, so that the bytes of a request are looked up without parsing."""
    any_port: dict[tuple[str, str], int] = field(default_factory=dict)
    """By scheme and host."""
    subdomains: dict[_Place, dict[str, int]] = field(default_factory=dict)
    """By scheme and port, then domain."""
    labels: dict[_Place, dict[str, dict[tuple[int, int], dict[tuple[str, str], int]]]] = field(default_factory=dict)
    """By scheme and port, then domain, then the lengths of prefix and suffix, then prefix and suffix themselves."""
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
    """Return the index of patterns; each comes with the number of its rule."""
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
            index.exact.setdefault(pattern.text.encode("ascii"), rule)  # the text is its serialized form
    return index


def _under(by_domain: dict[str, int], host: str) -> Iterator[int]:
    """Yield rules for a domain above `host`; a host has at most 127 labels, which bounds the loop."""
    dot = host.find(".")
    while dot >= 0:
        rule = by_domain.get(host[dot + 1 :])
        if rule is not None:
            yield rule
        dot = host.find(".", dot + 1)


def _in_label(by_label: dict[str, dict[tuple[int, int], dict[tuple[str, str], int]]], host: str) -> Iterator[int]:
    """Yield rules whose prefix and suffix the leftmost label has; its 63 characters bound the shapes to try."""
    label, _, domain = host.partition(".")
    # If prefix and suffix would overlap, nothing is left for the star, which matches at least one character.
    for (before, after), affixes in by_label.get(domain, {}).items():
        end = len(label) - after
        if _STAR.fullmatch(label, before, end):
            rule = affixes.get((label[:before], label[end:]))
            if rule is not None:
                yield rule
