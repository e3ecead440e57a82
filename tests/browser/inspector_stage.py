"""The inspector before a real browser: a proxy to look at, pages that ask it, and what the table shows."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.browser.chromium import Chromium, Page
from tests.browser.servers import Pages
from tests.server.setup import ask
from tests.support.process import Proxy, started
from tests.support.upstream import OK, Upstream

APP = "https://app.example.com"
OTHER = "https://other.example.com"

CONFIG = """\
upstreams:
  api: {upstream}
policies:
  app:
    allow_origins:
      - https://app.example.com
      - {page}
    allow_methods: [GET, PUT]    # what the page does
    allow_headers: [Content-Type]
routes:
  - path: /orders
    upstream: api
    policy: app
  - path: /plain
    upstream: api
"""


@dataclass(frozen=True, slots=True)
class Stage:
    """A proxy with the inspector, and pages on two origins: `home` is allowed, `stranger` is not."""

    proxy: Proxy
    home: str
    stranger: str
    config: str

    @property
    def inspector(self) -> str:
        """The inspector's address."""
        host, port = self.proxy.admin
        return f"http://{host}:{port}/"

    def ask(self, path: str, origin: str = APP, method: str = "GET", **fields: str) -> None:
        """Send one request through the proxy, as a browser would."""
        ask(self.proxy.address, path, method, None, Origin=origin, **fields)

    def preflight(self, path: str, origin: str, method: str = "PUT", headers: str = "content-type") -> None:
        """Send one preflight through the proxy."""
        wanted = {"Access_Control_Request_Method": method, "Access_Control_Request_Headers": headers}
        self.ask(path, origin, "OPTIONS", **wanted)


@contextlib.contextmanager
def set_up() -> Iterator[Stage]:
    """Set everything up afresh: a test changes the configuration, and counts what is in the table."""
    with contextlib.ExitStack() as stack:
        upstream = stack.enter_context(Upstream.answering(OK))
        pages = stack.enter_context(Pages())
        home = pages.origin("localhost")
        config = CONFIG.format(upstream=upstream.url, page=home)
        proxy = stack.enter_context(started(config, "--inspect", admin=True))
        yield Stage(proxy, home, pages.origin("127.0.0.1"), config)


@contextlib.contextmanager
def opened(chromium: Chromium, stage: Stage, **options: Any) -> Iterator[Page]:
    """Open the inspector, and wait until it is live."""
    settings = {"viewport": {"width": 1440, "height": 900}, "permissions": ["clipboard-read", "clipboard-write"]}
    with chromium.page(**{**settings, **options}) as page:
        page.open(stage.inspector)
        page.wait_for("#state[data-state=live]")
        yield page


def row(path: str, more: str = "") -> str:
    """Return the selector of the row with this path."""
    return f'#rows tr{more}:has(.open[title="{path}"])'


def text(page: Page, selector: str) -> str:
    """Return the visible text of an element."""
    return str(page.evaluate("(selector) => document.querySelector(selector).innerText", selector))


def paths(page: Page) -> list[str]:
    """Return the paths in the table, from top to bottom."""
    found: list[str] = page.evaluate("[...document.querySelectorAll('#rows .open')].map((each) => each.textContent)")
    return found


def some_of_each(stage: Stage, page: Page) -> None:
    """Send a request of each verdict, and wait until the last is shown."""
    ask(stage.proxy.address, "/orders/none")
    stage.ask("/orders/granted")
    stage.ask("/orders/origin", OTHER)
    stage.preflight("/orders/method", APP, "DELETE")
    stage.ask("/plain/policy")
    page.wait_for(row("/plain/policy"))
