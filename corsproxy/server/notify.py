"""Notifications for a service manager (sd_notify(3)): ready, reloading, stopping.

Nothing is sent without NOTIFY_SOCKET, which names the receiver.
"""

from __future__ import annotations

import os
import socket
import time

READY = "READY=1"
STOPPING = "STOPPING=1"


def notify(state: str) -> None:
    """Notify the service manager; a failure to do so is ignored."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    if address.startswith("@"):
        address = "\0" + address[1:]  # of the abstract namespace (unix(7))
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
            sock.settimeout(1.0)
            sock.sendto(state.encode(), address)
    except OSError:
        return


def notify_reloading() -> None:
    """Notify the service manager of a reload; READY follows."""
    # sd_notify(3) requires the time, by which it recognizes an older READY=1.
    notify(f"RELOADING=1\nMONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")
