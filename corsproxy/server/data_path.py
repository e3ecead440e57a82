"""The data path of one process: its sockets, its `Proxy`, and the observers of its requests.

A single process and each worker use the same one; only its caller differs.
Knows nothing about signals or the admin listener.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from corsproxy.config import Configuration
from corsproxy.proxy import Observer, Plan, Proxy, compile_plan, keep_alive
from corsproxy.server.inspector import Recorder
from corsproxy.server.listen.container import is_in_container
from corsproxy.server.listen.sockets import BACKLOG, Listener, listener_context, load_certificate
from corsproxy.server.observe.access_log import AccessLog
from corsproxy.server.observe.counters import Counters
from corsproxy.server.observe.diagnostics import Announcer, configure_diagnostics
from corsproxy.server.observe.output import LineWriter
from corsproxy.server.observe.terminal import TerminalReporter
from corsproxy.settings import Settings, UnixAddress


@dataclass(frozen=True, slots=True)
class Outputs:
    """The outputs of a process: the access log to stdout, everything else to stderr."""

    stdout: LineWriter
    stderr: LineWriter

    @classmethod
    def open(cls, lock: int | None = None) -> Outputs:
        """Return writers to descriptors 1 and 2; `lock` is a file that several writing processes share."""
        # The access log of twenty milliseconds is one write, and wakes the writing thread once.
        return cls(LineWriter(1, lock=lock, pause=0.02), LineWriter(2, lock=lock))

    def close(self) -> None:
        """Write the remaining lines."""
        self.stdout.close()
        self.stderr.close()


class DataPath:
    """Serves clients on some sockets, under a configuration that can be replaced."""

    def __init__(
        self,
        listeners: Sequence[Listener],
        outputs: Outputs,
        counters: Counters | None,
        via_token: str | None = None,
        recorder: Recorder | None = None,
    ) -> None:
        """`counters` is None if nobody asks for metrics; `via_token` is given if other processes share it.

        `recorder` is the inspector's, if that is on.
        """
        self._listeners = listeners
        self._outputs = outputs
        self._counters = counters
        self._via_token = via_token
        self._recorder = recorder
        self._access_log = AccessLog(outputs.stdout)
        self._tls: ssl.SSLContext | None = None
        self._proxy: Proxy | None = None
        self._stop_accepting: list[Callable[[], None]] = []

    @property
    def connections(self) -> int:
        """The number of open client connections."""
        return self._proxy.connections if self._proxy is not None else 0

    @property
    def upstream_connections(self) -> list[tuple[str, str, int]]:
        """Upstream, state and number of connections."""
        return self._proxy.upstream_connections if self._proxy is not None else []

    @property
    def in_flight(self) -> int:
        """The number of requests in flight."""
        return self._proxy.in_flight if self._proxy is not None else 0

    async def start(self, configuration: Configuration) -> None:
        """Begin to serve; raises `PlanError` or `UsageError` if a file that the configuration names cannot be used."""
        settings = configuration.settings
        self._tls = listener_context(settings.tls) if settings.tls is not None else None
        self._proxy = Proxy(compile_plan(settings), self._observers(configuration), via_token=self._via_token)
        if self._recorder is not None and self._proxy.begun is not None:
            self._recorder.begun = self._proxy.begun
        self._configure_logs(configuration)
        loop = asyncio.get_running_loop()
        for listener in self._listeners:
            keep_alive(listener.socket)  # accepted sockets inherit it
            if self._tls is not None:
                self._stop_accepting.append(self._proxy.serve_tls(listener.socket, self._tls).close)
                continue
            create = loop.create_unix_server if isinstance(listener.address, UnixAddress) else loop.create_server
            server = await create(self._proxy.protocol_factory, sock=listener.socket, backlog=BACKLOG)
            self._stop_accepting.append(server.close)

    def prepare(self, configuration: Configuration) -> Plan:
        """Return the plan of another configuration, with nothing changed yet; raises as `start` does."""
        if self._proxy is None:
            raise RuntimeError("not started")
        files = configuration.settings.tls
        if files is not None:
            listener_context(files)  # a pair that cannot be used must not replace the one in use
        return compile_plan(configuration.settings, self._proxy.plan)

    def commit(self, configuration: Configuration, plan: Plan) -> None:
        """Put the prepared configuration in force."""
        if self._proxy is None:
            raise RuntimeError("not started")
        files = configuration.settings.tls
        if files is not None and self._tls is not None:
            load_certificate(self._tls, files)
        self._proxy.swap(plan)
        self._configure_logs(configuration)

    async def stop(self, drain: float) -> bool:
        """Accept no more, wait `drain` seconds for requests in flight, end the rest; return whether none was cut."""
        # Closing the socket resets connections in the kernel's backlog, so two turns of the loop accept them first.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        for stop in self._stop_accepting:
            stop()
        if self._proxy is None:
            return True
        self._proxy.start_draining()
        drained = await self._proxy.wait_drained(drain)
        await self._proxy.close()
        return drained

    def _observers(self, configuration: Configuration) -> list[Observer]:
        observers: list[Observer] = [self._access_log]
        if self._counters is not None:
            observers.insert(0, self._counters)
        if self._recorder is not None:
            observers.append(self._recorder)
        if configuration.loaded.is_quick:
            observers.append(self._terminal(configuration.settings))
        return observers

    def _terminal(self, settings: Settings) -> TerminalReporter:
        say = Announcer(self._outputs.stderr, settings.log)
        return TerminalReporter(say, settings, in_container=is_in_container(os.environ))

    def _configure_logs(self, configuration: Configuration) -> None:
        self._access_log.configure(configuration.settings.log)
        configure_diagnostics(configuration.settings.log, self._outputs.stderr)
