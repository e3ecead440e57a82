"""A real headless Firefox, driven by WebDriver BiDi over its remote debugging port.

https://w3c.github.io/webdriver-bidi/: commands and events as JSON over a WebSocket that Firefox itself opens.
The tab has the part of the interface of `tests.browser.chromium.Page` that tests in both browsers need.
Knows nothing of corsproxy.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import time
from types import TracebackType
from typing import Any, Self

from websockets.sync.client import ClientConnection, connect

from tests.support.process import Output

DEADLINE = 60.0
"""Seconds until a command is given up; two slow cores are shared by all tests."""

EXECUTABLE = "CORSPROXY_TEST_FIREFOX"
"""Names the browser where it is not on PATH."""

MISSING = f"no Firefox: install it (Debian: apt-get install firefox-esr) or name one in {EXECUTABLE}"

_PREFERENCES = {
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "app.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.dns.localDomains": "a.test,b.test",
    "browser.safebrowsing.update.enabled": False,
    "services.settings.server": "http://127.0.0.1:9/",
    "extensions.update.enabled": False,
    "extensions.enabledScopes": 0,  # the system's add-ons are not even looked for, which takes a second
    "media.gmp-manager.updateEnabled": False,
}
"""Nothing goes out; names for origins on other sites than localhost, without a name server to know them."""


def executable() -> str | None:
    """Return the browser's program, or None."""
    return os.environ.get(EXECUTABLE) or shutil.which("firefox-esr") or shutil.which("firefox")


class Firefox:
    """A running browser; `page` opens tabs."""

    def __init__(self, path: str) -> None:
        self._profile = tempfile.TemporaryDirectory(prefix="corsproxy-firefox-", ignore_cleanup_errors=True)
        lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in _PREFERENCES.items()]
        with open(os.path.join(self._profile.name, "user.js"), "w", encoding="utf-8") as preferences:
            preferences.write("\n".join(lines))
        self._process = subprocess.Popen(
            [path, "--headless", "--no-remote", "--profile", self._profile.name, "--remote-debugging-port", "0",
             "about:blank"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**os.environ, "HOME": self._profile.name},
        )  # fmt: skip
        assert self._process.stderr is not None
        self._output = Output(self._process.stderr)
        self._stack = contextlib.ExitStack()
        self._socket: ClientConnection | None = None
        self._number = 0
        self._consoles: dict[str, list[str]] = {}
        try:
            address = self._output.wait_line(r"(ws://127\.0\.0\.1:\d+)", DEADLINE)[1]
            # No pings: their thread draws from `random` for as long as the browser is open, and Hypothesis then takes
            # a property of any other test in the same process for one that cannot be repeated.
            opened = connect(
                f"{address}/session", open_timeout=DEADLINE, max_size=None, compression=None, ping_interval=None
            )
            self._socket = self._stack.enter_context(opened)
            self.command("session.new", {"capabilities": {}})
            self.command("session.subscribe", {"events": ["log.entryAdded"]})
        except BaseException:
            self.close()
            raise

    def page(self) -> FirefoxPage:
        """Open a tab with separate cookies."""
        user = self.command("browser.createUserContext", {})["userContext"]
        context = self.command("browsingContext.create", {"type": "tab", "userContext": user})["context"]
        return FirefoxPage(self, context, self._consoles.setdefault(context, []))

    def command(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        """Send a command and return its result; events that come meanwhile are kept."""
        assert self._socket is not None
        self._number += 1
        number = self._number
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        end = time.monotonic() + DEADLINE
        while True:
            message = json.loads(self._socket.recv(timeout=max(0.0, end - time.monotonic())))
            if message.get("id") != number:
                self._take_event(message)
            elif message["type"] == "error":
                raise AssertionError(f"{method}: {message['error']}: {message['message']}")
            else:
                result: dict[str, Any] = message["result"]
                return result

    def close(self) -> None:
        """End the browser, by force if need be."""
        if self._socket is not None:
            with contextlib.suppress(Exception):
                self.command("browser.close", {})
        self._stack.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        self._process.kill()
        self._process.wait()
        self._output.finish()
        if self._process.stderr is not None:
            self._process.stderr.close()
        self._profile.cleanup()

    def _take_event(self, message: dict[str, Any]) -> None:
        if message.get("method") == "log.entryAdded":
            entry = message["params"]
            context = entry.get("source", {}).get("context", "")
            self._consoles.setdefault(context, []).append(entry.get("text") or "")


class FirefoxPage:
    """One tab; use it as a context manager."""

    def __init__(self, firefox: Firefox, context: str, console: list[str]) -> None:
        self._firefox = firefox
        self._context = context
        self.console = console
        """What scripts wrote on the console."""

    def open(self, url: str) -> None:
        """Load a URL and wait for its `load` event."""
        params = {"context": self._context, "url": url, "wait": "complete"}
        self._firefox.command("browsingContext.navigate", params)

    def evaluate(self, script: str, argument: object = None) -> Any:
        """Call a function with the argument and return its value once it is settled."""
        called = f"(text) => Promise.resolve(({script})(JSON.parse(text))).then((value) => JSON.stringify([value]))"
        params = {
            "functionDeclaration": called,
            "awaitPromise": True,
            "target": {"context": self._context},
            "arguments": [{"type": "string", "value": json.dumps(argument)}],
        }
        answered = self._firefox.command("script.callFunction", params)
        if answered["type"] != "success":
            raise AssertionError(answered["exceptionDetails"]["text"])
        return json.loads(answered["result"]["value"])[0]

    def close(self) -> None:
        """Close the tab."""
        self._firefox.command("browsingContext.close", {"context": self._context})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
