"""Counts recorded traffic: which origins sent requests to each route, how often, when, and for what.

It reads lines of the JSON access log; other lines are skipped and counted.
Memory is bounded, because strangers choose the origins.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

MAX_ORIGINS = 10_000
"""Origins for each route; the requests of further ones are only counted."""
_MAX_NAMES = 1_000
"""Methods, or header names, for each origin."""
_MAX_TEXT = 2_048
"""Characters of a value; an origin has at most 330."""


@dataclass(slots=True)
class Seen:
    """How often and when something was requested."""

    count: int = 0
    refused: int = 0
    first: str = ""
    last: str = ""

    def add(self, time: str, *, refused: bool) -> None:
        """Count one request."""
        self.count += 1
        self.refused += refused
        self.first = min(self.first or time, time)
        self.last = max(self.last, time)

    def merge(self, other: Seen) -> None:
        """Add the counts of another."""
        self.count += other.count
        self.refused += other.refused
        self.first = min(filter(None, (self.first, other.first)), default="")
        self.last = max(self.last, other.last)

    def __str__(self) -> str:
        requests = f"{self.count} request{'' if self.count == 1 else 's'}"
        refused = f", {self.refused} refused" if self.refused else ""
        if not self.first:
            return requests + refused
        when = self.first if self.first == self.last else f"{self.first} to {self.last}"
        return f"{requests}{refused}, {when}"


@dataclass(slots=True)
class OriginTraffic:
    """The requests of one origin to one route."""

    seen: Seen = field(default_factory=Seen)
    methods: dict[str, Seen] = field(default_factory=dict)
    headers: dict[str, Seen] = field(default_factory=dict)
    """By name, in lower case."""


@dataclass(slots=True)
class RouteTraffic:
    """The requests to one route, by origin."""

    seen: Seen = field(default_factory=Seen)
    origins: dict[str, OriginTraffic] = field(default_factory=dict)
    dropped: int = 0
    """Requests of origins beyond `MAX_ORIGINS`."""


@dataclass(slots=True)
class Traffic:
    """A whole log."""

    routes: dict[str | None, RouteTraffic] = field(default_factory=dict)
    """By the route's path; None is no route. Requests without Origin are left out."""
    requests: int = 0
    skipped: int = 0
    """Lines that are not of the JSON access log."""
    seen: Seen = field(default_factory=Seen)


def read_traffic(lines: Iterable[str]) -> Traffic:
    """Count a log; never raises, whatever its lines contain."""
    traffic = Traffic()
    for number, line in enumerate(lines):
        if number == 0:
            line = line.removeprefix("\ufeff")
        if not line.strip():
            continue
        entry = _entry(line)
        if entry is None:
            traffic.skipped += 1
            continue
        traffic.requests += 1
        _count(traffic, entry)
    return traffic


def _entry(line: str) -> dict[str, object] | None:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(entry, dict) or not isinstance(entry.get("method"), str) or "path" not in entry:
        return None
    return entry


def _count(traffic: Traffic, entry: dict[str, object]) -> None:
    origin, time = _text(entry, "origin"), _text(entry, "time")[:40]
    refused = _text(entry, "cors").endswith("refused")
    traffic.seen.add(time, refused=refused)
    if not origin or _text(entry, "cors") == "none":  # a page of the proxy's own sends Origin but needs no grant
        return
    found = traffic.routes.setdefault(_text(entry, "route") or None, RouteTraffic())
    found.seen.add(time, refused=refused)
    if origin not in found.origins and len(found.origins) >= MAX_ORIGINS:
        found.dropped += 1
        return
    asked = found.origins.setdefault(origin, OriginTraffic())
    asked.seen.add(time, refused=refused)
    is_preflight = _text(entry, "cors").startswith("preflight")
    method = _text(entry, "requested_method") if is_preflight else _text(entry, "method")
    _note(asked.methods, method, time, refused)
    for name in _text(entry, "requested_headers").split(",") if is_preflight else ():
        _note(asked.headers, name.strip(" \t").lower(), time, refused)


def _note(names: dict[str, Seen], name: str, time: str, refused: bool) -> None:
    if name and (name in names or len(names) < _MAX_NAMES):
        names.setdefault(name, Seen()).add(time, refused=refused)


def _text(entry: dict[str, object], key: str) -> str:
    value = entry.get(key)
    return value[:_MAX_TEXT] if isinstance(value, str) else ""
