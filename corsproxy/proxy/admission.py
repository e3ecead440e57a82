"""Admission: the checks and decisions before any byte of a request reaches an upstream.

    admit               reads head and target, and finds the route
    decide              gets the policy's decision, which applies to every response from here on
    require_route       refuses a request without a route, or with a head that cannot be forwarded
    check_forwardable   the last checks before the request goes to the upstream

Each uses the result of the previous one. All but `decide` raise `Refusal` for requests that the proxy answers itself.
It moves no bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final, Literal

from corsproxy.cors import CARRIED, Kind, Reason, parse_origin
from corsproxy.proxy.cors_gate import NO_GRANT, Grant
from corsproxy.proxy.errors import Refusal
from corsproxy.proxy.fields.forwarded import ConnectionForwarding, Forwarding
from corsproxy.proxy.fields.hosts import is_same_host, split_host
from corsproxy.proxy.logins import note_edge
from corsproxy.proxy.plan import NO_ROUTE_GATE, RoutePlan
from corsproxy.proxy.request.head import RequestHead, read_request_head
from corsproxy.proxy.request.known_heads import read_known_head
from corsproxy.proxy.request.target import Target, parse_target
from corsproxy.proxy.request_context import RequestContext
from corsproxy.proxy.response.answers import (
    ALLOW_LINE,
    no_method_text,
    preflight_refusal_text,
    refused_text,
    websocket_refused_text,
)
from corsproxy.proxy.routes import AmbiguousPath

_MOST_PASSES: Final = 3
"""Occurrences of our own name in Via from which on a request is a loop (RFC 9110 section 7.6.3); not the first one,
because a request may rightly pass the same proxy twice."""

_KNOWN_METHODS: Final = frozenset({"TRACE", *(method.decode("ascii") for method in CARRIED)})
"""The methods that are not answered 501; TRACE is refused by `check_forwardable`."""

_WEB_PORTS: Final = {"http": 80, "https": 443}
"""The schemes that a page of the proxy's own can have, with their default ports."""


class Admitted:
    """A request whose head and target have been read, with its route."""

    __slots__ = ("forwarding", "head", "is_preflight", "route", "target")

    def __init__(
        self, head: RequestHead, target: Target, route: RoutePlan | None, forwarding: Forwarding, *, is_preflight: bool
    ) -> None:
        self.head = head
        self.target = target
        self.route = route
        """None if no route matches."""
        self.forwarding = forwarding
        """Client address, host and scheme as the trusted proxies report them."""
        self.is_preflight = is_preflight


def admit(context: RequestContext, new_request_id: Callable[[], bytes]) -> Admitted:
    """Return the request with its route; raise `Refusal` for anything that two servers could read differently."""
    request, record = context.request, context.record
    record.minor = request.minor
    if request.minor < 0 or request.method == "CONNECT":
        record.raw_request_id = new_request_id()
    if request.minor < 0:
        raise Refusal(505, "this server speaks HTTP/1.1", close=True)
    if request.method == "CONNECT":
        raise Refusal(405, "this is no forward proxy", fields=ALLOW_LINE, close=True)
    if request.section is not None:
        head = read_known_head(request.section, request.lines)
    else:
        head = read_request_head(request.lines, request.minor)
    record.host = head.host
    record.trace_id = head.trace_id
    record.raw_request_id = head.request_id or new_request_id()
    if head.origins:
        record.origin = head.origins[0] if len(head.origins) == 1 else b", ".join(head.origins)
    if request.method == "OPTIONS" and request.target == b"*":
        # RFC 9110 section 9.3.7: "An OPTIONS request with an asterisk ("*") as the request target applies to the server
        # in general rather than to a specific resource." The server is this proxy; without a path there is no policy.
        raise Refusal(204, "", fields=ALLOW_LINE)
    target = parse_target(request.target)
    record.raw_path = target.path
    if context.plan.begun is not None:
        record.raw_query = target.query
        record.raw_fields = [(line.name, line.value) for line in request.lines]
        context.plan.begun.add(record)
    if target.authority is not None:
        # RFC 9112 section 3.2.2: the server "MUST ignore the received Host header field (if any)". A server behind this
        # one might not, so the two must agree.
        if head.host and not is_same_host(target.authority, head.host, target.default_port):
            raise Refusal(400, "the host of the request target is not that of the Host field", close=True)
        head.host = head.host or target.authority
    method = request.method
    is_preflight = method == "OPTIONS" and bool(head.origins) and bool(head.requested_methods)
    if is_preflight:
        method = head.requested_methods[0].decode("latin-1")  # of the actual request
    try:
        route = context.plan.routes.match(head.host, target.path, method)
    except AmbiguousPath:
        raise Refusal(400, "the path can be read in two ways that lead to different routes") from None
    forwarding = _trusted(context).request(head.host, head.forwarded)
    record.client = forwarding.client
    if head.via or head.forwarded:
        note_edge(request.connection, head)
    if route is not None:
        record.route = route.label
    return Admitted(head, target, route, forwarding, is_preflight=is_preflight)


