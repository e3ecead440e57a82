"""One HTTP/1.1 request to a live server, and the head of its answer with every field line as received.

Each request has a connection; nothing is retried, and no redirect is followed.
Of the content only a short text of an error is read, because corsproxy gives its reason there.
The request does not ask for the connection to be closed, because a browser does not, and the answer would show it.
It must not know CORS.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from dataclasses import dataclass, replace
from urllib.parse import quote, urlsplit

from corsproxy.tools.browser import Answer, Sent, urls
from corsproxy.tools.live.head import HeadReader, NoHeadError

_SAFE = "/%:@!$&'()*+,;=~?-._[]|{}^\"<>\\`"
"""A target is sent as written; only characters that a request line cannot have are escaped."""
_MAX_TEXT = 2048
"""The most bytes of an error's text to read; corsproxy's own have a line or two."""


class UnreachableError(Exception):
    """A server without a readable response; the text is one line for people."""


@dataclass(frozen=True, slots=True)
class Wire:
    """How requests are sent."""

    timeout: float
    """Seconds for the connection, and again for everything up to the end of the answer's head."""
    insecure: bool = False
    """True if any certificate is accepted."""
    body: bytes = b""
    """The content of actual requests that may have one."""
    agent: str = "corsproxy-probe"
    """User-Agent."""
    host: str = ""
    """Host and TLS server name instead of the URL's; the connection is still to the URL's host."""

    def send(self, sent: Sent) -> Answer:
        """Send one request; raises `UnreachableError` if no answer comes."""
        try:
            return self._send(sent)
        except ssl.SSLError as error:
            raise UnreachableError(_tls_problem(error)) from None
        except TimeoutError:
            raise UnreachableError(f"no answer within {self.timeout:g} s") from None
        except NoHeadError as error:
            raise UnreachableError(f"the answer is no HTTP/1.1 response: {error}") from None
        except (OSError, ValueError) as error:
            raise UnreachableError(_problem(error)) from None

    def _send(self, sent: Sent) -> Answer:
        parts = urlsplit(sent.url)
        address = parts.hostname or "", parts.port or urls.DEFAULT_PORTS[parts.scheme]
        request = self._request(sent)
        sock = socket.create_connection(address, self.timeout)
        deadline = time.monotonic() + self.timeout
        with contextlib.ExitStack() as stack:
            stack.callback(lambda: sock.close())  # TLS may have wrapped it by then
            if parts.scheme == "https":
                name = urlsplit(f"//{self.host}").hostname if self.host else address[0]
                sock = self._context().wrap_socket(sock, server_hostname=name)
            # A server may refuse, and say why, before it has read everything.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                sock.sendall(request)
            return _read(sock, deadline, has_content=sent.method != "HEAD")

    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    def _request(self, sent: Sent) -> bytes:
        """Return the whole request; raises ValueError if it cannot be sent."""
        parts = urlsplit(sent.url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        host = self.host or parts.netloc.rpartition("@")[2].removesuffix(f":{urls.DEFAULT_PORTS[parts.scheme]}")
        fields = [("Host", host if host.isascii() else host.encode("idna").decode())]
        fields += [*sent.headers, ("Sec-Fetch-Mode", "cors")]
        if not any(name.lower() == "user-agent" for name, _ in sent.headers):
            fields.append(("User-Agent", self.agent))
        body = self.body if sent.kind == "actual" and sent.method not in {"GET", "HEAD"} else b""
        if body or (sent.kind == "actual" and sent.method in {"POST", "PUT", "PATCH"}):
            fields.append(("Content-Length", str(len(body))))
        line = f"{sent.method} {quote(target, _SAFE, errors='surrogateescape')} HTTP/1.1\r\n".encode("ascii")
        return (
            line
            + b"".join(b"%b: %b\r\n" % (name.encode("ascii"), _encoded(value)) for name, value in fields)
            + (b"\r\n" + body)
        )


def _read(sock: socket.socket, deadline: float, *, has_content: bool) -> Answer:
    """Read until the head is complete; raises TimeoutError, OSError or `NoHeadError`.

    A socket's timeout bounds only each silence, of which a server may have many; the deadline bounds them all.
    """
    reader = HeadReader()
    answer = None
    while answer is None:
        part = _receive(sock, deadline)
        if not part:
            raise ConnectionAbortedError("cut" if reader.has_begun else "")
        answer = reader.feed(part)
    if not has_content or answer.status < 400 or not answer.media_type.startswith("text/"):
        return answer
    length = answer.combined("Content-Length") or ""
    size = min(int(length), _MAX_TEXT) if length.isascii() and length.isdecimal() else 0
    text = reader.content
    with contextlib.suppress(OSError):  # the head is there, and that is what was asked for
        while len(text) < size and (part := _receive(sock, deadline)):
            text += part
    return replace(answer, text=text[:size].decode("utf-8", "replace"))


def _receive(sock: socket.socket, deadline: float) -> bytes:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    sock.settimeout(left)
    return sock.recv(65536)


def _encoded(value: str) -> bytes:
    """Return a field value's bytes: Latin-1 as in a browser, or UTF-8, as in its cookies, for other characters."""
    if any(sign in value for sign in "\0\r\n"):
        raise ValueError("a value is one line")
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError:
        return value.encode("utf-8", "surrogateescape")


def _tls_problem(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"TLS failed: {error.verify_message} (--insecure takes any certificate)"
    if error.reason in _NO_TLS:
        return "TLS failed: what answers does not speak it; write http:// if that is meant"
    return f"TLS failed: {error.reason or error}"


_NO_TLS = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG"})
"""OpenSSL's reasons for bytes that are not TLS."""


def _problem(error: OSError | ValueError) -> str:
    if isinstance(error, socket.gaierror | UnicodeError):  # UnicodeError: the name cannot be encoded for a query
        return "the host name is not known"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused: nothing listens there"
    if isinstance(error, ConnectionAbortedError):
        cut = "in the middle of the answer's head" if str(error) else "without an answer"
        return f"the server closed the connection {cut}"
    if isinstance(error, OSError):
        return (error.strerror or str(error)).lower()
    return f"it cannot be sent: {error}"
