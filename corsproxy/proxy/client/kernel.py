"""Facts about a client's connection that only the kernel knows.

Knows only the transport's socket.
"""

from __future__ import annotations

import asyncio
import fcntl
import select
import struct
import termios


def is_reset(transport: asyncio.Transport) -> bool:
    """Return whether the client has reset the connection; event loops do not notice that while reading is paused."""
    descriptor = _descriptor(transport)
    if descriptor < 0:
        return False
    poll = select.poll()
    poll.register(descriptor, 0)  # POLLERR and POLLHUP are always reported
    return bool(poll.poll(0))


def undelivered(transport: asyncio.Transport) -> int:
    """Return the bytes that wait for the client, with those in the kernel; 0 if the kernel has room for all of them.

    The kernel's count is needed because a full send buffer accepts nothing before a third of it is free: a client that
    reads 1 KiB a second would seem to read nothing for a quarter of an hour.
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
