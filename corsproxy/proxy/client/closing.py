"""The ways to end a client connection: at once, with a reset, or after everything sent has arrived.

Knows the transport alone.
"""

from __future__ import annotations

import asyncio
import socket
import struct

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER with a timeout of 0: closing sends a RST."""


def reset(transport: asyncio.Transport) -> None:
    """End with a RST if the socket has one, because a plain end would look like the end of the content."""
    sock = transport.get_extra_info("socket")
    if sock is not None and sock.fileno() >= 0 and sock.family != socket.AF_UNIX:  # below 0 if the client is gone
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    transport.abort()


def half_close(transport: asyncio.Transport) -> bool:
    """Close the sending side behind what was written, so that the client reads the end of the answer while it may
    still send; return whether that is possible (TLS has no such thing in asyncio).
    """
    if not transport.can_write_eof():
        return False
    transport.write_eof()
    return True
