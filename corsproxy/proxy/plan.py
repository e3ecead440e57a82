"""A configuration compiled for the data path: the route tree, the upstreams' pools, the finished parts of heads.

A plan is compiled when a file is loaded, put in force as a whole, and never changed: a request keeps the one that it
began with.
Knows nothing about sockets beyond the pools it holds.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable
from dataclasses import dataclass

from corsproxy.proxy.cors_gate import CorsGate
from corsproxy.proxy.fields.cookies import CookieRewriter
from corsproxy.proxy.fields.destinations import DestinationRewriter
from corsproxy.proxy.fields.edits import FieldEditor
from corsproxy.proxy.fields.forwarded import Forwarding, Trust, block_for
from corsproxy.proxy.fields.redirects import RedirectRewriter
from corsproxy.proxy.fields.references import PathMap
from corsproxy.proxy.fields.referer import OriginRewriter
from corsproxy.proxy.request.target import Target
from corsproxy.proxy.request.upstream_path import UpstreamPath
from corsproxy.proxy.request_record import RequestRecord
from corsproxy.proxy.response.head import ResponseRules
from corsproxy.proxy.routes import RouteTable
from corsproxy.proxy.upstream.pool import UpstreamPool
from corsproxy.proxy.upstream.tls import upstream_context
from corsproxy.settings import Limits, Route, Settings, Upstream


class RoutePlan:
    """One route, with everything that a request on it needs."""

    __slots__ = (
        "_base_query",
        "_forwarded",
        "_host",
        "_host_line",
        "_prefix",
        "_upstream_path",
        "destinations",
        "gate",
        "label",
        "origins",
        "pool",
        "rejects",
        "request_edits",
        "route",
        "rules",
        "upstream",
        "websockets",
        "websockets_named",
    )

    def __init__(self, route: Route, pool: UpstreamPool, gate: CorsGate) -> None:
        upstream = route.upstream
        policy = route.policy
        self.route = route
        self.label = route.path
        """The `route` label of metrics and logs."""
        self.upstream = upstream
        self.pool = pool
        self.gate = gate
        self.rejects = policy is not None and policy.on_refused == "reject"
        self.websockets = policy.websockets if policy is not None else "policy"
        """How an upgrade is treated if no policy names its origin."""
        self.websockets_named = tuple((one.cors, one.websockets) for one in route.policies)
        """For each policy, in order: the policy, which names origins, and how it treats their upgrades."""
        self.origins = (
            OriginRewriter.compile(upstream, route.strip_prefix) if upstream.origin_mode != "forward" else None
        )
        """None if Origin and Referer are forwarded unchanged."""
        self.request_edits = FieldEditor.compile(upstream.request_headers, folds=True)
        self.rules = ResponseRules(
            enforces=self.gate.enforces,
            redirects=RedirectRewriter.compile(upstream, route.strip_prefix) if upstream.rewrite_redirects else None,
            cookies=CookieRewriter.compile(upstream.cookies, upstream, route.strip_prefix)
            if upstream.cookies
            else None,
            edits=FieldEditor.compile(upstream.response_headers, folds=False),
            reports_lost_cookies=upstream.cookies is not None and upstream.cookies.removes_foreign_domain,
        )
        paths = PathMap.compile(upstream, route.strip_prefix)
        self._prefix = paths.prefix
        self._upstream_path = UpstreamPath(paths)
        self._base_query = upstream.base_query.encode()
        self._forwarded = upstream.forwarded_mode
        host = upstream.host_literal if upstream.host_mode == "literal" else upstream.authority
        self._host = host.encode()
        self._host_line = b"Host: %b\r\n" % self._host
        self.destinations = (
            # Not a method of this object: a cycle would keep a replaced plan in memory until the next full sweep.
            DestinationRewriter.compile(upstream, route.strip_prefix, self._upstream_path.of)
            if upstream.rewrite_redirects
            else None
        )

    def forwarded_block(self, forwarding: Forwarding, *, has_upstream_addresses: bool) -> bytes:
        """Return the forwarding fields for the upstream, as finished lines.

        `has_upstream_addresses` is True if the request contains addresses of the upstream (Destination, If). The
        proxy's host is left out then, because Radicale would take those addresses for another server's.
        """
        mode = "client" if has_upstream_addresses and self._forwarded == "all" else self._forwarded
        return block_for(mode, forwarding, self._prefix)

    def host_line(self, client_host: bytes) -> bytes:
        """Return the Host line for the upstream."""
        if self.upstream.host_mode == "client":
            return b"Host: %b\r\n" % self.upstream_host(client_host)
        return self._host_line

    def upstream_host(self, client_host: bytes) -> bytes:
        """Return the Host for the upstream: the configured one, or the client's unless an HTTP/1.0 client sent none."""
        return client_host if self.upstream.host_mode == "client" and client_host else self._host

    def upstream_target(self, target: Target) -> bytes:
        """Return the request target for the upstream: path and query, with the base path and query of its URL.

        Raises `Refusal` with 400 if the path would leave what the route serves.
        """
        path = self._upstream_path.of(target.path)
        query = target.query
        if self._base_query:
            return b"%b?%b&%b" % (path, self._base_query, query) if query else b"%b?%b" % (path, self._base_query)
        return path if query is None else b"%b?%b" % (path, query)


