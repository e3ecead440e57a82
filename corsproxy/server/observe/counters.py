"""Counters of requests: plain integers in dicts, so that a request costs only increments.

`Counters` counts the requests of one process; `take` moves its counts to a `Counts`, `add` adds those to the totals.
Knows nothing about Prometheus: `metrics.py` knows the names of these numbers there.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Final

from corsproxy.cors import Kind
from corsproxy.proxy import RequestRecord, UpstreamErrorKind

BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds in seconds, from a preflight (a millisecond) to an upstream that is about to time out (30 s)."""

KNOWN_METHODS: Final = frozenset(("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"))
"""The methods of RFC 9110 section 9 and RFC 5789; others share the label `other`, because clients can invent any."""

_UPSTREAM_ERRORS: Final = frozenset(str(kind) for kind in UpstreamErrorKind)

# Python 3.11 looks up members of an enum slowly; these are used for every request.
_NONE: Final = Kind.NONE
_PREFLIGHT: Final = Kind.PREFLIGHT


Histogram = tuple[float, ...]
"""A count for each bucket (not cumulative), one for durations above the last, and the sum of seconds."""


@dataclass(frozen=True, slots=True)
class Counts:
    """The counts that one process sends to another: rows of a key and the increase since the last time."""

    requests: tuple[tuple[str, str, int, int], ...] = ()
    decisions: tuple[tuple[str, str, str, str, int], ...] = ()
    upstream_errors: tuple[tuple[str, str, int], ...] = ()
    durations: tuple[tuple[str, Histogram], ...] = ()
    upstream_durations: tuple[tuple[str, Histogram], ...] = ()


class Counters:
    """Counts of finished requests; an observer of the data path."""

    __slots__ = ("decisions", "durations", "requests", "upstream_durations", "upstream_errors")

    def __init__(self) -> None:
        self.requests: dict[tuple[str, str, int], int] = {}
        """By route, method and status."""
        self.durations: dict[str, list[float]] = {}
        """By route, as in `Histogram`."""
        self.decisions: dict[tuple[str, str, str, str], int] = {}
        """By route, kind, outcome and reason."""
        self.upstream_errors: dict[tuple[str, str], int] = {}
        """By upstream and kind."""
        self.upstream_durations: dict[str, list[float]] = {}
        """By upstream, as in `Histogram`."""

    def __call__(self, record: RequestRecord) -> None:
        """Count one finished request."""
        route = record.route or "none"
        method = record.method if record.method in KNOWN_METHODS else "other"
        request = (route, method, record.status)
        self.requests[request] = self.requests.get(request, 0) + 1
        _count(self.durations, route, record.duration)
        if record.upstream_duration is not None and record.upstream is not None:
            _count(self.upstream_durations, record.upstream, record.upstream_duration)
        decision = record.decision
        if decision is not None and decision.kind is not _NONE:
            kind = "preflight" if decision.kind is _PREFLIGHT else "actual"
            reason = decision.reason.value if decision.reason is not None else ""
            key = (route, kind, "granted" if decision.granted else "refused", reason)
            self.decisions[key] = self.decisions.get(key, 0) + 1
        if record.error is not None and record.upstream is not None and record.error in _UPSTREAM_ERRORS:
            failure = (record.upstream, str(record.error))
            self.upstream_errors[failure] = self.upstream_errors.get(failure, 0) + 1

    def take(self) -> Counts:
        """Return the counts since the last call."""
        taken = Counts(
            tuple((*key, count) for key, count in self.requests.items()),
            tuple((*key, count) for key, count in self.decisions.items()),
            tuple((*key, count) for key, count in self.upstream_errors.items()),
            tuple((label, tuple(row)) for label, row in self.durations.items()),
            tuple((label, tuple(row)) for label, row in self.upstream_durations.items()),
        )
        self.requests.clear()
        self.decisions.clear()
        self.upstream_errors.clear()
        self.durations.clear()
        self.upstream_durations.clear()
        return taken

    def add(self, taken: Counts) -> None:
        """Add the counts that another process returned from `take`."""
        for route, method, status, count in taken.requests:
            request = (route, method, status)
            self.requests[request] = self.requests.get(request, 0) + count
        for route, kind, outcome, reason, count in taken.decisions:
            key = (route, kind, outcome, reason)
            self.decisions[key] = self.decisions.get(key, 0) + count
        for upstream, kind, count in taken.upstream_errors:
            self.upstream_errors[upstream, kind] = self.upstream_errors.get((upstream, kind), 0) + count
        for rows, added in (
            (self.durations, taken.durations),
            (self.upstream_durations, taken.upstream_durations),
        ):
            for label, row in added:
                known = rows.get(label)
                rows[label] = list(map(sum, zip(known, row, strict=True))) if known else list(row)


def _count(rows: dict[str, list[float]], label: str, seconds: float) -> None:
    row = rows.get(label)
    if row is None:
        row = rows[label] = [0] * (len(BUCKETS) + 1) + [0.0]
    row[bisect_left(BUCKETS, seconds)] += 1
    row[-1] += seconds


@dataclass(slots=True)
class Totals:
    """The totals of the metrics, over all serving processes."""

    counters: Counters = field(default_factory=Counters)
    connections: int = 0
    """Open client connections."""
    in_flight: int = 0
    """Requests in flight."""
    reloads: dict[str, int] = field(default_factory=lambda: {"success": 0, "failure": 0})
    last_reload_successful: bool = True
    upstream_connections: dict[tuple[str, str], int] = field(default_factory=dict)
    """The number of connections by upstream and state."""
    process: dict[str, float] = field(default_factory=dict)
    """The operating system's figures for the serving processes, summed."""
    certificates: dict[str, float] = field(default_factory=dict)
    """When each certificate in force expires, in seconds since the epoch, by its use."""
