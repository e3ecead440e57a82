"""Two ways to end a client connection: with a reset, or by closing only the sending side.

Knows the transport only.
"""

from __future__ import annotations

import asyncio
import socket
import struct

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER with a timeout of 0: closing sends a RST."""


def reset(transport: asyncio.Transport) -> None:
    """Close with a RST if it is a TCP socket, because an ordinary end would look like the end of the content."""
    sock = transport.get_extra_info("socket")
    if sock is not None and sock.fileno() >= 0 and sock.family != socket.AF_UNIX:  # below 0 if the client is gone
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    transport.abort()


def half_close(transport: asyncio.Transport) -> bool:
    """Close the sending side after everything has been sent, so that the client reads the end of the response while it
    may still send. Return whether that is possible; over TLS it is not, in asyncio.
    """
    if not transport.can_write_eof():
        return False
    transport.write_eof()
    return True
