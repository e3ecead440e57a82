"""The route of a request, and why the closest other routes do not match.

The data path's own table chooses; this module only finds the reasons.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from corsproxy.proxy import AmbiguousPath, RouteTable, with_head
from corsproxy.settings import Route, Settings

_SHOWN = 3
"""The most near misses to list; more would hide the intended one."""


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A route that came close."""

    index: int
    """Its index in the file's list of routes."""
    route: Route
    why: str


@dataclass(frozen=True, slots=True)
class Choice:
    """The result of the route table for one request."""

    index: int | None
    """The index of the chosen route in the file's list; None if there is none."""
    near: tuple[NearMiss, ...]
    is_ambiguous: bool = False
    """True if two readings of the path lead to different routes: the proxy answers 400."""
    allowed: tuple[str, ...] = ()
    """The methods of the skipped routes, if none was left: the proxy answers 405."""


def choose(settings: Settings, host: str, path: str, method: str = "GET") -> Choice:
    """Return the route that the proxy would choose, and the near misses."""
    entries = [(route, index) for index, route in enumerate(settings.routes)]
    default_port = 443 if settings.tls is not None else 80
    table = RouteTable(entries, default_port)
    ambiguous = False
    try:
        index = table.match(host.encode(), path.encode(), method)
    except AmbiguousPath:
        index, ambiguous = None, True
    segments = path[1:].split("/") if path != "/" else []
    misses = []
    for at, route in enumerate(settings.routes):
        if at != index and (found := _miss(route, host, default_port, segments, method, chosen=index is not None)):
            closeness, why = found
            misses.append((-closeness, at, NearMiss(at, route, why)))
    near = tuple(miss for _, _, miss in sorted(misses, key=lambda one: one[:2])[:_SHOWN])
    is_found = index is not None or ambiguous
    return Choice(index, near, ambiguous, () if is_found else table.allowed(host.encode(), path.encode()))


def _miss(
    route: Route, host: str, default_port: int, segments: list[str], method: str, *, chosen: bool
) -> tuple[int, str] | None:
    """Return how many segments match, and why the route does not; None if it is not even close."""
    fits = 0
    for own, sent in zip(route.segments, segments, strict=False):
        if own != sent and not (own is None and sent):
            break
        fits += 1
    is_prefix = fits == len(route.segments)
    if is_prefix and not _takes_host(route, host, default_port):
        port = f":{route.host_port}" if route.host_port else ""
        return fits + 1, f"it is for the host {route.host}{port} only" + ("" if host else ": give it with --host")
    if is_prefix and route.exact and fits < len(segments):
        return fits, f"it is exact: it matches {route.path} and nothing below"
    if is_prefix and route.methods and method not in with_head(route.methods, is_named=False):
        return fits + 2, f"it takes {', '.join(route.methods)} only"
    if is_prefix:
        return (fits, "it matches too, and is less specific") if chosen else None
    if not fits:
        return None
    if fits == len(segments):
        return fits, "it is longer than the path"
    return fits, f"its segment {fits + 1} is {route.segments[fits]!r}, the path's is {segments[fits]!r}"


def _takes_host(route: Route, host: str, default_port: int) -> bool:
    """Return whether the data path's table would look at the route for this host, whatever the path and method."""
    everywhere = replace(route, path="/", segments=(), exact=False, methods=())
    return RouteTable([(everywhere, True)], default_port).match(host.encode(), b"/") is not None
