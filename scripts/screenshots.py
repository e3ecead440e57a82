"""Takes the screenshots of docs/inspector.md from a real run: `python -m scripts.screenshots`, in the root folder.

A proxy with the inspector stands before a service that answers everything; requests as browsers make them go through
it, and a headless Chromium looks at the page in both palettes.
Needs the `test` extra and a Chromium (tests/browser/chromium.py says how it is found).
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import http.client
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.async_api import ViewportSize

from tests.browser.chromium import MISSING, Chromium, Scheme, executable
from tests.support.process import Proxy, started
from tests.support.upstream import OK, Connection, Upstream

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"

CONFIG = """\
upstreams:
  orders: {upstream}
  status: {upstream}
  billing: http://127.0.0.1:9

policies:
  shop:
    allow_origins:
      - https://shop.example.com
      - https://*.preview.example.dev
    allow_methods: [GET, POST, PUT]
    allow_headers: [Content-Type]
    expose_headers: [X-Total-Count]
    allow_credentials: true
  open:
    allow_origins: ["*"]

routes:
  - path: /orders
    upstream: orders
    policy: shop
  - path: /status
    upstream: status
    policy: open
  - path: /internal
    upstream: orders
  - path: /billing
    upstream: billing
    policy: shop
"""

SHOP = "https://shop.example.com"
PREVIEW = "https://pr-417.preview.example.dev"
ADMIN = "https://admin.example.com"
PUT_JSON = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "content-type"}

OPENED = ("OPTIONS", "/orders/1042", {"Origin": ADMIN, **PUT_JSON})
"""The request whose row is open in the screenshots."""

SIZES = ((1440, 900), (1280, 800), (400, 860))
"""Window sizes: a desktop, a laptop, a phone."""

_ONE_COLUMN = 500
"""The width in pixels below which the details fill the screen."""

REQUESTS: list[tuple[str, str, Mapping[str, str]]] = [
    ("GET", "/orders", {"Origin": SHOP}),
    ("OPTIONS", "/orders/1041", {"Origin": SHOP, **PUT_JSON}),
    ("PUT", "/orders/1041", {"Origin": SHOP}),
    ("GET", "/status", {"Origin": ADMIN}),
    ("GET", "/status", {}),
    ("OPTIONS", "/orders/1041", {"Origin": SHOP, "Access-Control-Request-Method": "DELETE"}),
    ("GET", "/orders?page=2", {"Origin": PREVIEW}),
    (
        "OPTIONS",
        "/orders",
        {"Origin": SHOP, **PUT_JSON, "Access-Control-Request-Headers": "authorization,content-type"},
    ),
    ("GET", "/internal/report", {"Origin": SHOP}),
    ("POST", "/orders", {"Origin": SHOP}),
    ("GET", "/orders", {"Origin": "https://Shop.example.com/"}),
    ("GET", "/orders/1042/lines", {"Origin": PREVIEW}),
    OPENED,
    ("GET", "/orders/1042", {"Origin": ADMIN}),
    ("GET", "/orders/1042", {"Origin": SHOP}),
    ("GET", "/status", {"Origin": PREVIEW}),
    ("POST", "/billing/invoices?page=2&token=secret", {"Origin": SHOP, "Authorization": "Bearer secret"}),
]
"""The requests to send, in order."""


def main() -> int:
    """Take every screenshot; return 1 if there is no browser."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--into", type=Path, default=IMAGES, metavar="DIR", help="where they go (default: docs/images)")
    into = parser.parse_args().into
    path = executable()
    if path is None:
        print(MISSING, file=sys.stderr)
        return 1
    into.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        ended = threading.Event()
        upstream = stack.enter_context(Upstream(functools.partial(play, ended)))
        stack.callback(ended.set)
        home = Path(stack.enter_context(TemporaryDirectory()))
        (home / "corsproxy.yaml").write_text(CONFIG.replace("{upstream}", upstream.url), encoding="utf-8")
        # Without a path, the pictures show the file's name alone.
        proxy = stack.enter_context(started(None, "--inspect", admin=True, directory=home))
        send_all(proxy)
        stream = stack.enter_context(contextlib.closing(http.client.HTTPConnection(*proxy.address)))
        stream.request("GET", "/orders/feed", headers={"Origin": SHOP})
        chromium = Chromium(path)
        stack.callback(chromium.close)
        schemes: tuple[Scheme, ...] = ("light", "dark")
        for scheme in schemes:
            take(chromium, proxy, scheme, into)
    return 0


def play(ended: threading.Event, connection: Connection) -> None:
    """Answer everything at once, except a stream of events, which stays open until the screenshots are taken."""
    while True:
        request = connection.read_request()
        if b"/feed" not in request.line:
            connection.send(OK)
            continue
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        connection.send(b"800\r\n" + b"x" * 0x800 + b"\r\n")
        ended.wait()


def send_all(proxy: Proxy) -> None:
    """Send the requests, one after the other."""
    with contextlib.closing(http.client.HTTPConnection(*proxy.address)) as connection:
        for method, path, fields in REQUESTS:
            connection.request(method, path, headers=dict(fields))
            connection.getresponse().read()


def take(chromium: Chromium, proxy: Proxy, scheme: Scheme, into: Path) -> None:
    """Take the screenshots of one colour scheme."""
    host, port = proxy.admin
    for width, height in SIZES:
        viewport: ViewportSize = {"width": width, "height": height}
        with chromium.page(color_scheme=scheme, viewport=viewport, reduced_motion="reduce") as page:
            page.open(f"http://{host}:{port}/")
            page.wait_for("tr.refused")
            if width < _ONE_COLUMN:
                page.screenshot(str(into / f"inspector-{scheme}-{width}.png"))
                continue
            page.evaluate(
                "([method, path]) => [...document.querySelectorAll('#rows tr.refused')].find((row) =>"
                " row.querySelector('.method').textContent === method &&"
                " row.querySelector('.path').textContent === path).querySelector('.open').click()",
                OPENED[:2],
            )
            page.wait_for("#detail .diff")
            suffix = "" if width == SIZES[0][0] else f"-{width}"
            page.screenshot(str(into / f"inspector-{scheme}{suffix}.png"))
            if scheme == "light" and not suffix:
                page.click("#detail .link")
                page.wait_for("#answer .steps")
                page.evaluate("document.querySelector('#ask [type=submit]').focus()")
                page.screenshot(str(into / "inspector-explain.png"))


if __name__ == "__main__":
    sys.exit(main())
