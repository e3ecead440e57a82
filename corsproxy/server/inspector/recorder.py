"""The recorder: it keeps the latest requests of one process until the inspector collects them.

An observer of the data path: its cost for a request is constant, and it neither writes nor sends.
Refused requests and all others have separate limits, so that a flood of the one does not hide the other.
Does not know who watches.
"""

from __future__ import annotations

import itertools
import os
import time
from collections import deque
from collections.abc import Iterable
from typing import TypedDict

from corsproxy.cors import Decision, Kind, is_loopback
from corsproxy.escape import printable
from corsproxy.proxy import RequestRecord
from corsproxy.server.inspector.masking import masked_answer, masked_fields, masked_query
from corsproxy.server.observe.access_log import cors_word
from corsproxy.server.observe.escape import readable
from corsproxy.settings import Settings, TcpAddress, bracketed


class Event(TypedDict):
    """One request as the page shows it; names and values are those of the access log."""

    id: int
    """Set by the feed; 0 before that, and while the request is open."""
    key: str | None
    """Identifies a request that was shown while it was open; None for any other."""
    time: float
    client: str
    method: str | None
    host: str | None
    path: str | None
    origin: str | None
    requested_method: str | None
    requested_headers: str | None
    cors: str
    reason: str | None
    status: int
    answered: list[tuple[str, str]]
    route: str | None
    upstream: str | None
    upstream_status: int | None
    duration_ms: float
    error: str | None
    request_id: str | None
    open: bool
    bytes_in: int
    bytes_out: int
    upstream_ms: float | None
    error_detail: str | None
    query: str | None
    fields: list[tuple[str, str]] | None
    response_fields: list[tuple[str, str]] | None


KEPT = 500
"""The most events to keep, half of them refusals: a page shows no more."""

RATE = 200
"""The most events to keep per second, half of them refusals: more than a person can read, but cheap."""

_OPEN_AFTER = 0.3
"""Seconds after which an open request is shown; a shorter one appears when it ends."""

_MOST_OPEN = 100
"""The most open requests of one process to show, the latest ones."""

_SHOWN = 1000
"""The most characters of a value: a client's may be as long as a whole head."""

_REAL_NAMES = "(every name in this response)"


