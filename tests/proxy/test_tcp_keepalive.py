"""A client that has vanished is noticed: TCP keepalive on the sockets that the proxy has accepted, says the kernel."""

from __future__ import annotations

import ctypes
import os
import socket
import struct
from pathlib import Path

import pytest

from tests.proxy.bench import Bench
from tests.proxy.wire import GET, Client

_PIDFD_GETFD = 438
"""The system call's number, the same on every architecture; Python has no name for it."""


def _as_the_kernel_writes(host: str, port: int) -> str:
    """Return an IPv4 address and port as /proc/net/tcp has them."""
    return f"{struct.unpack('=I', socket.inet_aton(host))[0]:08X}:{port:04X}"


def accepted(pid: int, client: Client) -> socket.socket:
    """Return a duplicate of the socket that the process has at the other end of a client's connection."""
    far, near = (_as_the_kernel_writes(*name) for name in (client.socket.getpeername(), client.socket.getsockname()))
    rows = [line.split() for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()]
    # Both ends: a port that a client of an earlier test had may stand here as well, in TIME_WAIT.
    (inode,) = (row[9] for row in rows if row[1:3] == [far, near])
    (fd,) = (int(link.name) for link in Path(f"/proc/{pid}/fd").iterdir() if os.readlink(link) == f"socket:[{inode}]")
    pidfd = os.pidfd_open(pid)
    try:
        duplicate = ctypes.CDLL(None, use_errno=True).syscall(_PIDFD_GETFD, pidfd, fd, 0)
    finally:
        os.close(pidfd)
    if duplicate < 0:
        pytest.skip(f"the kernel gives no descriptor of another process: {os.strerror(ctypes.get_errno())}")
    return socket.socket(fileno=duplicate)


def test_the_kernel_looks_after_clients(bench: Bench) -> None:
    """60 s of silence, then a probe every 15 s, and 4 unanswered ones are the end."""
    with bench.client() as client:
        client.send(GET)
        assert client.read_response().status == 200
        with accepted(bench.proxy.pid, client) as sock:
            options = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            assert [sock.getsockopt(socket.IPPROTO_TCP, option) for option in options] == [60, 15, 4]