def _trusted(context: RequestContext) -> ConnectionForwarding:
    """Return the forwarding values of the request's connection, cached there until `trusted_proxies` changes."""
    connection, trust = context.connection, context.plan.trust
    known = connection.forwarding
    if isinstance(known, tuple) and known[0] is trust:
        forwarding: ConnectionForwarding = known[1]
        return forwarding
    forwarding = trust.for_connection(connection.peer, connection.secure)
    connection.forwarding = (trust, forwarding)
    return forwarding


def decide(context: RequestContext, admitted: Admitted) -> Grant:
    """Return the policy's decision with its response fields, and record it; in shadow mode it is only recorded."""
    head, route, record = admitted.head, admitted.route, context.record
    gate = route.gate if route is not None else NO_ROUTE_GATE
    if admitted.is_preflight and not _is_repeated(head):
        grant = gate.preflight(head.origins[0], head.requested_methods[0], head.requested_headers)
        record.requested_method = head.requested_methods[0]
        record.requested_headers = b", ".join(head.requested_headers) or None
    else:
        grant = gate.actual(context.request.method, head.origins)
    if route is None and grant.decision.kind is not Kind.NONE and _allowed(context, admitted):
        grant = Grant(replace(grant.decision, reason=Reason.NO_ROUTE))
    record.decision = grant.decision
    return grant if gate.enforces else NO_GRANT


def require_route(context: RequestContext, admitted: Admitted) -> RoutePlan:
    """Return the route of a request; raise `Refusal` if there is none, or the head cannot be forwarded."""
    head, route = admitted.head, admitted.route
    if head.refusal is not None:
        raise head.refusal
    if context.request.method == "OPTIONS" and _is_repeated(head):
        raise Refusal(400, "a preflight has one Origin and one Access-Control-Request-Method")
    if context.request.method not in _KNOWN_METHODS:
        raise Refusal(501, "this method is not known here", close=True)
    if route is not None:
        return route
    if allowed := _allowed(context, admitted):
        text = preflight_refusal_text(Reason.NO_ROUTE) if admitted.is_preflight else no_method_text()
        raise Refusal(405, text.decode().rstrip(), fields=b"Allow: %b\r\n" % ", ".join(allowed).encode())
    raise Refusal(404, "no route leads to this host and path")


def _is_repeated(head: RequestHead) -> bool:
    """Return whether a field of which a preflight has exactly one is repeated."""
    return len(head.origins) > 1 or len(head.requested_methods) > 1


def _allowed(context: RequestContext, admitted: Admitted) -> tuple[str, ...]:
    """Return the methods that the routes of this path are limited to; empty if no such route matches."""
    return context.plan.routes.allowed(admitted.head.host, admitted.target.path)


