"""Checks the `routes` section, and compiles it to `settings.Route`."""

from __future__ import annotations

from collections.abc import Mapping

from corsproxy.config import paths
from corsproxy.config.declaration import RouteValues
from corsproxy.config.names import Names
from corsproxy.config.policies import CompiledPolicies
from corsproxy.config.problems import Report, quote
from corsproxy.config.route_checks import check_methods, check_policies
from corsproxy.config.shape import Items, present
from corsproxy.settings import PolicySettings, Route, Upstream


def check_routes(
    section: Items[RouteValues],
    upstreams: Names,
    policies: Names,
    compiled: CompiledPolicies,
    report: Report,
) -> None:
    """Report undefined names, prefixes that are not of the route's path, and routes that match the same requests."""
    known: list[tuple[int, RouteValues]] = []
    if f"routes[{len(section)}]" in report.places:  # there are more items than values, so one could not be read
        upstreams.has_unread_references = policies.has_unread_references = True
    for index, values in section:
        path = f"routes[{index}]"
        upstreams.has_unread_references |= report.is_unread(f"{path}.upstream")
        policies.has_unread_references |= report.is_unread(f"{path}.policy")
        if values.upstream is not None:
            upstreams.look_up(values.upstream, f"{path}.upstream", report)
        check_policies(values.policy or (), f"{path}.policy", policies, compiled, report)
        if values.path is None:
            continue
        if (right := paths.with_parameters(values.path)) != values.path:
            rule = f"is taken as it stands, colon included; a parameter is written {{name}}: write {right}"
            report.warning(f"{path}.path", "invalid", f"path {quote(values.path)} {rule}")
        _check_prefix(values.strip_prefix, values.path, path, report)
        if not any(report.has_errors_in(f"{path}.{key}") for key in ("host", "exact", "methods")):
            known.append((index, values))
    check_methods(known, report)


def compile_routes(
    section: Items[RouteValues], upstreams: Mapping[str, Upstream], policies: Mapping[str, PolicySettings]
) -> tuple[Route, ...]:
    """Compile routes without errors."""
    return tuple(_compile(values, upstreams, policies) for _, values in section)


def _compile(values: RouteValues, upstreams: Mapping[str, Upstream], policies: Mapping[str, PolicySettings]) -> Route:
    host, port = values.host or (None, None)
    listed_policies = [policies[name] for _, name in values.policy or ()]
    path = present(values.path)
    return Route(
        path,
        paths.segments(path, exact=values.exact),
        upstreams[present(values.upstream)],
        listed_policies[-1] if listed_policies else None,
        values.exact,
        host,
        port,
        _prefix(values.strip_prefix, path),
        tuple(dict.fromkeys(method for _, method in values.methods or ())),
        tuple(listed_policies[:-1]),
    )


def _prefix(strip_prefix: bool | str, path: str) -> str:
    if isinstance(strip_prefix, bool):
        return paths.literal_prefix(path) if strip_prefix else ""
    return "" if strip_prefix == "/" else strip_prefix


def _check_prefix(prefix: bool | str, route_path: str, path: str, report: Report) -> None:
    if isinstance(prefix, str) and not paths.is_whole_prefix(prefix, route_path):
        own = paths.literal_prefix(route_path) or "/"
        report.error(
            f"{path}.strip_prefix",
            "invalid",
            f"invalid prefix {quote(prefix)}: it must be whole leading segments of the route's path, without {{name}}: "
            f"{own} or a part of it",
        )
