"""The objects that a connection to an upstream notifies, one protocol for each role.

Imports nothing of the project at run time.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from corsproxy.proxy.upstream.connection import UpstreamConnection


class Requester(Protocol):
    """The sender of a request, which waits for the response."""

    def responded(self) -> None:
        """Handle a head, interim or final, or a failure before one."""


class Waiting:
    """A requester for a coroutine that waits for a head."""

    __slots__ = ("_future",)

    def __init__(self, future: asyncio.Future[None]) -> None:
        self._future = future

    def responded(self) -> None:
        """Wake the coroutine."""
        if not self._future.done():
            self._future.set_result(None)


class _Nobody:
    """The requester of a connection for which nobody waits."""

    __slots__ = ()

    def responded(self) -> None:
        """Do nothing."""


NOBODY: Final = _Nobody()


class ContentSink(Protocol):
    """The receiver of a response's content, piece by piece, as it arrives."""

    def write(self, pieces: list[bytes]) -> None:
        """Take pieces of content; call `pause` on the connection if there is no room for more."""

    def upstream_writable(self) -> None:
        """Handle an upstream that reads again after a pause."""


class Owner(Protocol):
    """The owner of connections that are reserved for one client, because of a login on them."""

    def upstream_ended(self, connection: UpstreamConnection) -> None:
        """Handle the loss of the connection."""
