"""Compiles the `upstreams` section to `settings.Upstream`, and checks its keys against each other."""

from __future__ import annotations

from collections.abc import Mapping

from corsproxy.config.ciphers import check_ciphers
from corsproxy.config.cookies import compile_cookies
from corsproxy.config.declaration import TlsValues, UpstreamValues
from corsproxy.config.field_edits import compile_field_edits
from corsproxy.config.files import Files
from corsproxy.config.problems import Report, join
from corsproxy.config.shape import BAD, Bad
from corsproxy.config.upstream_urls import UpstreamUrl
from corsproxy.settings import HostMode, Upstream, UpstreamTls


def compile_upstreams(section: Mapping[str, UpstreamValues | Bad], report: Report, files: Files) -> dict[str, Upstream]:
    """Return the valid upstreams, compiled; problems are reported."""
    compiled = {name: _compile(name, values, report, files) for name, values in section.items() if values is not BAD}
    return {name: upstream for name, upstream in compiled.items() if upstream}


def _compile(name: str, values: UpstreamValues, report: Report, files: Files) -> Upstream | None:
    path = join("upstreams", name)
    url = values.url
    cookies = compile_cookies(values.cookies, f"{path}.cookies", report) if values.cookies else None
    tls = _compile_tls(values.tls, f"{path}.tls", report, files) if values.tls else UpstreamTls()
    request_edits = compile_field_edits(values.request_headers, f"{path}.request_headers", report)
    response_edits = compile_field_edits(values.response_headers, f"{path}.response_headers", report)
    if url is None:
        return None
    if values.tls and url.scheme != "https":
        report.error(
            f"{path}.tls",
            "invalid",
            "invalid for an upstream without TLS: write https:// in its url, or remove the key",
        )
    host = values.host
    host_mode: HostMode = "upstream" if host == "upstream" else "client" if host == "client" else "literal"
    return Upstream(
        name,
        url.scheme,
        url.host,
        url.port,
        url.unix_path,
        url.base_path,
        url.base_query,
        host_mode=host_mode,
        host_literal=host if host_mode == "literal" else "",
        origin_mode=values.origin,
        forwarded=values.forwarded,
        aliases=_compile_aliases(values, url, report, path),
        rewrite_redirects=values.redirects == "rewrite",
        cookies=cookies,
        tls=tls,
        request_headers=request_edits,
        response_headers=response_edits,
        connect_timeout=values.connect_timeout,
        response_timeout=values.response_timeout,
        read_timeout=values.read_timeout,
        max_connections=values.max_connections,
        keepalive_timeout=values.keepalive_timeout,
        max_connection_age=values.max_connection_age,
        max_tunnels=values.max_tunnels,
        tunnel_timeout=values.tunnel_timeout,
        connection_login=values.connection_login,
        parsing=values.parsing,
    )


def _compile_aliases(values: UpstreamValues, url: UpstreamUrl, report: Report, path: str) -> tuple[str, ...]:
    aliases: list[str] = []
    for index, alias in values.aliases:
        if alias == url.origin:
            detail = "unused: it is already the origin of the url"
        elif values.redirects == "keep":
            detail = "unused: with 'redirects: keep' nothing is rewritten; remove one of the two"
        elif alias in aliases:
            detail = f"duplicate origin {alias}: remove one"
        else:
            aliases.append(alias)
            continue
        report.warning(f"{path}.aliases[{index}]", "unused", detail)
    return tuple(aliases)


def _compile_tls(values: TlsValues, path: str, report: Report, files: Files) -> UpstreamTls:
    pair = {"certificate": values.certificate, "private_key": values.private_key}
    for one, other in (("certificate", "private_key"), ("private_key", "certificate")):
        if pair[one] and not pair[other]:
            report.error(
                f"{path}.{one}", "missing", f"missing {other!r} beside it: a certificate and its key go together"
            )
    if values.ca and not values.verify:
        report.warning(f"{path}.ca", "unused", "unused: with 'verify: false' nothing is checked")
    ca = files.find_authorities(f"{path}.ca", values.ca)
    certificate, private_key = files.find_pair(path, values.certificate, values.private_key)
    tls = UpstreamTls(
        values.verify,
        ca,
        certificate,
        private_key,
        values.server_name,
        values.min_version,
        values.ciphers,
        values.legacy,
    )
    check_ciphers(tls, f"{path}.ciphers", report)
    return tls
