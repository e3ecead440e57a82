"""Variants of the measured configuration of corsproxy: with a log, many origins, many patterns, many routes."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from benchmarks.peers import CONFIGURATIONS, CORSPROXY_CONFIGURATION

_ORIGINS = '    allow_origins: ["@ORIGIN@"]\n'
_ROUTES = "  - {path: /, upstream: legacy, policy: app}\n"
_LOG = "log: {access: false}\n"


def json_log() -> str:
    """Return the configuration with the JSON access log."""
    return _changed(_LOG, "log: {access: true, format: json}\n")


def exact_origins(count: int) -> str:
    """Return a configuration with `count` exact origins, `https://app0.example.com` and so on."""
    return _changed(_ORIGINS, _origins(f"https://app{number}.example.com" for number in range(count)))


def patterns(count: int) -> str:
    """Return a configuration with `count` patterns, `https://*.site0.example.com` and so on."""
    return _changed(_ORIGINS, _origins(f"https://*.site{number}.example.com" for number in range(count)))


def routes(count: int) -> str:
    """Return a configuration with `count` routes, `/r0` and so on."""
    return _changed(_ROUTES, "".join(_ROUTES.replace("path: /", f"path: /r{number}") for number in range(count)))


def nested_routes() -> str:
    """Return a configuration with a nested route beside `/`, for which the readings of a path matter."""
    return _changed(_ROUTES, _ROUTES + _ROUTES.replace("path: /", 'path: "/orders/{id}/invoice"'))


def origins_from_file(count: int) -> str:
    """Return a configuration with `count` exact origins in a file."""
    return _changed(_ORIGINS, f"    allow_origins: [{{file: {_origins_file(count)}}}]\n")


def policies(count: int) -> str:
    """Return a configuration with `count` policies, each with an origin and a route, `/r0` and so on."""
    template = _changed(_ROUTES, "")
    head, policy, rest = template.partition("  app:\n")
    body, routes_key, tail = rest.partition("routes:\n")
    written = "".join(f"  app{n}:\n{body.replace('@ORIGIN@', f'https://app{n}.example.com')}" for n in range(count))
    assert policy
    return f"{head}{written}{routes_key}{_numbered_routes(count, 'policy: app{n}')}{tail}"


def methods_and_hosts(count: int) -> str:
    """Return a configuration with `count` routes with methods and `count` hosts with a star, beside `/`."""
    numbers = range(count)
    by_method = (_ROUTES.replace("path: /", f"path: /r{n}, methods: [GET, POST]") for n in numbers)
    by_host = (_ROUTES.replace("path: /", f'path: /, host: "*.site{n}.example.com"') for n in numbers)
    return _changed(_ROUTES, _ROUTES + "".join((*by_method, *by_host)))


def _numbered_routes(count: int, policy: str) -> str:
    route = _ROUTES.replace("policy: app", policy).replace("path: /", "path: /r{n}")
    return "".join(route.replace("{n}", str(number)) for number in range(count))


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="corsproxy-bench-")


@cache
def _origins_file(count: int) -> Path:
    file = Path(_folder().name) / f"origins-{count}.txt"
    file.write_text("".join(f"https://app{number}.example.com\n" for number in range(count)), encoding="utf-8")
    return file


def _origins(values: Iterable[str]) -> str:
    return "    allow_origins:\n" + "".join(f'      - "{value}"\n' for value in values)


def _changed(old: str, new: str) -> str:
    template = (CONFIGURATIONS / CORSPROXY_CONFIGURATION).read_text()
    if old not in template:
        raise ValueError(f"{CORSPROXY_CONFIGURATION} has no line {old.strip()!r}")
    return template.replace(old, new)
