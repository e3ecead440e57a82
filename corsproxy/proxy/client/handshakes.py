"""TLS handshakes with clients, with a limit on concurrent ones.

asyncio's own TLS servers report no connection before its handshake is complete: clients that open connections and never
finish the handshake could hold all sockets.
It must not know HTTP or certificates: a context comes in, connections made by the listener's factory go out.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable
from typing import Final

_HANDSHAKE_TIMEOUT: Final = 10.0
"""Seconds for a client's TLS handshake: like an incomplete head, anyone could hold it open."""

_CLOSE_TIMEOUT: Final = 2.0
"""Seconds for a client to answer the end of a TLS session before the connection is closed."""

_PAUSE: Final = 1.0
"""Seconds without accepting where the system has no descriptor or memory left, as in asyncio's own servers."""


class TlsServer:
    """Accepts connections on a socket that listens, and has a TLS session made on each."""

    def __init__(
        self,
        sock: socket.socket,
        context: ssl.SSLContext,
        factory: Callable[[], asyncio.BaseProtocol],
        limit: Callable[[], int],
        timeout: float = _HANDSHAKE_TIMEOUT,
    ) -> None:
        """Begin to serve; `limit` says how many handshakes may be under way.

        One more connection is closed: nothing can be said on it yet.
        """
        self._socket = sock
        self._context = context
        self._factory = factory
        self._limit = limit
        self._timeout = timeout
        self._loop = asyncio.get_running_loop()
        self._handshakes: set[asyncio.Task[None]] = set()
        self._accepting = self._loop.create_task(self._accept())

    @property
    def under_way(self) -> int:
        """Handshakes that have not ended."""
        return len(self._handshakes)

    def close(self) -> None:
        """Accept no more, and end the handshakes under way: nothing has been asked behind them."""
        self._accepting.cancel()
        self._socket.close()
        for handshake in self._handshakes:
            handshake.cancel()

    async def _accept(self) -> None:
        while True:
            try:
                client, _ = await self._loop.sock_accept(self._socket)
            except ConnectionError:
                continue  # gone before it was accepted
            except OSError:
                await asyncio.sleep(_PAUSE)
                continue
            if len(self._handshakes) >= self._limit():
                client.close()
                continue
            handshake = self._loop.create_task(self._begin(client))
            self._handshakes.add(handshake)
            handshake.add_done_callback(self._handshakes.discard)

    async def _begin(self, client: socket.socket) -> None:
        """Have the session made; the protocol hears of the connection if that succeeds."""
        with contextlib.suppress(OSError):  # no TLS, too slow, or gone: the loop has closed it
            await self._loop.connect_accepted_socket(
                self._factory,
                client,
                ssl=self._context,
                ssl_handshake_timeout=self._timeout,
                ssl_shutdown_timeout=_CLOSE_TIMEOUT,
            )
