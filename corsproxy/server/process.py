"""A running process: its signals, and the order in which it starts and stops.

Start: the fleet, the admin listener, and only then the start-up lines.
Stop: not ready, the delay, no new connections, the drain, the end.
Knows the data path only as a `Fleet`.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from corsproxy.config import Configuration
from corsproxy.server.data_path import Outputs
from corsproxy.server.listen.banner import listener_lines, quick_lines, routing_lines, routing_rows
from corsproxy.server.listen.certificates import certificate_expiries
from corsproxy.server.listen.container import loopback_hint
from corsproxy.server.listen.sockets import Listener
from corsproxy.server.notify import READY, STOPPING, notify
from corsproxy.server.observe.counters import Totals
from corsproxy.server.observe.diagnostics import Announcer
from corsproxy.server.reload.reloader import Reloader
from corsproxy.server.reload.watch import Reading, Watcher
from corsproxy.server.runtime import settle_memory
from corsproxy.server.workers.fleet import Fleet
from corsproxy.settings import TcpAddress

if TYPE_CHECKING:
    from corsproxy.server.admin.listener import Admin

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ServerProcess:
    """A process that is ready to run; `run` serves until it stops."""

    configuration: Configuration
    reading: Reading
    fleet: Fleet
    totals: Totals
    outputs: Outputs
    listeners: Sequence[Listener]
    admin_listeners: Sequence[Listener]
    ignores_hangup: bool = False
    """True if SIGHUP was ignored when this process started, as under `nohup`."""

    async def run(self, hangups: Sequence[int]) -> int:
        """Serve until a signal, or until the fleet fails; return the exit status.

        `hangups` are the SIGHUPs that arrived before the loop ran.
        Raises `PlanError` or `UsageError` if a file that the configuration names cannot be used.
        """
        loop = asyncio.get_running_loop()
        ending: asyncio.Future[int] = loop.create_future()
        reloader = Reloader(self.configuration, self.fleet, self.totals, self.reading.digests)
        self._handle_signals(ending, reloader)
        tasks = [loop.create_task(self._end_on_failure(ending))]
        try:
            if not await _unless(ending, self.fleet.start(self.configuration)):
                self.fleet.kill()
                return ending.result()
            admin = await self._start_admin(reloader)
            self.totals.certificates = certificate_expiries(self.configuration.settings)
            self._announce()
            settle_memory()
            notify(READY)
            if hangups and not self.configuration.loaded.is_quick:
                reloader.request()
            elif hangups and not self.ignores_hangup and not ending.done():
                ending.set_result(0)
            tasks += [loop.create_task(work) for work in self._background(reloader)]
            status = await ending
            notify(STOPPING)
            if admin is not None:
                admin.ready = False
            await self._stop(reloader.configuration)
            if admin is not None:
                await admin.stop()
            return status
        finally:
            for task in tasks:
                task.cancel()

    def _handle_signals(self, ending: asyncio.Future[int], reloader: Reloader) -> None:
        """Install every handler explicitly, because process 1 of a container has no default actions."""
        loop = asyncio.get_running_loop()

        def on_stop(number: signal.Signals) -> None:
            if ending.done():
                self._end_at_once(ending.result())
            log.info("stopping: %s (a second signal ends at once)", number.name)
            ending.set_result(0)

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, on_stop, number)
        if not self.configuration.loaded.is_quick:
            loop.add_signal_handler(signal.SIGHUP, reloader.request)
        elif self.ignores_hangup:
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
        else:
            # The terminal window was closed, and there is no file to read again.
            loop.add_signal_handler(signal.SIGHUP, on_stop, signal.SIGHUP)

    def _end_at_once(self, status: int) -> NoReturn:
        """End at once, without waiting for requests and logs; `status` is that of the first stop."""
        self.fleet.kill()
        for listener in (*self.listeners, *self.admin_listeners):
            listener.remove_file()
        os._exit(status)

    async def _end_on_failure(self, ending: asyncio.Future[int]) -> None:
        why = await self.fleet.failure()
        log.error("%s", why)
        if not ending.done():
            ending.set_result(1)

    async def _start_admin(self, reloader: Reloader) -> Admin | None:
        if not self.admin_listeners:
            return None
        # Imported here, because without an admin listener neither its server nor the metrics library is needed.
        from corsproxy.server.admin.host_guard import HostGuard
        from corsproxy.server.admin.listener import Admin
        from corsproxy.server.observe.metrics import CONTENT_TYPE, exposition

        async def metrics() -> tuple[bytes, str]:
            await self.fleet.report(self.totals)
            return exposition(self.totals), CONTENT_TYPE

        settings = self.configuration.settings
        own = settings.admin.host if isinstance(settings.admin, TcpAddress) else ""
        admin = Admin(metrics, HostGuard(own, settings.admin_hosts))
        if settings.inspector:
            from corsproxy.server.inspector.feed import Feed
            from corsproxy.server.inspector.pages import Inspector

            feed = Feed(self.fleet.events, self.totals)
            scheme = "https" if settings.tls is not None else "http"
            url = self.listeners[0].url(scheme)
            admin.add_pages(Inspector(feed, lambda: reloader.configuration, url).pages(), feed.close)
        await admin.start(self.admin_listeners)
        return admin

    def _announce(self) -> None:
        """Write warnings and the start-up lines, at every log level."""
        configuration, settings = self.configuration, self.configuration.settings
        say = Announcer(self.outputs.stderr, settings.log)
        for warning in (*map(str, configuration.warnings), *configuration.notes):
            say(warning, "warning")
        for line in listener_lines(settings, self.listeners, self.admin_listeners):
            say(line)
        if settings.log.format == "json":
            for row in routing_rows(settings):
                say(f"route {row['host']} {row['path']}", **row)
        else:
            for line in routing_lines(settings):
                say(line)
        if configuration.loaded.is_quick:
            for line in quick_lines(configuration):
                say(line)
        for listener in self.listeners:
            port = listener.address.port if isinstance(listener.address, TcpAddress) else 0
            if hint := loopback_hint(settings.listen, port, os.environ):
                say(hint, "warning")
                break

    def _background(self, reloader: Reloader) -> list[Coroutine[None, None, None]]:
        source = self.configuration.source
        work: list[Coroutine[None, None, None]] = [reloader.run()]
        if not source.options.watch:
            return work
        if why := reloader.why_not():
            # The container image sets the variable whether there is a file or not.
            level = logging.DEBUG if source.options.is_from_environment("watch") else logging.WARNING
            log.log(level, "--watch has nothing to watch: %s", why)
        else:
            watcher = Watcher(reloader.files, self.reading.looks, reloader.request_if_changed, reloader.forget)
            work.append(watcher.run())
        return work

    async def _stop(self, configuration: Configuration) -> None:
        shutdown = configuration.settings.shutdown
        if shutdown.delay:
            # Load balancers need some time to notice the 503 of /readyz.
            await asyncio.sleep(shutdown.delay)
        if await self.fleet.stop(shutdown.drain):
            log.info("stopped")
        else:
            log.warning("stopped: requests in flight were cut after %g s (shutdown.drain)", shutdown.drain)


async def _unless(ending: asyncio.Future[int], work: Coroutine[None, None, None]) -> bool:
    """Run `work` to its end and return whether it got there: a stop that is requested first cancels it."""
    task = asyncio.get_running_loop().create_task(work)
    await asyncio.wait((task, ending), return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        task.result()
        return True
    task.cancel()
    return False
