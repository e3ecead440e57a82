"""The data path of one request, from top to bottom.

    admit     which target, which route; what is refused is refused here, before any byte reaches an upstream
    decide    the policy's decision; a preflight is answered and goes no further
    cycle     the request to the upstream and the response back (`RequestCycle`)

The order is that of Go's ReverseProxy: strip first, then add; after the first byte of a response a failure cuts the
connection and never looks like an end.
Decides nothing about CORS: `CorsGate` brings the core's decisions.
"""

from __future__ import annotations

import itertools
import logging
import secrets
import time
from collections.abc import Coroutine, Sequence

from corsproxy.proxy.admission import admit, decide
from corsproxy.proxy.client.request import ClientRequest
from corsproxy.proxy.collecting import Budget
from corsproxy.proxy.cycle import RequestCycle
from corsproxy.proxy.errors import ClientError, Refusal, UpstreamError
from corsproxy.proxy.exchange import Exchange, Observer, where
from corsproxy.proxy.passage import Passage
from corsproxy.proxy.plan import Plan, RoutePlan
from corsproxy.proxy.replies import CLIENT_TEXTS, UPSTREAM_TEXTS, answer_preflight, fail, reply
from corsproxy.proxy.upstream.connection import UpstreamConnection

log = logging.getLogger(__name__)


class Relay:
    """Answers client requests, one call each; one for each worker."""

    def __init__(self, plan: Plan, observers: Sequence[Observer], via_token: str) -> None:
        self.plan = plan
        """The configuration in force; swapped whole."""
        self.in_flight = 0
        self._observers = tuple(observers)
        self._token = via_token.encode("ascii")
        self.via = (b"Via: 1.0 %b\r\n" % self._token, b"Via: 1.1 %b\r\n" % self._token)
        self._id_prefix = secrets.token_hex(6).encode()
        self._ids = itertools.count(1)
        self.budget = Budget()
        """Of all content that is collected before it is sent."""

    def __call__(self, request: ClientRequest) -> bool | Coroutine[None, None, bool] | None:
        """Answer `request` on its connection; True if the connection may carry another.

        A request that can be answered, or sent to the upstream, without waiting costs no task: the answer is given at
        once, or None and the connection told later. Else what is returned is to be awaited.
        """
        passage = Passage(self.plan, request, Exchange(request.method, time.monotonic(), request.connection.peer))
        self.in_flight += 1
        try:
            admit(passage, self.new_request_id)
            if decide(passage, self._token):
                answer_preflight(passage)
                return self.over(passage)
            route, grant, forwarding = passage.route, passage.grant, passage.forwarding
            assert route is not None
            assert grant is not None
            assert forwarding is not None
            cycle = RequestCycle(self, passage, route, grant, forwarding)
        except Exception as error:  # noqa: BLE001 - whatever it is is answered for, and logged where it is our fault
            self.answer_for(passage, error)
            return self.over(passage)
        return cycle.start()

    def over(self, passage: Passage) -> bool:
        """Tell the observers; True if the connection may carry another request."""
        exchange = passage.exchange
        self.in_flight -= 1
        exchange.duration = time.monotonic() - exchange.started
        for observer in self._observers:
            observer(exchange)
        return passage.keep

    def answer_for(self, passage: Passage, error: Exception) -> None:
        """Answer for what has gone wrong on the way."""
        exchange = passage.exchange
        match error:
            case Refusal():
                passage.keep = passage.keep and not error.close
                reply(passage, error.status, error.text.encode() + b"\n", error.fields)
            case UpstreamError():
                exchange.error, exchange.error_detail = error.kind, error.detail
                if exchange.upstream_started and exchange.upstream_duration is None:
                    exchange.upstream_duration = time.monotonic() - exchange.upstream_started
                log.warning("upstream %s: %s%s", exchange.upstream, error, where(exchange))
                fail(passage, error.status, UPSTREAM_TEXTS[error.kind])
            case ClientError():
                passage.exchange.error = error.kind
                passage.keep = False
                fail(passage, error.status, CLIENT_TEXTS[error.kind])
            case _:
                # Ours, whatever it is; the traceback names no URL and no field.
                log.error("a fault of the proxy's own while answering%s", where(exchange), exc_info=error)
                fail(passage, 500, "the proxy has failed")

    def new_request_id(self) -> bytes:
        """Return an id for a request that has brought none."""
        return b"%b-%x" % (self._id_prefix, next(self._ids))

    def report(self, passage: Passage, route: RoutePlan, upstream: UpstreamConnection) -> None:
        """Write what was odd about a response that lenient parsing has taken."""
        for oddity in upstream.reader.oddities:
            if route.pool.reports(oddity):
                said = "taken as 'parsing: lenient' says"
                log.warning("upstream %s: %s, %s%s", route.upstream.name, oddity, said, where(passage.exchange))
