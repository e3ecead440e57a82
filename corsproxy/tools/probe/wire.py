"""One HTTP/1.1 request to a live server, and the head of its answer with every field line as it came.

A connection for each request, nothing retried, nothing followed, no content read: what counts here is in the head.
Knows nothing of CORS.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from corsproxy.tools.browser import Answer, Sent

USER_AGENT = "corsproxy-probe"
_SAFE = "/%:@!$&'()*+,;=~?-._[]|{}^\"<>\\`"
"""A target goes out as it was written; only what could not stand in a request line is escaped."""


class UnreachableError(Exception):
    """A server that gave no answer that could be read; the text is one line for people."""


@dataclass(frozen=True, slots=True)
class Wire:
    """How requests are sent."""

    timeout: float
    """Seconds, for connecting and again for the answer's head."""
    insecure: bool = False
    """Takes any certificate."""
    body: bytes = b""
    """The content of actual requests that may have one."""

    def send(self, sent: Sent) -> Answer:
        """Send one request; raises `UnreachableError` where no answer comes."""
        connection = self._connection(sent.url)
        with contextlib.closing(connection):
            try:
                self._write(connection, sent)
                response = connection.getresponse()
                return Answer(response.status, tuple(response.headers.items()))
            except ssl.SSLError as error:
                said = getattr(error, "verify_message", "") or error.reason or str(error)
                raise UnreachableError(f"TLS failed: {said} (--insecure takes any certificate)") from None
            except TimeoutError:
                raise UnreachableError(f"no answer within {self.timeout:g} s") from None
            except (OSError, http.client.HTTPException) as error:
                raise UnreachableError(_said(error)) from None

    def _connection(self, url: str) -> http.client.HTTPConnection:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if parts.scheme == "http":
            return http.client.HTTPConnection(host, parts.port, timeout=self.timeout)
        context = ssl.create_default_context()
        if self.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return http.client.HTTPSConnection(host, parts.port, timeout=self.timeout, context=context)

    def _write(self, connection: http.client.HTTPConnection, sent: Sent) -> None:
        parts = urlsplit(sent.url)
        target = quote((parts.path or "/") + (f"?{parts.query}" if parts.query else ""), safe=_SAFE)
        connection.putrequest(sent.method, target, skip_accept_encoding=True)
        for name, value in (*sent.headers, ("Sec-Fetch-Mode", "cors")):
            connection.putheader(name, value.encode("latin-1", "replace"))
        if not any(name.lower() == "user-agent" for name, _ in sent.headers):
            connection.putheader("User-Agent", USER_AGENT)
        body = self.body if sent.kind == "actual" and sent.method not in {"GET", "HEAD"} else b""
        if body or (sent.kind == "actual" and sent.method in {"POST", "PUT", "PATCH"}):
            connection.putheader("Content-Length", str(len(body)))
        connection.putheader("Connection", "close")
        connection.endheaders(body or None)


def _said(error: OSError | http.client.HTTPException) -> str:
    if isinstance(error, socket.gaierror):
        return "the host name is not known"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused: nothing listens there"
    if isinstance(error, http.client.RemoteDisconnected):
        return "the server closed the connection without an answer"
    if isinstance(error, OSError):
        return (error.strerror or str(error)).lower()
    return f"the answer is no HTTP/1.1 response ({type(error).__name__}{f': {error}' if str(error) else ''})"
