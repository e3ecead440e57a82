"""TCP keepalive: a peer that has vanished from a silent connection is noticed within two minutes.

By default Linux sends no probes, and if they are switched on, the first one after two hours.
"""

from __future__ import annotations

import socket
from typing import Final

IDLE: Final = 60
"""Seconds of silence before the first probe: below the time after which common firewalls forget a connection (NAT: 300,
AWS's load balancers: 350)."""

INTERVAL: Final = 15
"""Seconds between probes."""

PROBES: Final = 4
"""Unanswered probes after which the connection is lost."""


def keep_alive(sock: socket.socket) -> None:
    """Switch keepalive on for a TCP socket; other sockets stay as they are."""
    if sock.family not in {socket.AF_INET, socket.AF_INET6}:
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, IDLE)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, INTERVAL)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, PROBES)
