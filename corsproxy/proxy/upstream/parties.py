"""Protocols of the objects that a connection to an upstream notifies, one for each role.

Imports nothing of the project at run time.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from corsproxy.proxy.upstream.connection import UpstreamConnection


class Asker(Protocol):
    """The sender of a request, which waits for the response."""

    def responded(self) -> None:
        """Handle the arrival of a head, interim or final, or a failure before one."""


class Waiting:
    """A coroutine that waits for a head."""

    __slots__ = ("_future",)

    def __init__(self, future: asyncio.Future[None]) -> None:
        self._future = future

    def responded(self) -> None:
        """Wake the coroutine."""
        if not self._future.done():
            self._future.set_result(None)


class _Nobody:
    """A sender that waits for nothing."""

    __slots__ = ()

    def responded(self) -> None:
        """Do nothing."""


NOBODY: Final = _Nobody()


class ContentSink(Protocol):
    """Where the content of a response goes, piece by piece, as it comes."""

    def write(self, pieces: list[bytes]) -> None:
        """Take pieces of content; call `pause` on the connection where there is no room for more."""

    def upstream_writable(self) -> None:
        """Handle an upstream that reads again after a pause."""


class Owner(Protocol):
    """The client for which a connection is reserved, after a login on it."""

    def upstream_ended(self, connection: UpstreamConnection) -> None:
        """Handle the loss of the connection."""
