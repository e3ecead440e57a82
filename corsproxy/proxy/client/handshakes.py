"""TLS handshakes with clients, with a limit on concurrent ones.

asyncio's own TLS servers report no connection before its handshake is complete: clients that open connections and never
finish the handshake could hold all sockets.
It must not know HTTP or certificates: the TLS context and the factory of protocols are parameters.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable
from typing import Final

_HANDSHAKE_TIMEOUT: Final = 10.0
"""Seconds for a client's TLS handshake, which anyone could hold open, just like an incomplete head."""

_CLOSE_TIMEOUT: Final = 2.0
"""Seconds for a client to answer the closing alert of a TLS session before the connection is closed."""

_PAUSE: Final = 1.0
"""Seconds to accept nothing after the system had no descriptor or memory left, as asyncio's own servers do."""


class TlsServer:
    """Accepts connections on a listening socket, and begins a TLS session on each."""

    def __init__(
        self,
        sock: socket.socket,
        context: ssl.SSLContext,
        factory: Callable[[], asyncio.BaseProtocol],
        limit: Callable[[], int],
        timeout: float = _HANDSHAKE_TIMEOUT,
    ) -> None:
        """Begin to serve; `limit` returns how many handshakes may be under way, `timeout` is in seconds.

        A connection over the limit is closed without an answer, because there is no TLS session for one.
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
        """The number of handshakes that have not ended."""
        return len(self._handshakes)

    def close(self) -> None:
        """Accept no more connections, and end the handshakes under way, none of which has brought a request."""
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
        """Perform the handshake; the protocol gets the connection if that succeeds."""
        with contextlib.suppress(OSError):  # no TLS, too slow, or gone: the loop has closed it
            await self._loop.connect_accepted_socket(
                self._factory,
                client,
                ssl=self._context,
                ssl_handshake_timeout=self._timeout,
                ssl_shutdown_timeout=_CLOSE_TIMEOUT,
            )
