"""The data path of one request, from top to bottom.

    admit       which target, which route
    decide      the policy's decision; a preflight is answered and goes no further
    let_pass    the last refusals, before any byte reaches an upstream
    cycle       the request to the upstream and the response back (`RequestCycle`)

The order is that of Go's ReverseProxy: strip first, then add. A failure after the first byte of a response cuts the
connection, because it must never look like a complete response.
It decides nothing about CORS: `CorsGate` returns the core's decisions.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Coroutine, Sequence
from typing import Final

from corsproxy.proxy.admission import admit, decide, let_pass, routed
from corsproxy.proxy.client.request import ClientRequest
from corsproxy.proxy.cors_gate import NO_GRANT, Grant
from corsproxy.proxy.cycle import RequestCycle
from corsproxy.proxy.errors import ClientError, Refusal, UpstreamError
from corsproxy.proxy.local_responses import CLIENT_TEXTS, UPSTREAM_TEXTS, answer, answer_failure, answer_preflight
from corsproxy.proxy.plan import Plan, RoutePlan
from corsproxy.proxy.request.collecting import Budget
from corsproxy.proxy.request_context import RequestContext
from corsproxy.proxy.request_ids import RequestIds
from corsproxy.proxy.request_record import Observer, RequestRecord, where
from corsproxy.proxy.upstream.connection import UpstreamConnection

log = logging.getLogger(__name__)

_now: Final = time.monotonic


class Relay:
    """Answers client requests, one call each; one for each worker."""

    def __init__(self, plan: Plan, observers: Sequence[Observer], via_token: str) -> None:
        self.plan = plan
        """The configuration in force; swapped whole."""
        self.in_flight = 0
        self._observers = tuple(observers)
        self._token = via_token.encode("ascii")
        self.via = (b"Via: 1.0 %b\r\n" % self._token, b"Via: 1.1 %b\r\n" % self._token)
        self._ids = RequestIds()
        self.budget = Budget()
        """Of all content that is collected before it is sent."""

    def __call__(self, request: ClientRequest) -> bool | Coroutine[None, None, bool] | None:
        """Answer `request` on its connection; True if the connection may carry another.

        A request that can be answered, or sent to the upstream, without waiting costs no task: the answer is given at
        once, or None and the connection told later. Else what is returned is to be awaited.
        """
        context = RequestContext(self, request, RequestRecord(request.method, _now(), request.connection.peer))
        self.in_flight += 1
        grant = NO_GRANT
        try:
            admitted = admit(context, self.new_request_id)
            grant = decide(context, admitted)
            route = routed(context, admitted)
            if admitted.is_preflight and route.gate.enforces:
                answer_preflight(context, grant)
                return context.finish()
            upgrade = let_pass(context, admitted, route, grant, self._token)
            cycle = RequestCycle(self, context, admitted, route, grant, upgrade)
        except Exception as error:  # noqa: BLE001 - whatever it is is answered for, and logged if it is our fault
            self.answer_for(context, grant, error)
            return context.finish()
        return cycle.start()

    def over(self, record: RequestRecord) -> None:
        """Notify the observers that a request has ended."""
        self.in_flight -= 1
        record.duration = _now() - record.started
        for observer in self._observers:
            observer(record)

    def answer_for(self, context: RequestContext, grant: Grant, error: Exception) -> None:
        """Answer for what has gone wrong on the way."""
        record = context.record
        match error:
            case Refusal():
                context.keep = context.keep and not error.close
                answer(context, grant, error.status, error.text.encode() + b"\n", error.fields)
            case UpstreamError():
                record.error, record.error_detail = error.kind, error.detail
                if record.upstream_started and record.upstream_duration is None:
                    record.upstream_duration = time.monotonic() - record.upstream_started
                log.warning("upstream %s: %s%s", record.upstream, error, where(record))
                answer_failure(context, grant, error.status, UPSTREAM_TEXTS[error.kind])
            case ClientError():
                context.record.error = error.kind
                context.keep = False
                answer_failure(context, grant, error.status, CLIENT_TEXTS[error.kind])
            case _:
                # Ours, whatever it is; the traceback names no URL and no field.
                log.error("a fault of the proxy's own while answering%s", where(record), exc_info=error)
                answer_failure(context, grant, 500, "the proxy has failed")

    def new_request_id(self) -> bytes:
        """Return an id for a request that has brought none."""
        return self._ids.next()

    def report(self, context: RequestContext, route: RoutePlan, upstream: UpstreamConnection) -> None:
        """Write what was odd about a response that lenient parsing has taken."""
        for oddity in upstream.reader.oddities:
            if route.pool.reports(oddity):
                said = "taken as 'parsing: lenient' says"
                log.warning("upstream %s: %s, %s%s", route.upstream.name, oddity, said, where(context.record))