class Ring:
    """The latest events; refusals and others each have half of the space."""

    def __init__(self, size: int = KEPT) -> None:
        self._halves: dict[bool, deque[Event]] = {refused: deque(maxlen=size // 2) for refused in (True, False)}

    def add(self, event: Event) -> None:
        """Keep one event, and drop the oldest of its half if it is full."""
        self._halves[event["reason"] is not None].append(event)

    def since(self, event_id: int) -> list[Event]:
        """Return the events with an `id` above `event_id`, in order."""
        found = [event for half in self._halves.values() for event in half if event["id"] > event_id]
        return sorted(found, key=lambda event: event["id"])

    def take(self) -> list[Event]:
        """Remove and return all events, in order of time."""
        taken = _in_order(event for half in self._halves.values() for event in half)
        for half in self._halves.values():
            half.clear()
        return taken


class EventBudget:
    """The limit of events for each second, half of it for refusals."""

    __slots__ = ("_others_left", "_refused_left", "_second")

    def __init__(self) -> None:
        self._second = -1
        self._refused_left = 0
        self._others_left = 0

    def allows(self, now: float, *, refused: bool) -> bool:
        """Return whether the second of `now` has room for another event, and count that."""
        second = int(now)
        if second > self._second:
            self._second = second
            self._refused_left = self._others_left = RATE // 2
        if refused:
            self._refused_left -= 1
            return self._refused_left >= 0
        self._others_left -= 1
        return self._others_left >= 0


class Recorder:
    """Keeps the latest finished requests of this process, and counts those left out."""

    def __init__(self, *, shows_fields: bool = False) -> None:
        """`shows_fields` is True if fields and query may be shown, which is only on loopback."""
        self.begun: set[RequestRecord] = set()
        """The requests that have begun; the data path adds them."""
        self._ring = Ring()
        self._budget = EventBudget()
        self._skipped = 0
        self._shows_fields = shows_fields
        self._keys: dict[RequestRecord, str] = {}
        self._numbers = itertools.count(1)

    def __call__(self, record: RequestRecord) -> None:
        """Keep a finished request, unless the limit of this second is reached."""
        self.begun.discard(record)
        key = self._keys.pop(record, None)
        decision = record.decision
        refused = decision is not None and decision.reason is not None
        # The sum is the time of the end on the monotonic clock.
        if self._budget.allows(record.started + record.duration, refused=refused):
            self._ring.add({**record_event(record, time.time(), shows_fields=self._shows_fields), "key": key})
        else:
            self._skipped += 1

    def take(self) -> tuple[list[Event], int]:
        """Return the events kept since the last call, in order, then the open requests; and the number left out."""
        skipped, self._skipped = self._skipped, 0
        return self._ring.take() + self._open(), skipped

    def _open(self) -> list[Event]:
        """Return the open requests: streams, tunnels, and requests that wait for an upstream."""
        now = time.monotonic()
        old = (record for record in self.begun if now - record.started > _OPEN_AFTER)
        events: list[Event] = []
        for record in sorted(old, key=lambda record: -record.started)[:_MOST_OPEN]:
            key = self._keys.setdefault(record, f"{os.getpid()}-{next(self._numbers)}")
            event = record_event(record, time.time() - (now - record.started), shows_fields=self._shows_fields)
            events.append({**event, "key": key, "open": True, "duration_ms": round((now - record.started) * 1000)})
        return events


def merged(taken: Iterable[tuple[list[Event], int]], budget: EventBudget) -> tuple[list[Event], int]:
    """Return the events of several recorders in order, and the number left out, within the limit of one recorder."""
    events: list[Event] = []
    left_out = 0
    for one, skipped in taken:
        events += one
        left_out += skipped
    is_open = [event for event in events if event["open"]]
    events = [event for event in events if not event["open"]]
    kept = [event for event in _in_order(events) if budget.allows(event["time"], refused=event["reason"] is not None)]
    return kept + is_open, left_out + len(events) - len(kept)


def _in_order(events: Iterable[Event]) -> list[Event]:
    """Return events in order of their times."""
    return sorted(events, key=lambda event: event["time"])


def record_event(record: RequestRecord, now: float, *, shows_fields: bool = False) -> Event:
    """Return what the page shows of a request; `now` is in seconds since the epoch.

    Text is bounded and printable.
    """
    decision = record.decision
    return {
        "id": 0,
        "key": None,
        "time": round(now, 6),
        "client": record.client,
        "method": _text(record.method),
        "host": _text(readable(record.host)),
        "path": _text(readable(record.raw_path)),
        "origin": _text(readable(record.origin)),
        "requested_method": _text(readable(record.requested_method)),
        "requested_headers": _text(readable(record.requested_headers)),
        "cors": cors_word(decision),
        "reason": decision.reason.value if decision is not None and decision.reason is not None else None,
        "status": record.status,
        "answered": _answered(decision),
        "route": record.route,
        "upstream": record.upstream,
        "upstream_status": record.upstream_status,
        "duration_ms": round(record.duration * 1000, 1),
        "error": record.error,
        "request_id": _text(record.request_id) or None,
        "open": False,
        "bytes_in": record.bytes_in,
        "bytes_out": record.bytes_out,
        "upstream_ms": None if record.upstream_duration is None else round(record.upstream_duration * 1000, 1),
        "error_detail": _text(record.error_detail) or None,
        "query": masked_query(record.raw_query) if shows_fields else None,
        "fields": masked_fields(record.raw_fields) if shows_fields else None,
        "response_fields": masked_answer(record.raw_answer) if shows_fields and record.raw_answer else None,
    }


def _answered(decision: Decision | None) -> list[tuple[str, str]]:
    """Return the CORS fields, and Vary, that the decision adds to the response."""
    if decision is None:
        return []
    fields = [(name.decode(), _text(readable(value)) or "") for name, value in decision.fields]
    if decision.exposes_all_names and decision.kind is Kind.ACTUAL:
        fields.append(("Access-Control-Expose-Headers", _REAL_NAMES))
    if decision.varies_on_origin:
        fields.append(("Vary", "Origin"))
    return fields


def _text(value: str | None) -> str | None:
    if value is None:
        return None
    shown = printable(value[:_SHOWN])
    return shown if len(value) <= _SHOWN else shown + "…"


def shows_fields(settings: Settings) -> bool:
    """Return whether fields and query may be shown: only users of this machine can reach a listener on loopback."""
    admin = settings.admin
    if admin is None:
        return True  # the default address is on loopback
    if not isinstance(admin, TcpAddress):
        return False
    return is_loopback(bracketed(admin.host))
