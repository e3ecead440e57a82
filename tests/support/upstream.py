r"""An upstream made of raw bytes: it records exactly what it received and answers exactly what it was told to.

A script is a function that plays one connection, on a thread of its own, with plain blocking calls:

    def script(connection: Connection) -> None:
        request = connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    with Upstream(script) as upstream:
        ...  # upstream.url, upstream.requests, upstream.connections

`Upstream.answering(response)` needs no script.
Knows nothing of HTTP but where a request ends, and nothing of corsproxy.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

DEADLINE = 60.0
"""Seconds until a blocking call of a script, or a wait of a test, gives up: a hung test should fail, not hang."""

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
"""The shortest answer with content."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it arrived: `head` up to and with the empty line, `body` with its framing (chunks as sent)."""

    head: bytes
    body: bytes

    @property
    def line(self) -> bytes:
        """The request line, without CRLF."""
        return self.head.split(b"\r\n", 1)[0]

    @property
    def fields(self) -> list[tuple[bytes, bytes]]:
        """The field lines in order, names as sent, values without surrounding white space."""
        lines = self.head.split(b"\r\n")[1:]
        return [(name, value.strip(b" \t")) for name, _, value in (line.partition(b":") for line in lines if line)]

    def values(self, name: bytes) -> list[bytes]:
        """Every value of a field, in order, the name in any letter case."""
        return [value for found, value in self.fields if found.lower() == name.lower()]


class PeerEndedError(Exception):
    """The peer closed or reset the connection before the bytes a script asked for had come."""


