"""The processes that serve clients: this one, or workers.

`Fleet` is what `process.py` needs of either; `SingleProcess` is the fleet without workers.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from corsproxy.config import Configuration
from corsproxy.server.data_path import DataPath
from corsproxy.server.inspector import Event, Recorder
from corsproxy.server.observe.counters import Totals
from corsproxy.server.observe.process_numbers import process_numbers


class Fleet(Protocol):
    """The serving processes."""

    async def start(self, configuration: Configuration) -> None:
        """Begin to serve; return when connections are accepted. Raises `PlanError` or `UsageError`."""

    async def failure(self) -> str:
        """Wait until clients cannot be served any more; return the reason."""

    async def apply(self, configuration: Configuration) -> None:
        """Put another configuration in force everywhere, or nowhere; raises `PlanError` or `UsageError`."""

    async def report(self, totals: Totals) -> None:
        """Bring `totals` up to date."""

    async def events(self) -> tuple[list[Event], int]:
        """Return the events of the inspector's recorders since the last call, in order, and the number left out."""

    async def stop(self, drain: float) -> bool:
        """Accept no more, wait `drain` seconds for requests in flight, and end; return whether none was cut."""

    def kill(self) -> None:
        """End at once all processes that would outlive this one."""


class SingleProcess:
    """The default fleet: this process serves clients itself."""

    def __init__(self, data_path: DataPath, recorder: Recorder | None = None) -> None:
        """`recorder` is the inspector's, if it is enabled; it observes each request."""
        self._data_path = data_path
        self._recorder = recorder

    async def start(self, configuration: Configuration) -> None:
        """Begin to serve, as `Fleet.start`."""
        await self._data_path.start(configuration)

    async def failure(self) -> str:
        """Never return: nothing can fail without this process."""
        never: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        return await never

    async def apply(self, configuration: Configuration) -> None:
        """Put another configuration in force, as `Fleet.apply`."""
        self._data_path.commit(configuration, self._data_path.prepare(configuration))

    async def report(self, totals: Totals) -> None:
        """Set the gauges; the data path counts into the totals itself."""
        totals.connections, totals.in_flight = self._data_path.connections, self._data_path.in_flight
        totals.upstream_connections = {(name, state): n for name, state, n in self._data_path.upstream_connections}
        totals.process = process_numbers()

    async def events(self) -> tuple[list[Event], int]:
        """Return the events, as `Fleet.events`."""
        return self._recorder.take() if self._recorder is not None else ([], 0)

    async def stop(self, drain: float) -> bool:
        """Stop, as `Fleet.stop`."""
        return await self._data_path.stop(drain)

    def kill(self) -> None:
        """Do nothing: no other process would outlive this one."""
