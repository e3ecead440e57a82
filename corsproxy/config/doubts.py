"""Warnings about settings that are valid but dangerous or useless, each with its remedy.

Only the whole file shows them; nothing is refused here.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping

from corsproxy.config.problems import Reason, Report, join, listed, quote
from corsproxy.cors import BAD_PORTS, is_loopback
from corsproxy.settings import Address, PolicySettings, Route, Settings, TcpAddress, UnixAddress, Upstream, bracketed

Doubt = tuple[str, Reason, str]
"""Key path, reason, message."""

_CREDENTIAL_FIELDS = frozenset({"authorization", "cookie"})


def warn_of_doubts(settings: Settings, upstreams: Mapping[str, Upstream], report: Report) -> None:
    """Report all warnings about a configuration that compiled."""
    for doubt in address_doubts(settings, upstreams):
        report.warning(*doubt)
    by_upstream: dict[str, list[Route]] = {}
    for route in settings.routes:
        by_upstream.setdefault(route.upstream.name, []).append(route)
    for name, upstream in upstreams.items():
        path = join("upstreams", name)
        routes = by_upstream.get(name, [])
        _check_origin_mode(upstream, routes, path, report)
        _check_credentials_set(upstream, routes, path, report)
        _check_cookies(upstream, routes, path, report)
        if upstream.scheme == "https" and not upstream.tls.verify:
            detail = "anyone on the way can impersonate the upstream and read all traffic; name its authority in 'ca'"
            report.warning(f"{path}.tls.verify", "prohibited", f"the certificate is not verified: {detail}")


def address_doubts(settings: Settings, upstreams: Mapping[str, Upstream]) -> Iterator[Doubt]:
    """Yield warnings about listening addresses, which options may have overridden."""
    listen, admin = settings.listen, settings.admin
    if isinstance(listen, TcpAddress) and listen.port in BAD_PORTS - {0}:
        detail = "browsers refuse to connect to it (Fetch: port blocking); choose another, such as 8080"
        yield "listen", "invalid", f"blocked port {listen.port}: {detail}"
    if settings.inspector and isinstance(admin, TcpAddress) and not _is_loopback(admin.host):
        detail = "anyone who reaches this address sees every request; listen on 127.0.0.1, and use a tunnel"
        yield "inspector", "prohibited", f"the inspector listens on {admin}: {detail}"
    for name, upstream in upstreams.items():
        if _is_itself(upstream, listen):
            detail = "each request would loop until it is answered 508; write the server's own address"
            yield join("upstreams", name) + ".url", "invalid", f"the proxy itself listens on {listen}: {detail}"


def _is_itself(upstream: Upstream, listen: Address) -> bool:
    if isinstance(listen, UnixAddress):
        return upstream.unix_path == listen.path
    return upstream.unix_path is None and listen.port == upstream.port and _reaches(upstream.host, listen.host)


def _check_origin_mode(upstream: Upstream, routes: list[Route], path: str, report: Report) -> None:
    if upstream.origin_mode == "forward":
        return
    for route, policy, remedy in _open_routes(routes):
        name = f"policy {policy.name!r} lets refused origins through" if policy else "it has no policy"
        if policy is not None and policy.cors.allow_any_origin:
            name = f"policy {policy.name!r} refuses no page"
        report.warning(
            f"{path}.origin",
            "prohibited",
            f"'{upstream.origin_mode}' disables the upstream's own CSRF check, and on route "
            f"{quote(route.path)} nothing replaces it, because {name}; {remedy}",
        )
    if upstream.origin_mode == "upstream" and upstream.host_mode == "client":
        detail = (
            "a server that compares Origin with Host sees two names and refuses the request; write 'host: upstream'"
        )
        report.warning(f"{path}.origin", "invalid", f"'upstream' with 'host: client': {detail}")


def _open_routes(routes: list[Route]) -> Iterator[tuple[Route, PolicySettings | None, str]]:
    """Yield the routes that accept pages of any origin, with the policy that does so and the remedy."""
    seen: set[str] = set()
    for route in routes:
        if route.policy is None:
            yield route, None, "give it a policy with 'on_refused: reject'"
            continue
        for policy in route.policies:
            if policy.name in seen:
                continue
            seen.add(policy.name)
            if policy.cors.allow_any_origin:
                yield route, policy, "name the origins, with 'on_refused: reject'"
            elif policy is route.policy and policy.on_refused != "reject":
                yield route, policy, f"write 'on_refused: reject' in policy {policy.name!r}"


def _check_credentials_set(upstream: Upstream, routes: list[Route], path: str, report: Report) -> None:
    """Warn of credentials for everyone: every client acts with them, and under `*` any page reads the response."""
    written = [
        name
        for name, _ in upstream.request_headers.set
        if name.lower() in _CREDENTIAL_FIELDS or f"{path}.request_headers.set.{name}" in report.interpolated
    ]
    policies = {policy.name for route in routes for policy in route.policies if policy.cors.allow_any_origin}
    for name in written if policies else ():
        report.warning(
            f"{path}.request_headers.set.{name}",
            "prohibited",
            f"policy {listed(sorted(map(repr, policies)))} lets any page read the upstream's response to "
            "this credential; name the origins to allow, or set it on a separate upstream",
        )


def _check_cookies(upstream: Upstream, routes: list[Route], path: str, report: Report) -> None:
    rules = upstream.cookies
    policies = [policy for route in routes for policy in route.policies]
    if rules is None or not policies:
        return
    edited = [
        written
        for written, holds in (("same_site: none", rules.same_site == "none"), ("partitioned: true", rules.partitioned))
        if holds
    ]
    if edited and not any(policy.cors.allow_credentials for policy in policies):
        detail = "no policy of this upstream's routes allows credentials, so browsers neither send nor store cookies"
        remedy = "write 'allow_credentials: true' in the policy of the pages that need them, or remove the edit"
        report.warning(f"{path}.cookies", "unused", f"unused {listed(map(repr, edited))}: {detail}; {remedy}")


def _reaches(host: str, listen: str) -> bool:
    """Return whether a connection to `host` reaches a listener on `listen`."""
    return host == listen or (_is_loopback(host) and (_is_loopback(listen) or _is_any(listen)))


def _is_loopback(host: str) -> bool:
    return is_loopback(bracketed(host))


def _is_any(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False
