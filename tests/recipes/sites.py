"""Web pages on sites of their own over HTTPS, and a Chromium that finds them and the proxy on loopback.

The browser asks for `https://app.example.com` and `https://api.example.net` as its user would: the names lead to free
ports of loopback, and the throw-away certificate is taken for good.
"""

from __future__ import annotations

import contextlib
import os
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.browser.chromium import MISSING, Chromium, executable
from tests.recipes.conftest import Certificate

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
    """Serve an empty page under every name of the certificate; gives the port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _PageHandler)
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


@contextlib.contextmanager
def browser(certificate: Certificate, proxy_port: int, *arguments: str) -> Iterator[Chromium]:
    """Run a Chromium in which api.example.net is the proxy and the other names are pages.

    Without one the test is skipped, saying how to get it; on a build server it fails.
    """
    path = executable()
    if path is None:
        if os.environ.get("CI") == "true":
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    with pages(certificate) as port:
        rules = (
            f"MAP api.example.net:443 127.0.0.1:{proxy_port}",
            f"MAP app.example.com:443 127.0.0.1:{port}",
            f"MAP evil.example.org:443 127.0.0.1:{port}",
        )
        chromium = Chromium(
            path,
            f"--host-resolver-rules={', '.join(rules)}",
            f"--ignore-certificate-errors-spki-list={certificate.fingerprint}",
            *arguments,
        )
        try:
            yield chromium
        finally:
            chromium.close()
