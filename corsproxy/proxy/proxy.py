"""The proxy of one worker: the front door of the data path.

Holds the plan in force, the protocol factory for listeners, and the sweeper that checks every deadline.
Knows nothing about processes: signals, files and listening sockets belong to the server.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Sequence

from corsproxy.proxy.client.handshakes import TlsServer
from corsproxy.proxy.client.listener import ClientListener
from corsproxy.proxy.client.unread import Unread
from corsproxy.proxy.plan import Plan
from corsproxy.proxy.relay import Relay
from corsproxy.proxy.request_record import Observer, RequestRecord
from corsproxy.proxy.response.answers import with_id
from corsproxy.proxy.upstream.pool import UpstreamPool

SWEEP_INTERVAL = 0.25
"""Seconds between two checks of all deadlines: a timeout is late by at most this, and needs no timer of its own."""


def new_via_token() -> str:
    """Return a pseudonym for Via (RFC 9110 section 7.6.3); workers share one, so that a loop through them is found."""
    return f"corsproxy-{secrets.token_hex(4)}"


class Proxy:
    """Forwards the requests of all connections made by `protocol_factory`, under the plan in force.

    Create it inside a running loop. Each of `observers` is called with the record of every finished request.
    """

    def __init__(self, plan: Plan, observers: Sequence[Observer] = (), *, via_token: str | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._observers = tuple(observers)
        self._relay = Relay(plan, observers, via_token or new_via_token())
        self._listener = ClientListener(self._relay, plan.limits, self._on_unread)
        self._retired: list[Plan] = []
        """The plans no longer in force with which requests in flight began: their deadlines must be checked, too."""
        self._sweep_handle = self._loop.call_later(SWEEP_INTERVAL, self._sweep)

    @property
    def plan(self) -> Plan:
        """The plan in force."""
        return self._relay.plan

    @property
    def begun(self) -> set[RequestRecord] | None:
        """The requests that have begun, for the inspector; None if it is off."""
        return self.plan.begun

    @property
    def protocol_factory(self) -> Callable[[], asyncio.BaseProtocol]:
        """The factory of protocols for new connections, for `loop.create_server`."""
        return self._listener

    def serve_tls(self, sock: socket.socket, context: ssl.SSLContext) -> TlsServer:
        """Serve TLS on a listening socket. A certificate loaded into `context` later applies to new connections."""
        return TlsServer(sock, context, self._listener, lambda: self._listener.limits.max_connections)

    @property
    def connections(self) -> int:
        """The number of open client connections."""
        return len(self._listener.connections)

    @property
    def upstream_connections(self) -> list[tuple[str, str, int]]:
        """Upstream, state and number of connections, including those of retired plans."""
        counts: dict[tuple[str, str], int] = {}
        for pool in self._pools():
            for state, count in pool.states().items():
                key = (pool.upstream.name, state)
                counts[key] = counts.get(key, 0) + count
        return [(name, state, count) for (name, state), count in counts.items()]

    @property
    def in_flight(self) -> int:
        """The number of requests in flight."""
        return sum(plan.in_flight for plan in self._plans())

    def swap(self, plan: Plan) -> None:
        """Put a new plan in force for the next requests; requests in flight keep theirs."""
        old, self._relay.plan = self._relay.plan, plan
        self._listener.limits = plan.limits
        for pool in old.pools:
            if pool not in plan.pools:
                pool.retire()
        self._retired.append(old)

    def start_draining(self) -> None:
        """Close every connection after its current request, and tunnels now: they would not end by themselves."""
        for connection in self._listener.open_connections:
            if connection.tunnel is not None:
                connection.abort()
            else:
                connection.close_when_idle()

    async def wait_drained(self, seconds: float) -> bool:
        """Wait at most `seconds` for all clients to disconnect; return whether they did."""
        end = self._loop.time() + seconds
        while self._listener.connections:
            if self._loop.time() >= end:
                return False
            await asyncio.sleep(0.02)
        return True

    async def close(self) -> None:
        """Abort the remaining requests and close all connections."""
        self._sweep_handle.cancel()
        for connection in self._listener.open_connections:
            connection.abort()
        for pool in self._pools():
            pool.close()
        await asyncio.sleep(0)

    def _plans(self) -> tuple[Plan, ...]:
        return self.plan, *self._retired

    def _pools(self) -> Iterable[UpstreamPool]:
        """Return each pool once; plans share those of unchanged upstreams."""
        return dict.fromkeys(pool for plan in self._plans() for pool in plan.pools)

    def _sweep(self) -> None:
        now = self._loop.time()
        for connection in self._listener.open_connections:
            connection.sweep(now)
        for pool in self._pools():
            pool.sweep(now)
        self._retired = [plan for plan in self._retired if plan.in_flight]
        self._sweep_handle = self._loop.call_later(SWEEP_INTERVAL, self._sweep)

    def _on_unread(self, unread: Unread) -> bytes:
        """Report a request that could not be read to the observers, and return the id made for it."""
        record = RequestRecord("", time.monotonic(), unread.peer)
        record.status = unread.status
        record.raw_request_id = self._relay.new_request_id()
        record.bytes_out = len(with_id(unread.text, record.raw_request_id))
        for observer in self._observers:
            observer(record)
        return record.raw_request_id
