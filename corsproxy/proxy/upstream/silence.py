"""What has arrived on a connection but has not been delivered by the event loop: the kernel knows.

Knows nothing about HTTP.
"""

from __future__ import annotations

import asyncio
import select
from typing import Final

_ANYTHING: Final = select.POLLIN | select.POLLHUP | select.POLLERR
"""The events that an idle connection must not have: bytes, an end or an error. `POLLIN` covers a FIN too."""


class Silence:
    """Detects unread input on one connection."""

    __slots__ = ("_poll",)

    def __init__(self) -> None:
        self._poll: select.poll | None = None
        """Created at the first use, because many connections carry only one request."""

    def lasts(self, transport: asyncio.Transport) -> bool:
        """Return whether no bytes and no end wait to be read; False if the socket is gone."""
        if self._poll is None:
            sock = transport.get_extra_info("socket")
            if sock is None or (descriptor := sock.fileno()) < 0:
                return False
            self._poll = select.poll()
            self._poll.register(descriptor, _ANYTHING)
        return not self._poll.poll(0)


def has_ended_cleanly(transport: asyncio.Transport) -> bool:
    """Return whether TLS ended with its closing alert, which neither event loop reports; True without TLS."""
    ssl_object = transport.get_extra_info("ssl_object")
    if ssl_object is None:
        return True
    try:
        return not ssl_object.read(1)  # OpenSSL returns no bytes only after the alert
    except (OSError, ValueError):
        return False
