"""What is said on start: plain text on stderr, whatever the log format, because people and scripts wait for it.

Lines in, nothing decided here.
"""

from __future__ import annotations

from collections.abc import Sequence

from corsproxy.server.sockets import Listener
from corsproxy.settings import Route, Settings


def listener_lines(settings: Settings, listeners: Sequence[Listener], admin: Sequence[Listener]) -> list[str]:
    """Say where the proxy and the admin listener are, one line each."""
    scheme = "https" if settings.tls is not None else "http"
    lines = [f"listening on {listener.url(scheme)}" for listener in listeners]
    lines += [f"admin on {listener.url('http')}" for listener in admin]
    if settings.inspector:
        lines += [f"inspector on {listener.url('http')}/" for listener in admin]
    return lines


def routing_lines(settings: Settings) -> list[str]:
    """Write the routing table, the most specific route first, as requests try them."""
    rows = [("host", "path", "match", "upstream", "policy")]
    rows += [_row(route) for route in sorted(settings.routes, key=_specificity)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["routes:"] + [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def _row(route: Route) -> tuple[str, str, str, str, str]:
    port = f":{route.host_port}" if route.host_port is not None else ""
    upstream = route.upstream
    colon = ":" if upstream.base_path else ""
    place = f"unix:{upstream.unix_path}{colon}" if upstream.unix_path else upstream.origin
    return (
        f"{route.host}{port}" if route.host is not None else "any",
        route.path,
        "exact" if route.exact else "prefix",
        f"{upstream.name} ({place}{upstream.base_path})",
        route.policy.name + (" (shadow)" if route.policy.mode == "shadow" else "") if route.policy else "none",
    )


def _specificity(route: Route) -> tuple[object, ...]:
    """Order routes as the route tree prefers them: host, then literal before `{name}`, longer, exact."""
    segments = tuple((segment is None, segment or "") for segment in route.segments)
    # A longer path sorts before its own prefix: the mark behind the last segment is above every segment.
    return (
        route.host is None,
        route.host or "",
        route.host_port is None,
        (*segments, (True, "\U0010ffff")),
        not route.exact,
    )