def check_forwardable(
    context: RequestContext, admitted: Admitted, route: RoutePlan, grant: Grant, via_token: bytes
) -> bytes | None:
    """Raise `Refusal` for a request that must not reach the upstream; return the protocol of its upgrade, if any."""
    head, request = admitted.head, context.request
    if request.method == "TRACE":
        # RFC 9110 section 9.3.8: "A client MUST NOT generate fields in a TRACE request containing sensitive data that
        # might be disclosed by the response." Clients cannot know what a gateway adds.
        raise Refusal(405, "TRACE is not forwarded", fields=ALLOW_LINE)
    upgrade = _upgrade(context, head) if head.upgrades else None
    is_refused = grant.decision.kind is Kind.ACTUAL and not grant.decision.granted
    # An upgrade is judged by `websockets` instead, which also accepts a page of the proxy's own, for example.
    if is_refused and route.rejects and upgrade is None:
        by_options = context.plan.settings.by_options
        raise Refusal(403, refused_text(grant.decision.reason, by_options=by_options).decode().rstrip())
    limit = context.plan.limits.max_body
    if limit and head.content_length > limit:
        raise Refusal(413, "the content of the request is larger than this server accepts")
    if head.via and sum(value.count(via_token) for value in head.via) >= _MOST_PASSES:
        raise Refusal(508, "this request goes round in a circle")
    if request.method == "OPTIONS" and head.max_forwards == 0:
        raise Refusal(204, "", fields=ALLOW_LINE)  # RFC 9110 section 7.6.2
    if upgrade is not None and (reason := _refuse_upgrade(context, route, head)) is not None:
        # `*` grants every origin the response, but none a WebSocket, so the log must show a refusal.
        if reason == "policy" and grant.decision.granted:
            context.record.decision = replace(grant.decision, granted=False, reason=Reason.ORIGIN_NOT_ALLOWED)
        text = websocket_refused_text(
            None if reason == "off" else grant.decision.reason or Reason.ORIGIN_NOT_ALLOWED,
            by_options=context.plan.settings.by_options,
        )
        raise Refusal(403, text.decode().rstrip())
    return upgrade


def _upgrade(context: RequestContext, head: RequestHead) -> bytes | None:
    """Return the Upgrade value of a valid WebSocket handshake, or None: other upgrades are stripped.

    RFC 9110 section 7.8: "A server MAY ignore a received Upgrade header field if it wishes to continue using the
    current protocol on that connection."
    """
    request = context.request
    if not request.upgrade or request.minor != 1 or request.method != "GET":
        return None
    if len(head.upgrades) > 1 or head.upgrades[0].lower() != b"websocket" or head.has_content:
        return None
    return head.upgrades[0]


def _refuse_upgrade(context: RequestContext, route: RoutePlan, head: RequestHead) -> Literal["off", "policy"] | None:
    """Return why a WebSocket is refused: `websockets: off`, or the policy does not name the origin; otherwise None.

    CORS does not apply to WebSockets, so only the server can check the origin. RFC 6455 section 10.2: "Servers that are
    not intended to process input from any web page but only for certain sites SHOULD verify the |Origin| field is an
    origin they expect."
    """
    origin = head.origins[0] if len(head.origins) == 1 else None
    websockets = route.websockets
    if origin is not None:
        for policy, its_websockets in route.websockets_named:
            if policy.allows_by_name(origin):
                return "off" if its_websockets == "off" else None
    if websockets == "off":
        return "off"
    if websockets == "any" or not route.gate.enforces or not head.origins:
        return None
    own_origins = context.plan.own_origins
    if origin is not None and (origin in own_origins if own_origins else _is_own_origin(origin, head.host)):
        return None
    return "policy"


def _is_own_origin(value: bytes, host: bytes) -> bool:
    """Return whether `value` is the http or https origin of `host`; TLS may end in front of the proxy."""
    origin = parse_origin(value)
    default = _WEB_PORTS.get(origin.scheme) if origin is not None else None
    if origin is None or default is None or not host:
        return False
    name, port = split_host(host)
    return origin.host.encode() == name and (origin.port or default) == (default if port is None else port)
