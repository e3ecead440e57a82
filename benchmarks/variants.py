"""Variants of corsproxy's measured configuration: its log on, many origins, many patterns, many routes."""

from __future__ import annotations

from collections.abc import Iterable

from benchmarks.peers import CONFIGURATIONS, CORSPROXY_CONFIGURATION

_ORIGINS = '    allow_origins: ["@ORIGIN@"]\n'
_ROUTES = "  - {path: /, upstream: legacy, policy: app}\n"
_LOG = "log: {access: false}\n"


def json_log() -> str:
    """The access log on, as JSON."""
    return _changed(_LOG, "log: {access: true, format: json}\n")


def exact_origins(count: int) -> str:
    """As many exact origins, `https://app0.example.com` and so on."""
    return _changed(_ORIGINS, _origins(f"https://app{number}.example.com" for number in range(count)))


def patterns(count: int) -> str:
    """As many patterns, `https://*.site0.example.com` and so on."""
    return _changed(_ORIGINS, _origins(f"https://*.site{number}.example.com" for number in range(count)))


def routes(count: int) -> str:
    """As many routes, `/r0` and so on."""
    return _changed(_ROUTES, "".join(_ROUTES.replace("path: /", f"path: /r{number}") for number in range(count)))


def nested_routes() -> str:
    """A route several segments deep beside `/`: only then does it matter how a path can be read."""
    return _changed(_ROUTES, _ROUTES + _ROUTES.replace("path: /", 'path: "/orders/{id}/invoice"'))


def _origins(values: Iterable[str]) -> str:
    return "    allow_origins:\n" + "".join(f'      - "{value}"\n' for value in values)


def _changed(old: str, new: str) -> str:
    template = (CONFIGURATIONS / CORSPROXY_CONFIGURATION).read_text()
    if old not in template:
        raise ValueError(f"{CORSPROXY_CONFIGURATION} has no line {old.strip()!r}")
    return template.replace(old, new)