@dataclass(slots=True, eq=False)
class Plan:
    """`Settings` compiled for the data path of one worker; only `begun` and `in_flight` change."""

    settings: Settings
    routes: RouteTable[RoutePlan]
    pools: tuple[UpstreamPool, ...]
    trust: Trust
    own_origins: frozenset[bytes]
    """The proxy's own origins, as browsers see them: `public_origins`; empty if there are none."""
    begun: set[RequestRecord] | None = None
    """The requests that have begun, for the inspector, which removes those that have ended; None if it is off."""
    in_flight: int = 0
    """The number of requests that began with this plan and have not ended."""

    @property
    def limits(self) -> Limits:
        """The `limits` of the configuration."""
        return self.settings.limits


NO_ROUTE_GATE = CorsGate(())
"""The gate for requests without a route: it grants nothing."""


def compile_plan(settings: Settings, previous: Plan | None = None) -> Plan:
    """Compile `settings` in the running loop; pools of unchanged upstreams are taken over from `previous`.

    Raises `PlanError`, before anything has changed, if a file that the configuration names cannot be used.
    """
    loop = asyncio.get_running_loop()
    kept = {pool.upstream: pool for pool in previous.pools} if previous is not None else {}
    contexts: dict[Upstream, ssl.SSLContext | None] = {}
    upstreams = _distinct(route.upstream for route in settings.routes)
    for upstream in upstreams:
        # A file may have been renewed under the same name, so the context is always made from the current files.
        if upstream not in kept or upstream.scheme == "https":
            contexts[upstream] = upstream_context(upstream)
    pools = {
        upstream: UpstreamPool(upstream, contexts[upstream], loop) if upstream in contexts else kept[upstream]
        for upstream in upstreams
    }
    default_port = 443 if settings.tls is not None else 80
    own_origins = frozenset(origin.encode() for origin in settings.public_origins)
    # Routes with the same policies share one gate, and so one bounded cache for whatever clients send. The key is the
    # identity of the policies: a policy may have a hundred thousand origins, and a hash would read them all.
    gates: dict[tuple[int, ...], CorsGate] = {}
    plans = []
    for route in settings.routes:
        key = tuple(map(id, route.policies))
        if key not in gates:
            gates[key] = CorsGate(route.policies, own_origins)
        plans.append((route, RoutePlan(route, pools[route.upstream], gates[key])))
    table = RouteTable(plans, default_port)
    trust = Trust.compile(settings.trusted_proxies, settings.public_origins)
    begun: set[RequestRecord] | None = set() if settings.inspector else None
    if previous is not None and previous.begun is not None:
        begun = previous.begun
    return Plan(settings, table, tuple(pools.values()), trust, own_origins, begun)


def _distinct(upstreams: Iterable[Upstream]) -> list[Upstream]:
    return list(dict.fromkeys(upstreams))
