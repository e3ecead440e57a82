"""Web pages on sites of their own over HTTPS, and a Chromium that finds them and the proxy on loopback.

The browser asks for `https://app.example.com` and `https://api.example.net` as its user would: the names lead to free
ports of loopback, and the throw-away certificate is taken for good.
A browser takes a second or two to start, so one serves all tests; each has an empty profile in it (cookies, cache), and
a proxy of its own, always on the one port that the browser knows.
"""

from __future__ import annotations

import contextlib
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.browser.chromium import MISSING, Chromium, Page, executable
from tests.recipes import RECIPES
from tests.recipes.certificate import Certificate
from tests.recipes.server import Server
from tests.support.installed import installed
from tests.support.process import started
from tests.support.programs import free_port

PAGE = b"<!doctype html><title>a page of another site</title>"


class _PageHandler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Return the page, whatever is asked for."""
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Log nothing."""


@contextlib.contextmanager
def pages(certificate: Certificate) -> Iterator[int]:
    """Serve an empty page under every name of the certificate, and yield the port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _PageHandler)
    server.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.certificate, certificate.private_key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Sites:
    """The sites, and the browsers that find them: api.example.net is the proxy, the other names are pages."""

    def __init__(self, certificate: Certificate, page_port: int) -> None:
        self._certificate = certificate
        self._page_port = page_port
        self._proxy_port = free_port()
        self._browsers: dict[tuple[str, ...], Chromium] = {}

    @contextlib.contextmanager
    def page_behind(self, recipe: str, server: Server, *arguments: str, **changes: str) -> Iterator[Page]:
        """Open a tab in a fresh profile, with a proxy that runs the recipe's own file.

        `arguments` are those of the browser's command line; `changes` are as for `changed`.
        """
        environ = {
            "TLS_CERTIFICATE": str(self._certificate.certificate),
            "TLS_PRIVATE_KEY": str(self._certificate.private_key),
            "LEGACY_URL": server.url,
        }
        text = changed((RECIPES / f"{recipe}.yaml").read_text(encoding="utf-8"), changes)
        with (
            started(text, listen=f"127.0.0.1:{self._proxy_port}", environ=environ),
            self._browser(arguments).page() as page,
        ):
            yield page

    def close(self) -> None:
        """End the browsers."""
        for chromium in self._browsers.values():
            chromium.close()

    def _browser(self, arguments: tuple[str, ...]) -> Chromium:
        """Return the browser with these arguments, started if it is the first call."""
        if arguments not in self._browsers:
            ports = {
                "api.example.net": self._proxy_port,
                "app.example.com": self._page_port,
                "evil.example.org": self._page_port,
            }
            rules = ", ".join(f"MAP {name}:443 127.0.0.1:{port}" for name, port in ports.items())
            self._browsers[arguments] = Chromium(
                installed(executable(), MISSING),
                f"--host-resolver-rules={rules}",
                f"--ignore-certificate-errors-spki-list={self._certificate.fingerprint}",
                *arguments,
            )
        return self._browsers[arguments]


CALL = """
const api = "https://api.example.net";
const call = (path, options = {}) => fetch(api + path, { credentials: "include", ...options });
"""
"""How the pages call the proxy."""


def page_result(page: Page, script: str) -> Any:
    """Return the result of a script after `CALL`; a failure of `fetch` is the text `blocked`."""
    return page.evaluate(
        f"async () => {{ {CALL} try {{ {script} }} catch (error) {{"
        " if (error instanceof TypeError) return 'blocked'; throw error; } }"
    )


def changed(text: str, changes: dict[str, str]) -> str:
    """Return a recipe with other text after the keys of `changes`; with `off` the line is taken out."""
    for key, value in changes.items():
        lines = text.splitlines()
        found = [number for number, line in enumerate(lines) if line.lstrip().startswith(f"{key}:")]
        assert len(found) == 1, f"{key} is not on exactly one line of the recipe"
        indent = lines[found[0]].partition(key)[0]
        lines[found[0] : found[0] + 1] = [] if value == "off" else [f"{indent}{key}: {value}"]
        text = "\n".join(lines) + "\n"
    return text
