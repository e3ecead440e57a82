"""Start the demo's three servers on loopback, make the page's calls, print the results, and keep serving.

The proxy is the real data path under the real configuration of `demo.yaml`, in this process.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
import socket
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from string import Template
from typing import TextIO

from aiohttp import web

from corsproxy.config import load_text
from corsproxy.cors import Kind
from corsproxy.proxy import Observer, Proxy, RequestRecord, compile_plan
from corsproxy.tools.demo.calls import CALLS
from corsproxy.tools.demo.legacy import legacy_api
from corsproxy.tools.demo.player import DemoBrowser, Played, wire
from corsproxy.tools.demo.site import site
from corsproxy.tools.demo.table import table

EXIT_AS_EXPECTED = 0
EXIT_UNEXPECTED = 1

POLICY = (files(__package__) / "demo.yaml").read_text(encoding="utf-8")
"""The proxy's configuration, a template with `$` names for the addresses."""

_HOST = "127.0.0.1"
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_WIDE = 100
"""The least columns of a terminal for a separate column of calls; in a narrower one each call is a heading."""


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """The options of the command line."""

    check: bool = False


def demo_command(options: DemoOptions, *, out: TextIO) -> int:
    """Run the demo and return its exit status.

    With `check` it ends after the table: 0 if every direct call was blocked and every proxied one allowed, else 1.
    Without, it serves until SIGINT or SIGTERM, and returns 0.
    """
    return asyncio.run(_until_stopped(options.check, out))


async def _until_stopped(check: bool, out: TextIO) -> int:
    """Run the demo in a task that a signal cancels, whatever it is doing."""
    running = asyncio.ensure_future(_demo(check, out))
    loop = asyncio.get_running_loop()
    for number in _STOP_SIGNALS:
        loop.add_signal_handler(number, running.cancel)
    try:
        return await running
    except asyncio.CancelledError:
        return EXIT_AS_EXPECTED
    finally:
        for number in _STOP_SIGNALS:
            loop.remove_signal_handler(number)


async def _demo(check: bool, out: TextIO) -> int:
    requests = _RequestPrinter(out)
    async with _servers(requests) as servers:
        print(f"a page on    {servers.page}", file=out)
        print(f"asks an API  {servers.legacy}  directly,", file=out)
        print(f"and again    {servers.proxy}  through corsproxy:\n", file=out, flush=True)
        results = await asyncio.to_thread(_make_calls, servers)
        servers.results += results
        print(_as_table(results), file=out)
        expected = all(direct.play.failure is not None and proxied.play.allowed for direct, proxied in results)
        verdict = "as it should be: every direct call is blocked, every call through corsproxy is allowed"
        print(f"\n{verdict if expected else 'NOT as it should be: see the verdicts above'}", file=out, flush=True)
        if check:
            return EXIT_AS_EXPECTED if expected else EXIT_UNEXPECTED
        print(f"\nopen     {servers.page}", file=out)
        print(f"or open  {servers.stranger}  which the policy does not allow: the proxy refuses it", file=out)
        print("Ctrl-C ends the demo. Requests to the proxy:\n", file=out, flush=True)
        requests.is_printing = True
        await asyncio.Event().wait()
    return EXIT_AS_EXPECTED


@dataclass(slots=True)
class _Servers:
    """The origins of the three servers, and the results of the calls."""

    legacy: str
    proxy: str
    page: str
    stranger: str
    """The page's server under its other name, `localhost`, and so another origin."""
    policy: str
    """The proxy's configuration, as text."""
    results: list[tuple[Played, Played]]

    def describe(self) -> Mapping[str, object]:
        """Return the data for the page."""
        return {
            "legacy": self.legacy,
            "proxy": self.proxy,
            "page": self.page,
            "stranger": self.stranger,
            "policy": self.policy,
            "calls": [_describe(direct, proxied) for direct, proxied in self.results],
        }


def _describe(direct: Played, proxied: Played) -> Mapping[str, object]:
    call = direct.call
    return {
        "id": call.id,
        "title": call.title,
        "method": call.method,
        "path": call.path,
        "headers": dict(call.headers),
        "body": call.body,
        "credentials": call.credentials,
        "reads": call.reads,
        "direct": {"text": call.direct, "verdict": direct.verdict, "wire": wire(direct)},
        "proxied": {"text": call.proxied, "verdict": proxied.verdict, "wire": wire(proxied)},
    }


@contextlib.asynccontextmanager
async def _servers(observer: Observer) -> AsyncIterator[_Servers]:
    """Run the API, the proxy and the page's server on free ports of loopback."""
    sockets = [socket.create_server((_HOST, 0)) for _ in range(3)]
    legacy, proxy, page = (f"http://{_HOST}:{each.getsockname()[1]}" for each in sockets)
    text = Template(POLICY).substitute(LEGACY=legacy, PAGE=page, PROXY=proxy.removeprefix("http://"))
    servers = _Servers(legacy, proxy, page, page.replace(_HOST, "localhost"), text, [])
    async with contextlib.AsyncExitStack() as stack:
        for each in sockets:
            stack.callback(each.close)
        await _run(stack, legacy_api(), sockets[0])
        await _run(stack, site(servers.describe, (legacy, proxy)), sockets[2])
        data_path = Proxy(compile_plan(load_text(text, "demo.yaml", {}).settings), [observer])
        stack.push_async_callback(data_path.close)
        listener = await asyncio.get_running_loop().create_server(data_path.protocol_factory, sock=sockets[1])
        stack.callback(listener.close)
        yield servers


async def _run(stack: contextlib.AsyncExitStack, application: web.Application, listener: socket.socket) -> None:
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.SockSite(runner, listener).start()


def _make_calls(servers: _Servers) -> list[tuple[Played, Played]]:
    browser = DemoBrowser(servers.page)
    return [(browser.call(call, servers.legacy), browser.call(call, servers.proxy)) for call in CALLS]


def _as_table(results: list[tuple[Played, Played]]) -> str:
    width = shutil.get_terminal_size((110, 24)).columns
    is_wide = width >= _WIDE
    header = ("call", "asked", "answered", "the browser's verdict")
    rows: list[tuple[str, ...]] = []
    for direct, proxied in results:
        call = direct.call
        name = f"{call.method} {call.path}" + (" with cookies" if call.credentials else "")
        answers = [("directly", direct.answered, direct.verdict), ("proxied", proxied.answered, proxied.verdict)]
        if is_wide:
            rows += [(name, *answers[0]), ("", *answers[1])]
        else:
            rows += [(name,), *((f"  {asked}", *rest) for asked, *rest in answers)]
    return table(header if is_wide else header[1:], rows, width=width)


class _RequestPrinter:
    """An observer of the proxy that prints each request on one line, once the table is printed."""

    def __init__(self, out: TextIO) -> None:
        self.is_printing = False
        self._out = out

    def __call__(self, record: RequestRecord) -> None:
        if not self.is_printing:
            return
        target = f"{record.method} {record.path}".encode("unicode_escape").decode("ascii")
        decision, outcome = record.decision, ""
        if decision is not None and decision.kind is not Kind.NONE:
            kind = "preflight " if decision.kind is Kind.PREFLIGHT else ""
            outcome = f"{kind}granted" if decision.granted else f"{kind}refused: {decision.reason}"
        line = f"{time.strftime('%H:%M:%S')}  {record.status}  {target:<24}  {outcome}".rstrip()
        with contextlib.suppress(OSError):  # the reader of the output has gone; the proxy's request has not failed
            print(line, file=self._out, flush=True)
