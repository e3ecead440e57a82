"""Take the pictures of docs/inspector.md from a real run: `python -m scripts.screenshots`, at the repository's root.

A proxy with the inspector stands before a service that answers everything; requests as browsers make them go through
it, and a headless Chromium looks at the page in both palettes.
Needs the `test` extra and a Chromium (tests/browser/chromium.py says how it is found).
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.browser.chromium import MISSING, Chromium, executable
from tests.support.process import Proxy, started
from tests.support.upstream import OK, Upstream

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"

CONFIG = """\
upstreams:
  orders: {upstream}
  status: {upstream}

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
"""

SHOP = "https://shop.example.com"
PREVIEW = "https://pr-417.preview.example.dev"
ADMIN = "https://admin.example.com"
PUT_JSON = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "content-type"}

OPENED = ("OPTIONS", "/orders/1042", {"Origin": ADMIN, **PUT_JSON})
"""The one whose row the pictures show opened."""

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
]
"""What goes through, in order."""


def main() -> int:
    """Take every picture; the exit status says whether there is a browser."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--into", type=Path, default=IMAGES, metavar="DIR", help="where they go (default: docs/images)")
    into = parser.parse_args().into
    path = executable()
    if path is None:
        print(MISSING, file=sys.stderr)
        return 1
    into.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        upstream = stack.enter_context(Upstream.answering(OK))
        home = Path(stack.enter_context(TemporaryDirectory()))
        (home / "corsproxy.yaml").write_text(CONFIG.replace("{upstream}", upstream.url), encoding="utf-8")
        # Without a path, the pictures show the file's name alone.
        proxy = stack.enter_context(started(None, "--inspect", admin=True, directory=home))
        send_all(proxy)
        chromium = Chromium(path)
        stack.callback(chromium.close)
        for scheme in ("light", "dark"):
            take(chromium, proxy, scheme, into)
    return 0


def send_all(proxy: Proxy) -> None:
    """Send the requests, one after the other."""
    with contextlib.closing(http.client.HTTPConnection(*proxy.address)) as connection:
        for method, path, fields in REQUESTS:
            connection.request(method, path, headers=dict(fields))
            connection.getresponse().read()


def take(chromium: Chromium, proxy: Proxy, scheme: str, into: Path) -> None:
    """Take the pictures of one palette."""
    host, port = proxy.admin
    viewport = {"width": 1440, "height": 900}
    with chromium.page(color_scheme=scheme, viewport=viewport, reduced_motion="reduce") as page:
        page.open(f"http://{host}:{port}/")
        page.wait_for("tr.refused")
        page.click(f"#rows tr:nth-child({len(REQUESTS) - REQUESTS.index(OPENED)}) .open")
        page.wait_for("#detail .diff")
        page.screenshot(str(into / f"inspector-{scheme}.png"))
        if scheme == "light":
            page.click("#detail .link")
            page.wait_for("#answer .steps")
            page.evaluate("document.querySelector('#ask [type=submit]').focus()")
            page.screenshot(str(into / "inspector-explain.png"))


if __name__ == "__main__":
    sys.exit(main())
