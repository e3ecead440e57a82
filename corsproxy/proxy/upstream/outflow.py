"""The sending side of a connection to an upstream: flow control, and bytes received before a write failed.

Knows nothing about HTTP.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from corsproxy.proxy.upstream.last_words import LastWords


class Outflow:
    """The sending side of one connection."""

    __slots__ = ("_last_words", "_taken", "is_paused")

    def __init__(self) -> None:
        self.is_paused = False
        """True if the upstream reads more slowly than we send."""
        self._taken: asyncio.Future[None] | None = None
        """What the coroutine that has more to send waits for; None if there is none."""
        self._last_words: LastWords | None = None
        """Kept while content is sent over TLS, and while the last bytes are read."""

    async def drain(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wait until the upstream has read most of the sent bytes; raise the error given to `fail`."""
        if self.is_paused:
            self._taken = loop.create_future()
            try:
                await self._taken
            finally:
                self._taken = None

    @property
    def is_awaited(self) -> bool:
        """True if a coroutine waits to send more."""
        return self._taken is not None and not self._taken.done()

    def fail(self, error: Exception) -> None:
        """Raise `error` in the coroutine that waits to send more."""
        if self._taken is not None and not self._taken.done():
            self._taken.set_exception(error)

    def resume(self) -> None:
        """Resume the coroutine that waits, because the upstream reads again."""
        self.is_paused = False
        if self._taken is not None and not self._taken.done():
            self._taken.set_result(None)

    def keep_last_words(self, transport: asyncio.Transport) -> None:
        """Ensure that a response which has arrived can be read even if a later write fails."""
        if self._last_words is None and transport.get_extra_info("sslcontext") is not None:
            self._last_words = LastWords(transport)  # not later: uvloop closes the socket first

    def last_words(self, transport: asyncio.Transport) -> Iterator[bytes]:
        """Yield the bytes that had arrived before a write failed; call `close` afterwards."""
        if self._last_words is None:
            self._last_words = LastWords(transport)
        return self._last_words.read()

    def close(self) -> None:
        """Close the duplicate of the socket, if there is one."""
        if self._last_words is not None:
            self._last_words.close()
            self._last_words = None
