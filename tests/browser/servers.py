r"""What stands behind and beside the proxy in the browser checks: a service that is wrong about CORS, and pages.

The service answers by the last segment of the path and puts wrong CORS fields, in odd letter case and repeated, on
everything, so that a check which passes has seen the proxy's fields and no others.
"""

from __future__ import annotations

import base64
import hashlib
import struct
import threading
import zlib
from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.upstream import DEADLINE, Connection, Request

WRONG = (
    b"access-control-ALLOW-origin: http://wrong.invalid\r\n"
    b"Access-Control-Allow-Origin: *\r\n"
    b"ACCESS-CONTROL-ALLOW-CREDENTIALS: maybe\r\n"
    b"access-control-expose-headers: X-Secret\r\n"
    b"Access-Control-Allow-Methods: DELETE\r\n"
    b"Timing-Allow-Origin: http://wrong.invalid\r\n"
)

LARGE = 8 * 1024 * 1024
"""Bytes of the large answer: more than any buffer on the way."""


def service(connection: Connection) -> None:
    """Answer each request of one connection; a script for `tests.support.upstream.Upstream`."""
    while True:
        request = connection.read_request()
        what = request.line.split(b" ")[1].split(b"?")[0].rpartition(b"/")[2].decode()
        if what == "hang-up":
            return
        special = _SPECIAL.get(what)
        if special is not None:
            special(connection, request)
        else:
            response = _COMPUTED[what](request) if what in _COMPUTED else _FIXED.get(what, _NOT_FOUND)
            head_only = request.line.startswith(b"HEAD ")
            connection.send(response.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if head_only else response)


def answer(status: str, content: bytes, *fields: str, type: str = "text/plain") -> bytes:  # noqa: A002 - the field's name
    """Build a whole response with the wrong CORS fields on it."""
    head = "".join(f"{field}\r\n" for field in (f"Content-Type: {type}", f"Content-Length: {len(content)}", *fields))
    return b"HTTP/1.1 %b\r\n%b%b\r\n%b" % (status.encode(), head.encode(), WRONG, content)


def _red_pixel() -> bytes:
    """Make the smallest PNG (PNG specification, section 11)."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0\xff\0\0")) + chunk(b"IEND", b"")


_NOT_FOUND = answer("404 Not Found", b"nothing here")
_FIXED = {
    "ok": answer("200 OK", b"ok"),
    "headers": answer("200 OK", b"ok", 'ETag: "7"', "X-Total-Count: 3", "X-Secret: hush", "Set-Cookie: seen=1; Path=/"),
    "lasting": answer("200 OK", b"ok", "Cache-Control: max-age=600"),
    "large": answer("200 OK", bytes(LARGE)),
    "unauthorized": answer("401 Unauthorized", b"who?", 'WWW-Authenticate: Bearer realm="a"'),
    "broken": answer("500 Internal Server Error", b"it broke"),
    "redirect": answer("302 Found", b"", "Location: ok"),
    "see-other": answer("303 See Other", b"", "Location: method"),
    "picture": answer("200 OK", _red_pixel(), type="image/png"),
    "module": answer("200 OK", b"export const value = 42;", type="text/javascript"),
}


def _cookie(request: Request) -> bytes:
    """Answer with the cookie that came, and set one."""
    came = b", ".join(request.values(b"Cookie")) or b"no cookie"
    return answer("200 OK", came, "Set-Cookie: session=abc; Path=/; HttpOnly")


def _said(name: bytes, request: Request) -> bytes:
    return answer("200 OK", b", ".join(request.values(name)))


def _to_page(request: Request) -> bytes:
    """Redirect to where the page itself comes from."""
    target = request.values(b"Referer")[0].decode()
    return answer("302 Found", b"", f"Location: {target}checks.html")


def _to_own_origin(request: Request) -> bytes:
    """Redirect with the service's own absolute address, which no client may see."""
    host = request.values(b"Host")[0].decode()
    path = request.line.split(b" ")[1].decode()
    return answer("302 Found", b"", f"Location: http://{host}{path.rpartition('/')[0]}/ok")


_COMPUTED: dict[str, Callable[[Request], bytes]] = {
    "method": lambda request: answer("200 OK", request.line.split(b" ")[0]),
    "length": lambda request: answer("200 OK", str(len(request.body)).encode()),
    "token": partial(_said, b"X-Token"),
    "authorization": partial(_said, b"Authorization"),
    "cookie": _cookie,
    "own-redirect": _to_own_origin,
    "away": _to_page,
}


def _websocket(connection: Connection, request: Request) -> None:
    """Accept the handshake (RFC 6455 section 4.2.2), send one text message, and close, as the browser then does."""
    key = request.values(b"Sec-WebSocket-Key")[0]
    accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
    connection.send(
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Accept: %b\r\n\r\n\x81\x05hello\x88\x00" % accept
    )
    connection.read_some()
    connection.finish_sending()  # the server ends the connection (section 7.1.1); a browser waits for that for seconds


_told = threading.Event()
"""Set once a page has seen the first event; one check alone uses it."""


def _events(connection: Connection, request: Request) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n%b\r\n"
    connection.send(head % WRONG + b"d\r\ndata: first\n\n\r\n")
    if _told.wait(DEADLINE):
        connection.send(b"e\r\ndata: second\n\n\r\n0\r\n\r\n")


def _go_on(connection: Connection, request: Request) -> None:
    _told.set()
    connection.send(answer("200 OK", b""))


_SPECIAL: dict[str, Callable[[Connection, Request], None]] = {
    "socket": _websocket,
    "events": _events,
    "go-on": _go_on,
}


class _Files(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the base class
        """Stay quiet."""


class Pages:
    """Serves the folder `page` on a free port, whatever name the browser calls it by: each name is an origin."""

    def __init__(self) -> None:
        handler = partial(_Files, directory=str(Path(__file__).with_name("page")))
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def origin(self, host: str) -> str:
        """Return the origin of the pages under this name."""
        return f"http://{host}:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(DEADLINE)
