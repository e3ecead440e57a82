"""Admission: the checks and decisions before any byte of a request reaches an upstream.

    admit        finds the target and the route
    decide       gets the policy's decision, which applies to every response from here on
    routed       the route, if there is one and the head is one that can be forwarded
    let_pass     the last checks of what goes to the upstream

Each uses the result of the previous one, and raises `Refusal` for requests that the proxy answers itself.
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
"""Passes through this process after which a request counts as a loop (RFC 9110 section 7.6.3)."""

_KNOWN_METHODS: Final = frozenset({"TRACE", *(method.decode("ascii") for method in CARRIED)})
"""Methods that are not answered 501; TRACE has its own refusal."""

_WEB_PORTS: Final = {"http": 80, "https": 443}
"""The schemes of pages that can send requests to their own host, each with its default port."""


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
        """The path by which the request came: peer, address, scheme."""
        self.is_preflight = is_preflight


def admit(context: RequestContext, new_request_id: Callable[[], bytes]) -> Admitted:
    """Return the request with its route; refuse anything that two servers could read differently."""
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
        # RFC 9110 section 9.3.7: it is about the server as a whole, which is this proxy; without a path, no policy.
        raise Refusal(204, "", fields=ALLOW_LINE)
    target = parse_target(request.target)
    record.raw_path = target.path
    if context.plan.begun is not None:
        record.raw_query = target.query
        record.raw_fields = [(line.name, line.value) for line in request.lines]
        context.plan.begun.add(record)
    if target.authority is not None:
        # RFC 9112 section 3.2.2 prefers the target; but a server behind might prefer Host, so the two must agree.
        if head.host and not is_same_host(target.authority, head.host, target.default_port):
            raise Refusal(400, "the host of the request target is not that of the Host field", close=True)
        head.host = head.host or target.authority
    method = request.method
    is_preflight = method == "OPTIONS" and bool(head.origins) and bool(head.requested_methods)
    if is_preflight:
        method = head.requested_methods[0].decode("latin-1")  # the route is that of the requested method
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
    """Return what is fixed for the connection: whether the peer is trusted, and over which scheme."""
    connection, trust = context.connection, context.plan.trust
    known = connection.forwarding
    if isinstance(known, tuple) and known[0] is trust:
        forwarding: ConnectionForwarding = known[1]
        return forwarding
    forwarding = trust.for_connection(connection.peer, connection.secure)
    connection.forwarding = (trust, forwarding)
    return forwarding


def decide(context: RequestContext, admitted: Admitted) -> Grant:
    """Return the policy's decision with its response fields, which are empty in shadow mode."""
    head, route, record = admitted.head, admitted.route, context.record
    gate = route.gate if route is not None else NO_ROUTE_GATE
    if admitted.is_preflight and not _says_twice(head):
        grant = gate.preflight(head.origins[0], head.requested_methods[0], head.requested_headers)
        record.requested_method = head.requested_methods[0]
        record.requested_headers = b", ".join(head.requested_headers) or None
    else:
        grant = gate.actual(context.request.method, head.origins)
    if route is None and grant.decision.kind is not Kind.NONE and _allowed(context, admitted):
        grant = Grant(replace(grant.decision, reason=Reason.NO_ROUTE))
    record.decision = grant.decision
    return grant if gate.enforces else NO_GRANT


def routed(context: RequestContext, admitted: Admitted) -> RoutePlan:
    """Return the route of a request; raise `Refusal` if there is none, or the head cannot be forwarded."""
    head, route = admitted.head, admitted.route
    if head.refusal is not None:
        raise head.refusal
    if context.request.method == "OPTIONS" and _says_twice(head):
        raise Refusal(400, "a preflight has one Origin and one Access-Control-Request-Method")
    if context.request.method not in _KNOWN_METHODS:
        raise Refusal(501, "this method is not known here", close=True)
    if route is not None:
        return route
    if allowed := _allowed(context, admitted):
        text = preflight_refusal_text(Reason.NO_ROUTE) if admitted.is_preflight else no_method_text()
        raise Refusal(405, text.decode().rstrip(), fields=b"Allow: %b\r\n" % ", ".join(allowed).encode())
    raise Refusal(404, "no route leads to this host and path")


def _says_twice(head: RequestHead) -> bool:
    return len(head.origins) > 1 or len(head.requested_methods) > 1


def _allowed(context: RequestContext, admitted: Admitted) -> tuple[str, ...]:
    """Return the methods that the routes of this path accept, if none accepts the request's."""
    return context.plan.routes.allowed(admitted.head.host, admitted.target.path)


def let_pass(
    context: RequestContext, admitted: Admitted, route: RoutePlan, grant: Grant, via_token: bytes
) -> bytes | None:
    """Refuse requests that must not reach the upstream; return the protocol of a permitted upgrade, if any."""
    head, request = admitted.head, context.request
    if request.method == "TRACE":
        # RFC 9110 section 9.3.8: TRACE would echo credentials back to the client.
        raise Refusal(405, "TRACE is not forwarded", fields=ALLOW_LINE)
    upgrade = _upgrade(context, head) if head.upgrades else None
    is_refused = grant.decision.kind is Kind.ACTUAL and not grant.decision.granted
    # Only `websockets` judges the Origin of an upgrade: it also accepts a page of the same host, for example.
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
        # A star grants everyone the response, but no one a WebSocket: the log reports the refusal.
        if reason == "policy" and grant.decision.granted:
            context.record.decision = replace(grant.decision, granted=False, reason=Reason.ORIGIN_NOT_ALLOWED)
        text = websocket_refused_text(
            None if reason == "off" else grant.decision.reason or Reason.ORIGIN_NOT_ALLOWED,
            by_options=context.plan.settings.by_options,
        )
        raise Refusal(403, text.decode().rstrip())
    return upgrade


def _upgrade(context: RequestContext, head: RequestHead) -> bytes | None:
    """Return the Upgrade value of a valid WebSocket handshake; other upgrades are stripped (RFC 9110 section 7.8)."""
    request = context.request
    if not request.upgrade or request.minor != 1 or request.method != "GET":
        return None
    if len(head.upgrades) > 1 or head.upgrades[0].lower() != b"websocket" or head.has_content:
        return None
    return head.upgrades[0]


def _refuse_upgrade(context: RequestContext, route: RoutePlan, head: RequestHead) -> Literal["off", "policy"] | None:
    """Return why a WebSocket is refused, None if it is not.

    A WebSocket is not under CORS in the browser: the server alone can check (RFC 6455 section 10.2).
    It always carries cookies, so `*` allows no page (cross-site WebSocket hijacking).
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
    """Return whether `value` is an origin of `host`, by http or https, because TLS may end in front of the proxy."""
    origin = parse_origin(value)
    default = _WEB_PORTS.get(origin.scheme) if origin is not None else None
    if origin is None or default is None or not host:
        return False
    name, port = split_host(host)
    return origin.host.encode() == name and (origin.port or default) == (default if port is None else port)
