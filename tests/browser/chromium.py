"""A real headless Chromium, for tests that are written without `await`.

Playwright runs on an event loop in a thread of its own: its synchronous interface would leave a loop running in the
thread of the tests, and the asynchronous tests of other packages could not run any more.
Opening a tab takes a second of CPU, emptying one a twentieth, so the next test gets a used tab, emptied;
`test_used_tabs.py` holds that nothing of the last page is left in it.
Knows nothing of corsproxy.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import threading
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

from playwright.async_api import Browser, CDPSession, Playwright, ViewportSize, async_playwright
from playwright.async_api import Page as AsyncPage

T = TypeVar("T")

Scheme = Literal["light", "dark"]
"""The colour scheme that a user prefers."""

DEADLINE = 60.0
"""Seconds until a call of the browser is given up; two slow cores are shared by all tests."""

EXECUTABLE = "CORSPROXY_TEST_CHROMIUM"
"""Names the browser where it is not on PATH."""

MISSING = f"no Chromium: install it (Debian: apt-get install chromium) or name one in {EXECUTABLE}"

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

_ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",  # as root, in a container, Chromium has no other way to start
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Names for origins on other sites than localhost, without a name server to know them.
    "--host-resolver-rules=MAP *.test 127.0.0.1",
)

_WINDOW: ViewportSize = {"width": 1280, "height": 720}

_FORGET: tuple[tuple[str, dict[str, Any]], ...] = (
    ("Network.clearBrowserCache", {}),  # remembered preflights too
    ("Storage.clearDataForOrigin", {"origin": "*", "storageTypes": "all"}),
)
"""https://chromedevtools.github.io/devtools-protocol/: what empties a profile."""


def executable() -> str | None:
    """Return the browser's program, or None."""
    named = os.environ.get(EXECUTABLE)
    return named or next((path for name in _NAMES if (path := shutil.which(name))), None)


@dataclass(slots=True)
class _Tab:
    """A tab with a separate profile, in use or idle."""

    kind: str
    """The options of its profile."""
    page: AsyncPage
    tools: CDPSession
    console: list[str]
    """The console of its current user."""


class Page:
    """One tab of a browser with its own profile; use it as a context manager."""

    def __init__(self, chromium: Chromium, tab: _Tab) -> None:
        self._chromium = chromium
        self._tab = tab
        self._page = tab.page
        self.console: list[str] = []
        """What the browser wrote on the console: its own words about what it blocked."""
        tab.console = self.console

    def open(self, url: str) -> None:
        """Load a URL and wait for its `load` event."""
        self._chromium.run(self._page.goto(url))

    def evaluate(self, script: str, argument: object = None) -> Any:
        """Run an expression, or call a function with the argument, and return its value once it is settled."""
        return self._chromium.run(self._page.evaluate(script, argument))

    def wait_for(self, selector: str) -> None:
        """Wait until an element exists and is visible."""
        self._chromium.run(self._page.wait_for_selector(selector))

    def click(self, selector: str) -> None:
        """Click an element, once it can be."""
        self._chromium.run(self._page.click(selector))

    def hover(self, selector: str) -> None:
        """Move the mouse over an element."""
        self._chromium.run(self._page.hover(selector))

    def fill(self, selector: str, text: str) -> None:
        """Put a text into a field, or choose an option of a select by its label."""
        field = self._page.locator(selector)
        is_select = self._chromium.run(field.evaluate("(field) => field.tagName === 'SELECT'"))
        if is_select:
            self._chromium.run(field.select_option(label=text))
        else:
            self._chromium.run(field.fill(text))

    def press(self, key: str) -> None:
        """Press a key, as `Enter`, where the focus is."""
        self._chromium.run(self._page.keyboard.press(key))

    def forget(self) -> None:
        """Empty the profile: cookies, storage, the cache and remembered preflights; the page stays."""
        self._chromium.run(_forget(self._tab))

    def screenshot(self, path: str) -> None:
        """Write a picture of the whole page, as PNG."""
        self._chromium.run(self._page.screenshot(path=path, full_page=True))

    def close(self, *, broken: bool = False) -> None:
        """Forget the profile, and with it the tab if it is broken."""
        self._chromium.take_back(self._tab, broken=broken)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close(broken=error is not None)


class Chromium:
    """A running browser; `page` opens tabs.

    `arguments` are further ones of its command line; of two for the same switch the last counts.
    """

    def __init__(self, path: str, *arguments: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="chromium", daemon=True)
        self._thread.start()
        self._idle: dict[str, list[_Tab]] = {}
        self._playwright, self._browser = self.run(_launch(path, arguments))

    def page(
        self,
        *,
        viewport: ViewportSize = _WINDOW,
        color_scheme: Scheme = "light",
        reduced_motion: Literal["reduce", "no-preference"] = "no-preference",
        **options: Any,
    ) -> Page:
        """Open a tab with an empty profile; further `options` are those of Playwright's `new_context`."""
        kind = json.dumps(options, sort_keys=True)
        idle = self._idle.setdefault(kind, [])
        tab = idle.pop() if idle else self.run(self._new_tab(kind, options))
        self.run(tab.page.set_viewport_size(viewport))
        self.run(tab.page.emulate_media(color_scheme=color_scheme, reduced_motion=reduced_motion))
        return Page(self, tab)

    def take_back(self, tab: _Tab, *, broken: bool) -> None:
        """Empty a tab for its next user, or close it if it is broken."""
        if broken:
            self.run(tab.page.context.close())
        else:
            self.run(_empty(tab))
            self._idle[tab.kind].append(tab)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine of Playwright's and return its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(DEADLINE)

    def close(self) -> None:
        """End the browser and the thread."""
        self.run(self._browser.close())
        self.run(self._playwright.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(DEADLINE)
        self._loop.close()

    async def _new_tab(self, kind: str, options: dict[str, Any]) -> _Tab:
        """Open a tab; all that talks to the browser runs on its loop's thread, the listener on the console too."""
        context = await self._browser.new_context(**options)
        context.set_default_timeout(DEADLINE * 500)
        page = await context.new_page()
        tab = _Tab(kind, page, await context.new_cdp_session(page), [])
        page.on("console", lambda message: tab.console.append(message.text))
        return tab


async def _launch(path: str, arguments: Sequence[str]) -> tuple[Playwright, Browser]:
    playwright = await async_playwright().start()
    args = [*_ARGUMENTS, *arguments]
    browser = await playwright.chromium.launch(executable_path=path, args=args, timeout=DEADLINE * 1000)
    return playwright, browser


async def _empty(tab: _Tab) -> None:
    await tab.page.goto("about:blank")
    await _forget(tab)


async def _forget(tab: _Tab) -> None:
    for method, params in _FORGET:
        await tab.tools.send(method, params)
