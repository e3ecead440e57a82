"""Facts about a client's connection that only the kernel knows.

Knows the transport's socket alone.
"""

from __future__ import annotations

import asyncio
import fcntl
import select
import struct
import termios


def is_reset(transport: asyncio.Transport) -> bool:
    """Return whether the client has reset a connection that is not being read: no event loop notices that."""
    descriptor = _descriptor(transport)
    if descriptor < 0:
        return False
    poll = select.poll()
    poll.register(descriptor, 0)  # an error, or the end of both directions, is told without being asked for
    return bool(poll.poll(0))


def undelivered(transport: asyncio.Transport) -> int:
    """Return how many bytes wait for the client, the kernel's included, while the kernel has no room for all; else 0.

    A full send buffer takes no more before a third of it is free: a client that reads 1 KiB a second would seem to
    take nothing for a quarter of an hour.
    """
    unsent = transport.get_write_buffer_size()
    descriptor = _descriptor(transport) if unsent else -1
    if descriptor < 0:
        return unsent
    try:
        queued: tuple[int] = struct.unpack("i", fcntl.ioctl(descriptor, termios.TIOCOUTQ, bytes(4)))
    except OSError:
        return unsent
    return unsent + queued[0]


def _descriptor(transport: asyncio.Transport) -> int:
    sock = transport.get_extra_info("socket")
    return -1 if sock is None else sock.fileno()
