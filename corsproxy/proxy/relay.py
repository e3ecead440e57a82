"""The data path of one request, from top to bottom.

    admit               target and route
    decide              the policy's decision; a preflight is answered and goes no further
    check_forwardable   the last refusals, before any byte reaches an upstream
    RequestCycle        the request to the upstream, and the response back

The order is that of Go's ReverseProxy: strip first, then add. A failure after the first byte of a response cuts the
connection, because it must never look like a complete response.
It decides nothing about CORS: `CorsGate` returns the core's decisions.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Coroutine, Sequence
from typing import Final

from corsproxy.proxy.admission import admit, check_forwardable, decide, require_route
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
    """Answers client requests, with one call for each; a worker has one relay."""

    def __init__(self, plan: Plan, observers: Sequence[Observer], via_token: str) -> None:
        self.plan = plan
        """The configuration in force; replaced as a whole."""
        self._observers = tuple(observers)
        self._token = via_token.encode("ascii")
        # RFC 9110 section 7.6.3: the received protocol version, and a pseudonym for the recipient.
        self.via = (b"Via: 1.0 %b\r\n" % self._token, b"Via: 1.1 %b\r\n" % self._token)
        """The Via lines for a message received as HTTP/1.0 and as HTTP/1.1."""
        self._ids = RequestIds()
        self.budget = Budget()
        """The limit of content that is collected before it is sent, for all requests together."""

    def __call__(self, request: ClientRequest) -> bool | Coroutine[None, None, bool] | None:
        """Answer `request` on its connection, without a task if nothing has to be waited for.

        Return whether the connection may carry another request if the response has been sent, or a coroutine that sends
        it and returns the same. None means that the upstream has the request, and the connection is notified later.
        """
        context = RequestContext(self, request, RequestRecord(request.method, _now(), request.connection.peer))
        context.plan.in_flight += 1
        grant = NO_GRANT
        try:
            admitted = admit(context, self.new_request_id)
            grant = decide(context, admitted)
            route = require_route(context, admitted)
            if admitted.is_preflight and route.gate.enforces:
                answer_preflight(context, grant)
                return context.finish()
            upgrade = check_forwardable(context, admitted, route, grant, self._token)
            return RequestCycle(self, context, admitted, route, grant, upgrade).start()
        except Exception as error:  # noqa: BLE001 - every failure is answered, and logged if it is our fault
            self.answer_error(context, grant, error)
            return context.finish()

    def request_ended(self, context: RequestContext) -> None:
        """Complete the record of a request and call the observers with it."""
        record = context.record
        context.plan.in_flight -= 1
        record.duration = _now() - record.started
        for observer in self._observers:
            observer(record)

    def answer_error(self, context: RequestContext, grant: Grant, error: Exception) -> None:
        """Answer a request that has failed with `error`: the proxy refuses it, or it is the fault of one party."""
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
                # The proxy's own fault. The traceback contains no URL and no field.
                log.error("a fault of the proxy's own while answering%s", where(record), exc_info=error)
                answer_failure(context, grant, 500, "the proxy has failed")

    def new_request_id(self) -> bytes:
        """Return an id for a request that came without a valid one."""
        return self._ids.next()

    def report(self, context: RequestContext, route: RoutePlan, upstream: UpstreamConnection) -> None:
        """Log the invalid HTTP that lenient parsing has accepted in a response."""
        for oddity in upstream.reader.oddities:
            if route.pool.oddity_reports.is_due(oddity, _now()):
                accepted = "taken as 'parsing: lenient' says"
                log.warning("upstream %s: %s, %s%s", route.upstream.name, oddity, accepted, where(context.record))
