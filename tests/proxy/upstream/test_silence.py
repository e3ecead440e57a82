"""What a socket says when it is asked, before the event loop hands anything over."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

from corsproxy.proxy.upstream.silence import Silence, has_ended_cleanly


class Wire(asyncio.Transport):
    """A transport that has a socket, or none any more."""

    def __init__(self, sock: socket.socket | None) -> None:
        super().__init__(extra={} if sock is None else {"socket": sock})

    def is_closing(self) -> bool:
        """Return False: it is not asked."""
        return False


def test_nothing_has_come() -> None:
    """Silence lasts until a byte or the end is there, without anything having been read."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        silence, wire = Silence(), Wire(ours)
        assert silence.lasts(wire)
        assert silence.lasts(wire)
        theirs.sendall(b"x")
        assert not silence.lasts(wire)
        assert ours.recv(9) == b"x"
        assert silence.lasts(wire)
        theirs.close()
        assert not silence.lasts(wire)


def test_a_connection_without_a_socket_is_not_silent() -> None:
    """It has been closed: nobody may use it."""
    ours, theirs = socket.socketpair()
    with theirs:
        ours.close()
        assert not Silence().lasts(Wire(ours))
        assert not Silence().lasts(Wire(None))


class Tls:
    """The TLS of a connection that has ended: it reads nothing behind the alert, and fails without one."""

    def __init__(self, said: bytes | Exception) -> None:
        self._said = said

    def read(self, _: int) -> bytes:
        """Return what came last."""
        if isinstance(self._said, Exception):
            raise self._said
        return self._said


class TlsWire(Wire):
    """A transport over TLS."""

    def __init__(self, tls: Tls) -> None:
        super().__init__(None)
        self._tls = tls

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return the TLS object, and nothing else."""
        return self._tls if name == "ssl_object" else default


def test_an_end_without_an_alert_is_a_cut() -> None:
    """Without TLS there is no alert to miss."""
    assert has_ended_cleanly(Wire(None))
    assert has_ended_cleanly(TlsWire(Tls(b"")))
    assert not has_ended_cleanly(TlsWire(Tls(b"x")))
    assert not has_ended_cleanly(TlsWire(Tls(OSError())))
    assert not has_ended_cleanly(TlsWire(Tls(ValueError())))
