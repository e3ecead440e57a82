"""One proxy and one scriptable upstream behind it, shared by the tests of a module.

Each test sets what the upstream does; connections that the test before has left in the proxy's pool are closed in
between, so that none is answered by another test's script.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

from tests.proxy.wire import Client, Response, ask
from tests.support.process import Proxy, started
from tests.support.upstream import OK, Connection, Request, Script, Upstream, answer_each

ORIGIN = "https://app.example"

_LIMITS = {"body_timeout": "1m", "header_timeout": "1m", "max_body": "2MiB"}


def configuration(**limits: str) -> str:
    """Write a configuration with these limits, `{upstream}` still to be filled in with the upstream's URL.

    It is more patient than the tests, because a busy machine may stop any process for seconds; a test of a time limit
    sets its own.
    """
    return f"""
admin: 127.0.0.1:0
upstreams:
  up: {{{{url: "{{upstream}}", connect_timeout: 1m, response_timeout: 1m, read_timeout: 1m}}}}
policies:
  app: {{{{allow_origins: ["https://app.example"], allow_credentials: true, expose_headers: [ETag]}}}}
routes:
  - {{{{path: /, upstream: up, policy: app}}}}
limits: {{{{{", ".join(f"{name}: {value}" for name, value in {**_LIMITS, **limits}.items())}}}}}
log: {{{{format: json}}}}
"""


CONFIG = configuration()

PATIENCE = 60.0
"""Seconds until what should come to pass in the proxy is given up."""


class Bench:
    """A running proxy, its upstream, and what the test on it needs."""

    def __init__(self, proxy: Proxy, upstream: Upstream) -> None:
        self.proxy = proxy
        self.upstream = upstream
        self.address = proxy.address
        self.script: Script = answer_each(OK)
        self._over: set[int] = set()

    # --- what the upstream does ---------------------------------------------------------------------------------

    def answering(self, *responses: bytes) -> None:
        """Answer the n-th request of each connection with the n-th response, then with the last."""
        self.script = answer_each(*responses)

    def answering_and_closing(self, response: bytes) -> None:
        """Answer one request of each connection, then close it."""

        def script(connection: Connection) -> None:
            connection.read_request()
            connection.send(response)

        self.script = script

    @property
    def requests(self) -> list[Request]:
        """Every request the upstream has read in this test."""
        return self.upstream.requests

    @property
    def request(self) -> Request:
        """The one request the upstream has read in this test."""
        (request,) = self.upstream.requests
        return request

    @property
    def connections(self) -> list[Connection]:
        """Every connection the upstream has accepted in this test."""
        return self.upstream.connections

    # --- what the client does -----------------------------------------------------------------------------------

    def client(self, *, receive_buffer: int = 0) -> Client:
        """Connect."""
        return Client(self.address, receive_buffer=receive_buffer)

    def ask(self, request: bytes) -> Response:
        """Send a request on a connection of its own and return the final response."""
        return ask(self.address, request)

    # --- what the proxy says ------------------------------------------------------------------------------------

    def wait_metrics(self, condition: Callable[[dict[str, float]], object]) -> None:
        """Ask for the metrics until `condition` holds of them."""
        end = time.monotonic() + PATIENCE
        while not condition(metrics := self.proxy.metrics()):
            assert time.monotonic() < end, f"never came to pass; the metrics are {metrics}"

    def logged(self, request_id: str) -> dict[str, Any]:
        """Wait for the access log's line about the request that was sent with this X-Request-Id."""
        assert self.proxy.stdout is not None
        match = self.proxy.stdout.wait_line(rf'^.*"{request_id}".*$')
        line: dict[str, Any] = json.loads(match.group())
        return line

    def wait_in_flight(self, count: int) -> None:
        """Wait until so many requests are in flight."""
        self.wait_metrics(lambda metrics: metrics["corsproxy_requests_in_flight"] == count)

    def wait_idle(self) -> None:
        """Wait until no client is connected and no request in flight."""
        self.wait_metrics(lambda m: m["corsproxy_connections"] == 0 and m["corsproxy_requests_in_flight"] == 0)

    # --- between tests ------------------------------------------------------------------------------------------

    def settle_only(self) -> None:
        """Close what is left of the upstream's connections and wait until the proxy has let go of them."""
        connections = list(self.upstream.connections)
        for connection in connections:
            connection.finish_sending()
        self.upstream.wait_for(lambda: self._over.issuperset(connection.number for connection in connections))

    def settle(self) -> None:
        """Settle, and forget what there was."""
        self.settle_only()
        self.upstream.connections.clear()
        self.upstream.requests.clear()
        self._over.clear()
        self.script = answer_each(OK)
        if self.upstream.errors:
            raise self.upstream.errors.pop()

    def play(self, connection: Connection) -> None:
        """Play the test's script on a connection that the upstream has accepted."""
        try:
            self.script(connection)
        finally:
            with self.upstream.changed:
                self._over.add(connection.number)
                self.upstream.changed.notify_all()


@contextlib.contextmanager
def bench_for(config: str, *options: str, fresh: bool = False) -> Iterator[Bench]:
    """Run a proxy of this configuration, `{upstream}` filled in, before a scriptable upstream."""
    benches: list[Bench] = []

    def play(connection: Connection) -> None:
        benches[0].play(connection)

    with Upstream(play) as upstream, started(config.format(upstream=upstream.url), *options, fresh=fresh) as proxy:
        benches.append(Bench(proxy, upstream))
        yield benches[0]
        benches[0].settle()
        assert "Traceback" not in proxy.stderr.text, proxy.stderr.text
