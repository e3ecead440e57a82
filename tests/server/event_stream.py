"""The inspector's stream of events, as a page reads it: one event after the other, waiting for what a test needs."""

from __future__ import annotations

import contextlib
import http.client
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

from tests.support.process import DEADLINE


class EventStream:
    """An open stream; everything that came so far is kept."""

    def __init__(self, connection: http.client.HTTPConnection, **fields: str) -> None:
        connection.request("GET", "/events", headers={name.replace("_", "-"): value for name, value in fields.items()})
        self.response = connection.getresponse()
        self.raw = b""
        """Every byte of the content."""
        self.last_id = ""
        """The id that a browser would send when it connects again."""
        self.hello: dict[str, Any] = {}
        self.totals: dict[str, Any] = {"requests": 0, "refused": 0, "reasons": {}, "skipped": 0}
        """The latest totals."""
        self.requests: list[dict[str, Any]] = []

    def wait(self, condition: Callable[[EventStream], object]) -> None:
        """Read until `condition(stream)` is true; fails if the stream ends or the time is up first."""
        # Totals come each second, so that a read alone never takes long.
        end = time.monotonic() + DEADLINE
        while not condition(self):
            assert time.monotonic() < end, f"never told in {self.raw.decode()}"
            assert self._read_event(), f"the stream ended after {self.raw.decode()}"

    def wait_requests(self, count: int) -> list[dict[str, Any]]:
        """Read until so many requests have come, and return them all."""
        self.wait(lambda stream: len(stream.requests) >= count)
        return self.requests

    def _read_event(self) -> bool:
        """Read one event (HTML standard, section 9.2.6); False at the end of the stream."""
        fields: dict[str, str] = {}
        while line := self.response.readline():
            self.raw += line
            if line == b"\n":
                break
            name, _, value = line.decode().rstrip("\n").partition(": ")
            fields[name] = value
        else:
            return False
        self.last_id = fields.get("id", self.last_id)
        content = json.loads(fields["data"])
        if fields["event"] == "requests":
            self.requests += content
        else:
            setattr(self, fields["event"], content)
        return True


@contextlib.contextmanager
def event_stream(address: tuple[str, int], **fields: str) -> Iterator[EventStream]:
    """Open the stream of an admin listener; `_` in a field's name stands for `-`."""
    with contextlib.closing(http.client.HTTPConnection(*address, timeout=DEADLINE)) as connection:
        stream = EventStream(connection, **fields)
        try:
            yield stream
        finally:
            stream.response.close()
