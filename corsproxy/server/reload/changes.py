"""The changes of a reload: one line for the log, and the keys that need a restart.

Two configurations in, text out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from corsproxy.config import Configuration
from corsproxy.settings import Route, Settings

FIXED = ("listen", "tls", "admin", "admin_hosts", "inspector", "workers")
"""The keys that are read only at the start; the same TLS files are read again at a reload."""


def keep_fixed(old: Settings, new: Settings) -> tuple[Settings, list[str]]:
    """Return the new settings with the old values of keys that need a restart, and a warning for each such change."""
    warnings = [
        f"{key} cannot change without a restart: the old value stays in force"
        for key in FIXED
        if getattr(old, key) != getattr(new, key)
    ]
    return replace(new, **{key: getattr(old, key) for key in FIXED}), warnings


def describe_change(old: Configuration, new: Configuration) -> str:
    """Return one line with the routes, upstreams, policies and other keys that were added, removed or changed."""
    before, after = _named(old), _named(new)
    parts = [_difference(what, before[what], after[what]) for what in after]
    parts += [
        f"{key} changed"
        for key in ("trusted_proxies", "public_origins", "limits", "shutdown", "log")
        if getattr(old.settings, key) != getattr(new.settings, key)
    ]
    return "; ".join(filter(None, parts)) or "nothing changed"


def _named(configuration: Configuration) -> dict[str, Mapping[str, object]]:
    """Return routes, upstreams and policies by name, each with the value to compare."""
    loaded = configuration.loaded
    routes = {_name(route): _shape(route) for route in configuration.settings.routes}
    policies = {
        name: (loaded.specs[name], policy.on_refused, policy.websockets, policy.mode, policy.preflight_status)
        for name, policy in loaded.policies.items()
    }
    return {"routes": routes, "upstreams": loaded.upstreams, "policies": policies}


def _name(route: Route) -> str:
    host = route.host or ""
    port = f":{route.host_port}" if route.host_port is not None else ""
    methods = f"{' '.join(route.methods)} " if route.methods else ""
    return f"{methods}{host}{port}{route.path}{' (exact)' if route.exact else ''}"


def _shape(route: Route) -> tuple[str, tuple[str, ...], str]:
    """Return the route without its upstream and policy, whose changes are reported under their own names."""
    return route.upstream.name, tuple(policy.name for policy in route.policies), route.strip_prefix


def _difference(what: str, old: Mapping[str, object], new: Mapping[str, object]) -> str:
    found = {
        "added": [name for name in new if name not in old],
        "removed": [name for name in old if name not in new],
        "changed": [name for name in new if name in old and new[name] != old[name]],
    }
    pieces = [f"{change} {', '.join(names)}" for change, names in found.items() if names]
    return f"{what}: {', '.join(pieces)}" if pieces else ""
