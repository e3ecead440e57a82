"""Listening sockets, which are opened before anything else, so that a mistake is reported at once.

Knows nothing about event loops: a socket may be passed to another process.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import ssl
import stat
from dataclasses import dataclass, replace

from corsproxy.certificates import CertificateError, load_pair
from corsproxy.errors import ListenError, UsageError
from corsproxy.settings import Address, TcpAddress, TlsFiles, UnixAddress

BACKLOG = 2048
"""Connections that wait in the kernel to be accepted; the limit is net.core.somaxconn (4096 since Linux 5.4)."""

EVERYBODY = 0o666
"""The mode of a Unix socket for everybody who may enter its directory, as in nginx and uvicorn: a server in front runs
as another user, and connecting requires write permission."""

GROUP = 0o660
"""The mode of the admin listener's socket: health and metrics are for the proxy's user and group."""

_MISTAKES = {
    errno.EADDRINUSE: "the address is in use: stop what listens there, or take another port",
    errno.EADDRNOTAVAIL: "this machine has no such address: use 127.0.0.1, 0.0.0.0 or one of its own",
    errno.EACCES: "permission denied: ports below 1024 need a privilege; take a higher one",
    errno.EPERM: "permission denied",
    errno.EAFNOSUPPORT: "this machine has no such kind of address (IPv6 switched off?)",
    errno.EINVAL: "an address of one link needs its interface: [fe80::1%eth0]:8080",
    socket.EAI_NONAME: "this host is unknown: use an address of this machine, such as 127.0.0.1 or 0.0.0.0",
    socket.EAI_AGAIN: "no name server answers for this host: use an address of this machine, such as 127.0.0.1",
}
_UNIX_MISTAKES = {
    errno.EADDRINUSE: "the address is in use: stop what listens there, or take another path",
    errno.EACCES: (
        "permission denied for user {user}, as whom corsproxy runs: let that user write to the directory, "
        "and to a socket that lies there"
    ),
    errno.EPERM: "there is a socket of another user: remove it, or take another path",
    errno.ENOENT: "the directory is missing: make it, or take another path",
    errno.EROFS: "the file system is read-only: choose a path where files can be created, such as below /run or /tmp",
    errno.EEXIST: "there is a file that is not a socket: remove it, or take another path",
}


@dataclass(frozen=True, slots=True)
class Listener:
    """A listening socket and its actual address."""

    socket: socket.socket
    address: Address
    file: tuple[int, int] | None = None
    """Device and inode of a Unix socket's file, so that another process's file is never removed."""

    def url(self, scheme: str) -> str:
        """Return the address as the start-up lines show it."""
        return f"{scheme}://{self.address}" if isinstance(self.address, TcpAddress) else str(self.address)

    def close(self) -> None:
        """Stop listening; open connections stay open."""
        self.socket.close()
        self.remove_file()

    def remove_file(self) -> None:
        """Remove the file of a Unix socket, unless another process has replaced it."""
        if isinstance(self.address, UnixAddress):
            with contextlib.suppress(OSError):
                _remove(self.address.path, self.file)


def open_listeners(address: Address, option: str, mode: int) -> list[Listener]:
    """Listen on `address`, with several sockets if a host name has several addresses.

    `mode` is that of a Unix socket's file.
    Raises `ListenError`, which names `option`, the key or option with the address.
    """
    mistakes = _UNIX_MISTAKES if isinstance(address, UnixAddress) else _MISTAKES
    try:
        return [_open_unix(address, mode)] if isinstance(address, UnixAddress) else _open_tcp(address)
    except OSError as error:
        detail = mistakes.get(error.errno or 0, error.strerror or str(error)).format(user=os.geteuid())
        if error.errno == errno.EADDRINUSE and isinstance(address, TcpAddress) and option.startswith("--"):
            detail += f", as in {option} {replace(address, port=(address.port + 10) % 65536)}"
        raise ListenError(f"cannot listen on {address} ({option}): {detail}") from None


def adopt_listener(fd: int) -> Listener:
    """Return a listener for an inherited descriptor; it does not remove the file of a Unix socket."""
    sock = socket.socket(fileno=fd)
    name = sock.getsockname()
    return Listener(sock, UnixAddress(name) if isinstance(name, str) else TcpAddress(name[0], name[1]))


def is_taken(address: TcpAddress) -> bool:
    """Return whether something already listens on this address."""
    try:
        for listener in _open_tcp(address):
            listener.close()
    except OSError as error:
        return error.errno == errno.EADDRINUSE
    return False


def listener_context(files: TlsFiles) -> ssl.SSLContext:
    """Return the TLS context of an HTTPS listener; raises `UsageError` if the files cannot be used."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["http/1.1"])
    load_certificate(context, files)
    return context


def load_certificate(context: ssl.SSLContext, files: TlsFiles) -> None:
    """Load the files into a context, which may be in use: the next handshake presents the new certificate.

    Raises `UsageError` if the files cannot be used.
    """
    try:
        load_pair(context, files.certificate, files.private_key)
    except (CertificateError, OSError) as error:
        # Certificates are tried when a configuration is loaded, so these files have changed since.
        raise UsageError(f"tls: {files.certificate} with {files.private_key} cannot be used: {error}") from None


def _open_tcp(address: TcpAddress) -> list[Listener]:
    found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    listeners: list[Listener] = []
    refused: OSError | None = None
    for family, _, _, _, place in dict.fromkeys(found):
        # With port 0 and several addresses, all get the port that the system has assigned to the first.
        port = listeners[0].socket.getsockname()[1] if listeners and not address.port else address.port
        try:
            listeners.append(_listen(family, (place[0], port, *place[2:])))
        except OSError as error:
            refused = error
            if error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                break
    if refused is not None and (not listeners or refused.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)):
        for listener in listeners:
            listener.close()
        raise refused
    return listeners


def _listen(family: int, place: tuple[object, ...]) -> Listener:
    # The protocol is named because asyncio sets TCP_NODELAY only on a socket that names it.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        # Connections of an earlier process in TIME_WAIT then do not block the address; a listening socket still does.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            # A dual-stack socket would report IPv4 clients as ::ffff:1.2.3.4, which no list of networks contains.
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(place)
        sock.listen(BACKLOG)
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    host, port = sock.getsockname()[:2]
    return Listener(sock, TcpAddress(host, port))


def _open_unix(address: UnixAddress, mode: int) -> Listener:
    _clear_stale(address.path)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # The file gets its mode when it is created; a later chmod could hit another process's file. No thread runs yet that
    # the umask could affect.
    before = os.umask(0o777 & ~mode)
    try:
        sock.bind(address.path)
        sock.listen(BACKLOG)
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    finally:
        os.umask(before)
    return Listener(sock, address, _file_at(address.path))


def _clear_stale(path: str) -> None:
    """Remove a socket that an earlier process has left; raise `OSError` for one in use, and for any other file."""
    try:
        mode, found = os.lstat(path).st_mode, _file_at(path)
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise OSError(errno.EEXIST, os.strerror(errno.EEXIST))
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            _remove(path, found)
        except PermissionError:
            raise
        except OSError as error:
            raise OSError(errno.EADDRINUSE, str(error)) from None
        else:
            raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))


def _file_at(path: str) -> tuple[int, int]:
    """Return device and inode of a file, which identify it."""
    found = os.lstat(path)
    return found.st_dev, found.st_ino


def _remove(path: str, file: tuple[int, int] | None) -> None:
    """Remove a file, unless it has been replaced."""
    if _file_at(path) == file:
        os.unlink(path)
