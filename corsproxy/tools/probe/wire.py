"""One HTTP/1.1 request to a live server, and the head of its answer with every field line as it came.

A connection for each request, nothing retried, nothing followed, no content read: what counts here is in the head.
Knows nothing of CORS.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from corsproxy.tools.browser import Answer, Sent, urls

USER_AGENT = "corsproxy-probe"
_SAFE = "/%:@!$&'()*+,;=~?-._[]|{}^\"<>\\`"
"""A target goes out as it was written; only what could not stand in a request line is escaped."""


class UnreachableError(Exception):
    """A server that gave no answer that could be read; the text is one line for people."""


@dataclass(frozen=True, slots=True)
class Wire:
    """How requests are sent."""

    timeout: float
    """Seconds, for connecting and again for everything up to the end of the answer's head."""
    insecure: bool = False
    """Takes any certificate."""
    body: bytes = b""
    """The content of actual requests that may have one."""

    def send(self, sent: Sent) -> Answer:
        """Send one request; raises `UnreachableError` where no answer comes."""
        try:
            return self._send(sent)
        except ssl.SSLError as error:
            raise UnreachableError(_tls_said(error)) from None
        except TimeoutError:
            raise UnreachableError(f"no answer within {self.timeout:g} s") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise UnreachableError(_said(error)) from None

    def _send(self, sent: Sent) -> Answer:
        parts = urlsplit(sent.url)
        host, port = parts.hostname or "", parts.port or urls.DEFAULT_PORTS[parts.scheme]
        sock = socket.create_connection((host, port), self.timeout)
        with _deadline(sock, self.timeout), contextlib.closing(_connection(parts.scheme, host, port)) as connection:
            connection.sock = sock  # so that it is closed if the handshake fails, too
            if parts.scheme == "https":
                connection.sock = self._context().wrap_socket(sock, server_hostname=host)
            self._write(connection, sent)
            response = connection.getresponse()
        return Answer(response.status, tuple(response.headers.items()))

    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    def _write(self, connection: http.client.HTTPConnection, sent: Sent) -> None:
        parts = urlsplit(sent.url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.putrequest(sent.method, quote(target, _SAFE, errors="surrogateescape"), skip_accept_encoding=True)
        for name, value in (*sent.headers, ("Sec-Fetch-Mode", "cors")):
            connection.putheader(name, _encoded(value))
        if not any(name.lower() == "user-agent" for name, _ in sent.headers):
            connection.putheader("User-Agent", USER_AGENT)
        body = self.body if sent.kind == "actual" and sent.method not in {"GET", "HEAD"} else b""
        if body or (sent.kind == "actual" and sent.method in {"POST", "PUT", "PATCH"}):
            connection.putheader("Content-Length", str(len(body)))
        connection.putheader("Connection", "close")
        connection.endheaders(body or None)


@contextlib.contextmanager
def _deadline(sock: socket.socket, seconds: float) -> Iterator[None]:
    """Cut the connection off when the time is up; raises TimeoutError, also where what was cut looks like a whole.

    The timeout of a socket bounds each of its silences, and a server may have as many as it likes.
    """
    passed = threading.Event()

    def cut() -> None:
        passed.set()
        with contextlib.suppress(OSError):
            own.shutdown(socket.SHUT_RDWR)

    with sock.dup() as own:  # the same connection, whatever becomes of `sock`
        timer = threading.Timer(seconds, cut)
        timer.start()
        try:
            yield
        except (OSError, http.client.HTTPException):
            if not passed.is_set():
                raise
        finally:
            timer.cancel()
            timer.join()
    if passed.is_set():
        raise TimeoutError


def _connection(scheme: str, host: str, port: int) -> http.client.HTTPConnection:
    return http.client.HTTPSConnection(host, port) if scheme == "https" else http.client.HTTPConnection(host, port)


def _encoded(value: str) -> bytes:
    """Write a field value: each character is a byte, as in a browser; beyond that UTF-8, as in its cookies."""
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError:
        return value.encode("utf-8", "surrogateescape")


def _tls_said(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"TLS failed: {error.verify_message} (--insecure takes any certificate)"
    if error.reason in _NO_TLS:
        return "TLS failed: what answers does not speak it; write http:// if that is meant"
    return f"TLS failed: {error.reason or error}"


_NO_TLS = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG"})
"""What OpenSSL makes of bytes that are no TLS."""


def _said(error: OSError | http.client.HTTPException | ValueError) -> str:
    if isinstance(error, socket.gaierror | UnicodeError):  # the latter where a name server could not even be asked
        return "the host name is not known"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused: nothing listens there"
    if isinstance(error, http.client.RemoteDisconnected):
        return "the server closed the connection without an answer"
    if isinstance(error, OSError):
        return (error.strerror or str(error)).lower()
    if isinstance(error, ValueError):
        return f"it cannot be sent: {error}"
    return f"the answer is no HTTP/1.1 response ({type(error).__name__}{f': {error}' if str(error) else ''})"
