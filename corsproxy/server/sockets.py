"""Sockets to listen on: opened once, before anything else runs, so that a mistake is told at once and in one line.

Knows no event loop: what is made here may be handed to another process.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import ssl
import stat
from dataclasses import dataclass

from corsproxy.errors import UsageError
from corsproxy.settings import Address, TcpAddress, TlsFiles, UnixAddress

BACKLOG = 2048
"""Connections the kernel keeps until they are accepted; it lowers this to net.core.somaxconn (4096 since Linux 5.4)."""

_MISTAKES = {
    errno.EADDRINUSE: "the address is in use: stop what listens there, or take another port",
    errno.EADDRNOTAVAIL: "this machine has no such address: use 127.0.0.1, 0.0.0.0 or one of its own",
    errno.EACCES: "permission denied: ports below 1024 need a privilege; take a higher one",
    errno.EPERM: "permission denied",
    errno.EAFNOSUPPORT: "this machine has no such kind of address (IPv6 switched off?)",
    errno.ENOENT: "the directory is missing",
}


@dataclass(frozen=True, slots=True)
class Listener:
    """A socket that listens, and the address it was really given."""

    socket: socket.socket
    address: Address
    inode: int = 0
    """Of a Unix socket's file, so that only the own one is ever removed."""

    def url(self, scheme: str) -> str:
        """Write the address as the start-up lines do."""
        return f"{scheme}://{self.address}" if isinstance(self.address, TcpAddress) else str(self.address)

    def close(self) -> None:
        """Stop listening; connections that are open stay so."""
        self.socket.close()
        self.remove_file()

    def remove_file(self) -> None:
        """Remove the file of a Unix socket, unless it is somebody else's by now."""
        if isinstance(self.address, UnixAddress):
            with contextlib.suppress(OSError):
                if os.stat(self.address.path).st_ino == self.inode:
                    os.unlink(self.address.path)


def open_listeners(address: Address, option: str) -> list[Listener]:
    """Listen on `address`: more than one socket where a host name stands for several addresses.

    Raises `UsageError` naming `option`, the key or option that asked for it.
    """
    try:
        if isinstance(address, UnixAddress):
            return [_open_unix(address)]
        return _open_tcp(address)
    except OSError as error:
        said = _MISTAKES.get(error.errno or 0) or error.strerror or str(error)
        raise UsageError(f"cannot listen on {address} ({option}): {said}") from None


def adopt_listener(fd: int) -> Listener:
    """Make a listener of an inherited descriptor; the file of a Unix socket is the business of who opened it."""
    sock = socket.socket(fileno=fd)
    name = sock.getsockname()
    return Listener(sock, UnixAddress(name) if isinstance(name, str) else TcpAddress(name[0], name[1]))


def is_taken(address: TcpAddress) -> bool:
    """Say whether something listens there already."""
    try:
        for listener in _open_tcp(address):
            listener.close()
    except OSError as error:
        return error.errno == errno.EADDRINUSE
    return False


def tls_context(files: TlsFiles) -> ssl.SSLContext:
    """Make the context of an HTTPS listener; raises `UsageError` where the files do not do."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["http/1.1"])
    load_certificate(context, files)
    return context


def load_certificate(context: ssl.SSLContext, files: TlsFiles) -> None:
    """Load the files into a context, also one in use: the next handshake has the new certificate."""
    try:
        # Without a password OpenSSL would ask for one at the terminal.
        context.load_cert_chain(files.certificate, files.private_key, password=b"")
    except OSError as error:
        # Whoever loads a configuration tries its certificates: these have changed since.
        raise UsageError(f"tls: {files.certificate} with {files.private_key} cannot be used: {error}") from None


def _open_tcp(address: TcpAddress) -> list[Listener]:
    found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    listeners: list[Listener] = []
    refused: OSError | None = None
    for family, _, _, _, place in dict.fromkeys(found):
        # A host of several addresses and port 0: the port that the first was given serves them all.
        port = listeners[0].socket.getsockname()[1] if listeners and not address.port else address.port
        try:
            listeners.append(_listen(family, (str(place[0]), port)))
        except OSError as error:
            refused = error
            if error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                break
    if refused is not None and (not listeners or refused.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)):
        for listener in listeners:
            listener.close()
        raise refused
    return listeners


def _listen(family: int, place: tuple[str, int]) -> Listener:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        # Connections of an earlier process in TIME_WAIT do not keep the address; a listening socket still does.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            # What is written is what listens, and no client appears as ::ffff:1.2.3.4, which no list would name.
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(place)
        sock.listen(BACKLOG)
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    host, port = sock.getsockname()[:2]
    return Listener(sock, TcpAddress(host, port))


def _open_unix(address: UnixAddress) -> Listener:
    _clear_stale(address)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.bind(address.path)
        sock.listen(BACKLOG)
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return Listener(sock, address, os.stat(address.path).st_ino)


def _clear_stale(address: UnixAddress) -> None:
    """Remove the socket that an earlier process left behind; one that answers is in use, and anything else a file."""
    try:
        mode = os.lstat(address.path).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise OSError(errno.EEXIST, "there is a file that is not a socket: remove it, or take another path")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(address.path)
        except ConnectionRefusedError:
            os.unlink(address.path)
        except OSError as error:
            raise OSError(errno.EADDRINUSE, str(error)) from None
        else:
            raise OSError(errno.EADDRINUSE, "")
