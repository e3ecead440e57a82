"""Checks routes against each other: requests that two of them match, and methods that fall through to a shorter route.

The time is nearly linear in the number of routes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from corsproxy.config import paths
from corsproxy.config.declaration import RouteValues
from corsproxy.config.names import Names
from corsproxy.config.policies import CompiledPolicies
from corsproxy.config.problems import Report, listed, quote
from corsproxy.config.shape import present

_Host = tuple[str | None, int | None]
_Item = tuple[int, RouteValues]


def check_policies(
    items: Sequence[tuple[int, str]], path: str, names: Names, compiled: CompiledPolicies, report: Report
) -> None:
    """Check the policies of one route: whether they exist, can be reached, and have one mode."""
    seen: list[str] = []
    everybody = ""
    for at, name in items:
        where = inner if (inner := f"{path}[{at}]") in report.places else path
        names.look_up(name, where, report)
        if name in compiled.without_origins:
            report.error(
                where,
                "missing",
                f"missing origins: policy {quote(name)} has no allow_origins and is only for others to extend; "
                "add them to it, or name a policy that extends it",
            )
        elif name in seen:
            report.error(where, "duplicate", f"duplicate policy {quote(name)}: it is already listed; remove one")
        elif everybody:
            report.warning(
                where,
                "unreachable",
                f"unreachable policy {quote(name)}: {quote(everybody)} before it allows every origin; put it last",
            )
        seen.append(name)
        policy = compiled.by_name.get(name)
        if policy is None:
            continue
        if policy.settings.cors.grants_everyone and not everybody:
            everybody = name
        first = compiled.by_name.get(seen[0])
        if first is not None and first.settings.mode != policy.settings.mode:
            report.error(
                where,
                "invalid",
                f"invalid policy {quote(name)}: its mode is {policy.settings.mode}, that of {quote(seen[0])} is "
                f"{first.settings.mode}; all policies of a route have the same mode",
            )


@dataclass(slots=True)
class _PathNode:
    """A place in the tree of route paths of one host."""

    literal: dict[str, _PathNode] = field(default_factory=dict)
    any: _PathNode | None = None
    exact: list[_Item] = field(default_factory=list)
    prefix: list[_Item] = field(default_factory=list)

    def child(self, segment: str | None) -> _PathNode:
        """Return the node of a segment; a new one is added."""
        if segment is None:
            self.any = self.any or _PathNode()
            return self.any
        return self.literal.setdefault(segment, _PathNode())


def check_methods(section: Sequence[_Item], report: Report) -> None:
    """Report routes that match the same requests, and those whose other methods go to a shorter route."""
    roots: dict[_Host, _PathNode] = {}
    for index, values in section:
        node = roots.setdefault(_host(values), _PathNode())
        for segment in _segments(values):
            node = node.child(segment)
        routes = node.exact if values.exact else node.prefix
        _check_alike(index, values, routes, report)
        routes.append((index, values))
    for index, values in section:
        if values.methods:
            _check_passed_over(index, values, roots, report)


def _check_alike(index: int, values: RouteValues, others: Sequence[_Item], report: Report) -> None:
    """Report requests that an earlier route of the same path matches too."""
    path = f"routes[{index}]"
    for at, other in others:
        line = report.places[f"routes[{at}]"].line
        if not values.methods and not other.methods:
            report.error(
                f"{path}.path",
                "unreachable",
                f"unreachable route: routes[{at}] in line {line} matches the same requests; "
                "change the path, the host, 'methods' or 'exact', or remove one",
            )
            return
        if both := [method for method in _methods(values) if method in _methods(other)]:
            report.error(
                f"{path}.methods",
                "duplicate",
                f"duplicate {listed(both)}: routes[{at}] in line {line} has the same path with "
                f"{'it' if len(both) == 1 else 'them'} already; remove {'it' if len(both) == 1 else 'them'} from one",
            )
            return


def _check_passed_over(index: int, values: RouteValues, roots: dict[_Host, _PathNode], report: Report) -> None:
    """Warn if requests for the path whose method none of its routes names go to a shorter route."""
    segments = _segments(values)
    own = roots[_host(values)]
    for segment in segments:
        own = own.child(segment)
    routes = own.exact if values.exact else own.prefix
    if routes[0][0] != index or any(not other.methods for _, other in routes):
        return  # the path's first route reports it; or one of its routes takes any method
    named = {method for _, other in routes for method in _methods(other)} | {"HEAD"}
    for host in _wider(_host(values)):
        if host not in roots:
            continue
        for at, other in _shorter(roots[host], segments, 0):
            if at in {one for one, _ in routes} or (other.methods and named.issuperset(_methods(other))):
                continue
            report.warning(
                f"routes[{index}].methods",
                "invalid",
                f"requests with methods other than {listed(_methods(values))} go to routes[{at}] in line "
                f"{report.places[f'routes[{at}]'].line}, {quote(present(other.path))}; name that route's methods too, "
                "or write a route of this path for them",
            )
            return


def _shorter(node: _PathNode, segments: paths.Segments, at: int) -> Iterator[_Item]:
    """Yield the prefix routes that match whatever the path matches, the longest first."""
    if at < len(segments):
        segment = segments[at]
        if segment is not None and segment in node.literal:
            yield from _shorter(node.literal[segment], segments, at + 1)
        if node.any is not None and segment != "":
            yield from _shorter(node.any, segments, at + 1)
    yield from node.prefix


def _wider(host: _Host) -> Iterator[_Host]:
    """Yield the hosts whose routes match a request for `host`, the most specific first."""
    name, port = host
    ports = (port, None) if port is not None else (None,)
    yield host
    if name is not None:
        yield from ((name, one) for one in ports if one != port)
        labels = name.removeprefix("*.").split(".")
        start = 0 if name.startswith("*.") else 1
        for begin in range(start, len(labels)):
            yield from ((f"*.{'.'.join(labels[begin:])}", one) for one in ports)
    yield None, None


def _host(values: RouteValues) -> _Host:
    return values.host or (None, None)


def _segments(values: RouteValues) -> paths.Segments:
    return paths.segments(present(values.path), exact=values.exact)


def _methods(values: RouteValues) -> list[str]:
    return [method for _, method in values.methods or ()]