class Connection:
    """One accepted connection, in the hands of a script."""

    def __init__(self, upstream: Upstream, sock: socket.socket, number: int) -> None:
        self.number = number
        """Counted from 0, in order of acceptance."""
        self.received = bytearray()
        """Every byte that came, never shortened."""
        self.requests: list[Request] = []
        """The requests read on this connection by `read_request`."""
        self.ended: str | None = None
        """How the peer ended it: None while it has not, else `closed` (FIN) or `reset`."""
        self._upstream = upstream
        self.socket = sock
        self._read = 0

    def read_request(self) -> Request:
        """Read one whole request.

        Raises PeerEndedError if the peer ends the connection first.
        """
        head = self.read_until(b"\r\n\r\n")
        fields = Request(head, b"")
        lengths = fields.values(b"Content-Length")
        if b"chunked" in b",".join(fields.values(b"Transfer-Encoding")).lower():
            body = self._read_chunks()
        else:
            body = self.read_exactly(int(lengths[0])) if lengths else b""
        request = Request(head, body)
        with self._upstream.changed:
            self.requests.append(request)
            self._upstream.requests.append(request)
            self._upstream.changed.notify_all()
        return request

    def read_head(self) -> Request:
        """Read one request's head alone, its content left for the other calls; it is not added to `requests`."""
        return Request(self.read_until(b"\r\n\r\n"), b"")

    def read_until(self, end: bytes) -> bytes:
        """Read up to and with `end`."""
        while (at := self.received.find(end, self._read)) < 0:
            self._receive()
        return self._take(at + len(end))

    def read_exactly(self, size: int) -> bytes:
        """Read so many bytes."""
        while len(self.received) < self._read + size:
            self._receive()
        return self._take(self._read + size)

    def forget(self) -> None:
        """Forget what was read, in a script for which it would become too much."""
        del self.received[: self._read]
        self._read = 0

    def read_some(self) -> bytes:
        """Read what has come, at least one byte."""
        if len(self.received) == self._read:
            self._receive()
        return self._take(len(self.received))

    def read_to_end(self) -> bytes:
        """Read until the peer closes or resets; `ended` says which."""
        with contextlib.suppress(PeerEndedError):
            while True:
                self._receive()
        return self._take(len(self.received))

    def send(self, data: bytes) -> None:
        """Send all of it; a peer that is gone is no error."""
        with contextlib.suppress(OSError):
            self.socket.sendall(data)

    def finish_sending(self) -> None:
        """Send a FIN, and go on reading."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)

    def send_closing_alert(self) -> None:
        """Send the closing alert of TLS; the end of the script closes the connection."""
        assert isinstance(self.socket, ssl.SSLSocket)
        self.socket.setblocking(False)  # the peer's own alert is not waited for
        with contextlib.suppress(OSError):
            self.socket.unwrap()

    def reset(self) -> None:
        """End the connection with a RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self) -> None:
        """Close the connection; done by itself when the script returns."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def _read_chunks(self) -> bytes:
        start = self._read
        while size := int(self.read_until(b"\r\n").split(b";")[0], 16):
            self.read_exactly(size + 2)
        while self.read_until(b"\r\n") != b"\r\n":
            pass  # trailer fields
        return bytes(self.received[start : self._read])

    def _take(self, end: int) -> bytes:
        taken = bytes(self.received[self._read : end])
        self._read = end
        return taken

    def _receive(self) -> None:
        try:
            data = self.socket.recv(65536)
        except TimeoutError:
            raise
        except OSError:
            self._end("reset")
        else:
            if not data:
                self._end("closed")
            with self._upstream.changed:
                self.received += data
                self._upstream.changed.notify_all()

    def _end(self, how: str) -> None:
        with self._upstream.changed:
            self.ended = self.ended or how
            self._upstream.changed.notify_all()
        raise PeerEndedError(how)


Script = Callable[[Connection], None]


class Upstream:
    """A listening server on loopback that plays a script on each connection; use it as a context manager.

    With several scripts the first connection gets the first, and so on; those after the last get the last.
    """

    def __init__(
        self, *scripts: Script, tls: ssl.SSLContext | None = None, unix_path: Path | None = None, backlog: int = 512
    ) -> None:
        self.requests: list[Request] = []
        """Every request read, over all connections, in the order of completion."""
        self.connections: list[Connection] = []
        self.errors: list[BaseException] = []
        """What scripts raised, a PeerEndedError apart; leaving the context raises the first."""
        self.changed = threading.Condition()
        """Notified whenever something arrives; `wait_for` is the usual way to it."""
        self._scripts: Sequence[Script] = scripts or (answer_each(OK),)
        self._tls = tls
        self._unix_path = unix_path
        if unix_path is None:
            self._listener = socket.create_server(("127.0.0.1", 0), backlog=backlog)
        else:
            self._listener = socket.socket(socket.AF_UNIX)
            self._listener.bind(str(unix_path))
            self._listener.listen(backlog)
        self._thread = threading.Thread(target=self._accept, daemon=True)

    @classmethod
    def answering(cls, *responses: bytes) -> Upstream:
        """Return an upstream that answers the n-th request of a connection with the n-th response (then the last)."""
        return cls(answer_each(*responses))

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._listener.getsockname()[1])

    @property
    def address(self) -> tuple[str, int]:
        """Host and port, for `socket.create_connection`."""
        return "127.0.0.1", self.port

    @property
    def url(self) -> str:
        """The URL for a configuration."""
        if self._unix_path is not None:
            return f"unix:{self._unix_path}"
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def wait_for(self, condition: Callable[[], object], timeout: float = DEADLINE) -> None:
        """Wait until `condition()` holds for what has arrived; raises AssertionError after `timeout` seconds."""
        with self.changed:
            if not self.changed.wait_for(lambda: bool(condition()), timeout):
                raise AssertionError(f"the upstream waited {timeout} s in vain; it has {self.requests!r}")

    def stop_listening(self) -> None:
        """Refuse new connections from now on; those that are open go on."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop_listening()
        self._thread.join(DEADLINE)
        for connection in list(self.connections):
            connection.close()
        if self.errors and error is None:
            raise self.errors[0]

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            sock.settimeout(DEADLINE)
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is None:  # counted here, so that their numbers are the order in which they came
                thread = threading.Thread(target=self._play, args=(self._accepted(sock),), daemon=True)
            else:
                thread = threading.Thread(target=self._play_over_tls, args=(sock,), daemon=True)
            thread.start()

    def _accepted(self, sock: socket.socket) -> Connection:
        with self.changed:
            connection = Connection(self, sock, len(self.connections))
            self.connections.append(connection)
            self.changed.notify_all()
        return connection

    def _play_over_tls(self, sock: socket.socket) -> None:
        assert self._tls is not None
        try:
            sock = self._tls.wrap_socket(sock, server_side=True)
        except (OSError, ValueError):
            sock.close()
        else:
            self._play(self._accepted(sock))

    def _play(self, connection: Connection) -> None:
        try:
            self._scripts[min(connection.number, len(self._scripts) - 1)](connection)
        except (PeerEndedError, OSError):
            pass
        except Exception as error:  # noqa: BLE001 - the test's own thread raises it again
            self.errors.append(error)
        finally:
            connection.close()


def answer_each(*responses: bytes) -> Script:
    """Return a script that answers each request of its connection in turn; the last response is repeated."""

    def script(connection: Connection) -> None:
        number = 0
        while True:
            connection.read_request()
            connection.send(responses[min(number, len(responses) - 1)])
            number += 1

    return script
