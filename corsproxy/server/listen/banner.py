"""The start-up lines, which are written at every log level, because people and scripts wait for them.

Settings in, lines out; nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Sequence

from corsproxy.config import LOOPBACK_ORIGINS, Configuration
from corsproxy.server.listen.sockets import Listener
from corsproxy.settings import Route, Settings


def listener_lines(settings: Settings, listeners: Sequence[Listener], admin: Sequence[Listener]) -> list[str]:
    """Return one line for each listener: of the proxy, of the admin server, and of the inspector."""
    scheme = "https" if settings.tls is not None else "http"
    lines = [f"listening on {listener.url(scheme)}" for listener in listeners]
    lines += [f"admin on {listener.url('http')}" for listener in admin]
    if settings.inspector:
        lines += [f"inspector on {listener.url('http')}/" for listener in admin]
    return lines


def routing_lines(settings: Settings) -> list[str]:
    """Return the lines of the routing table, the most specific route first, as requests match them."""
    rows = [_COLUMNS, *map(_row, _in_order(settings))]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["routes:"] + [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def routing_rows(settings: Settings) -> list[dict[str, str]]:
    """Return the rows of the routing table, for a JSON log."""
    return [dict(zip(_COLUMNS, _row(route), strict=True)) for route in _in_order(settings)]


def quick_lines(configuration: Configuration) -> list[str]:
    """Return the lines about the pages that quick mode allows, and about `--inspect`."""
    spec = next(iter(configuration.loaded.specs.values()))
    origins = [origin.text for origin in spec.allow_origins]
    credentials = "with credentials" if spec.allow_credentials else "without credentials"
    if tuple(origins) == LOOPBACK_ORIGINS:
        pages = "pages of this machine (localhost, 127.0.0.1 and [::1], any port)"
        lines = [f"allowed: {pages}, {credentials}; to allow others, add --allow-origin"]
    else:
        pages = "every page" if "*" in origins else ", ".join(origins)
        lines = [f"allowed: {pages}; {credentials}"]
    if not configuration.settings.inspector:
        lines.append("add --inspect to see each request on a page, and why a browser refuses it")
    return lines


_COLUMNS = ("host", "path", "match", "upstream", "policy")


def _in_order(settings: Settings) -> list[Route]:
    return sorted(settings.routes, key=_specificity)


def _row(route: Route) -> tuple[str, str, str, str, str]:
    port = f":{route.host_port}" if route.host_port is not None else ""
    upstream = route.upstream
    colon = ":" if upstream.base_path else ""
    place = f"unix:{upstream.unix_path}{colon}" if upstream.unix_path else upstream.origin
    return (
        f"{route.host}{port}" if route.host is not None else "any",
        f"{' '.join(route.methods)} {route.path}" if route.methods else route.path,
        "exact" if route.exact else "prefix",
        f"{upstream.name} ({place}{upstream.base_path})",
        ", ".join(policy.name + (" (shadow)" if policy.mode == "shadow" else "") for policy in route.policies)
        or "none",
    )


def _specificity(route: Route) -> tuple[object, ...]:
    """Return a sort key that puts routes in the order in which the route table prefers them."""
    segments = tuple((segment is None, segment or "") for segment in route.segments)
    # A longer path sorts before its own prefix, because the mark behind the last segment is above every segment.
    return (
        route.host is None,
        (route.host or "").startswith("*."),
        -len(route.host or "") if (route.host or "").startswith("*.") else 0,
        route.host or "",
        route.host_port is None,
        (*segments, (True, "\U0010ffff")),
        not route.exact,
        not route.methods,
    )
