"""The smallest policy for one route: the recorded requests, minus suspected attacks and what cannot be granted.

Everything that a log does not show (credentials, exposed headers, max age) stays as it is.
Pure: traffic and the current policy in, a proposal out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from corsproxy.cors import OriginSpec, PolicyErrors, PolicySpec, compile_policy
from corsproxy.settings import PolicySettings
from corsproxy.tools.browser.names import SAFELISTED_METHODS
from corsproxy.tools.learn.grouping import Group, grouped
from corsproxy.tools.learn.suspects import suspicious
from corsproxy.tools.learn.traffic import OriginTraffic, RouteTraffic, Seen

_LEARNT = ("allow_origins", "allow_methods", "allow_headers")
_EVERYBODY = 20
"""With more different origins than this, an existing `*` is taken as intended."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A recorded request that is not proposed."""

    what: str
    why: str
    seen: Seen


@dataclass(frozen=True, slots=True)
class Proposal:
    """A policy, with comments on the traffic behind each item."""

    spec: PolicySpec | None
    """None if nothing is left to grant."""
    origins: dict[OriginSpec, str]
    """The comment on each item; the same for methods and headers."""
    methods: dict[str, str]
    headers: dict[str, str]
    left_out: tuple[LeftOut, ...]
    on_one_request: tuple[str, ...] = ()
    """Items with only one request."""


def propose(traffic: RouteTraffic, in_force: PolicySettings | None) -> Proposal:
    """Return the smallest policy that would have granted the recorded requests."""
    left_out = _left_out_origins(traffic, in_force)
    dropped = {one.what for one in left_out}
    kept = {origin: asked for origin, asked in traffic.origins.items() if origin not in dropped}
    groups = _groups(kept, in_force)
    methods = _merged(asked.methods for asked in kept.values())
    headers = _merged(asked.headers for asked in kept.values())
    base = in_force.cors.spec if in_force else PolicySpec(())
    needed = {name: seen for name, seen in methods.items() if name not in SAFELISTED_METHODS}
    wanted = replace(
        base,
        allow_origins=tuple(group.spec for group in groups),
        allow_methods=tuple(sorted(needed)) or PolicySpec(()).allow_methods,
        allow_headers=tuple(_spelled(name, base) for name in sorted(headers)),
    )
    spec, refused = _compilable(wanted)
    by_text = {group.spec.text: group for group in groups}
    for key, text, why in refused:
        seen = {"allow_methods": methods, "allow_headers": headers}.get(key, {}).get(text) or Seen()
        group = by_text.get(text)
        if key == "allow_origins" and group:
            seen = _total(kept[member].seen for member in group.members)
        left_out.append(LeftOut(text, why, seen))
    return Proposal(
        _without_needless_dangers(spec) if spec else None,
        {group.spec: _comment(group, kept) for group in groups},
        {name: str(seen) for name, seen in needed.items()},
        {_spelled(name, base): str(seen) for name, seen in headers.items()},
        tuple(left_out),
        tuple(_once(groups, kept, needed, {_spelled(name, base): seen for name, seen in headers.items()})),
    )


def _left_out_origins(traffic: RouteTraffic, in_force: PolicySettings | None) -> list[LeftOut]:
    counts = {origin: asked.seen.count for origin, asked in traffic.origins.items()}
    trusted = set()
    if in_force is not None:
        stars = {in_force.cors.any_origin_rule, None}
        trusted = {
            origin for origin in counts if in_force.cors.matching_rule(origin.encode("latin-1", "replace")) not in stars
        }
        # Others may imitate the domain of `https://*.example.com`.
        trusted |= {one.text.replace("*.", "", 1) for one in in_force.cors.spec.allow_origins if not one.is_regex}
    why = suspicious(counts, trusted)
    return [LeftOut(origin, why[origin], traffic.origins[origin].seen) for origin in counts if origin in why]


def _groups(kept: dict[str, OriginTraffic], in_force: PolicySettings | None) -> list[Group]:
    if in_force is not None and in_force.cors.grants_everyone and len(kept) > _EVERYBODY:
        return [Group(OriginSpec("*"), tuple(kept))]
    return grouped(kept, in_force.cors if in_force else None)


def _comment(group: Group, kept: dict[str, OriginTraffic]) -> str:
    seen = str(_total(kept[member].seen for member in group.members))
    if group.members == (group.spec.text,):
        return seen
    shown = ", ".join(sorted(group.members)[:4]) + (", ..." if len(group.members) > 4 else "")
    return f"{len(group.members)} origins ({shown}), {seen}"


def _once(groups: Iterable[Group], kept: dict[str, OriginTraffic], *named: dict[str, Seen]) -> Iterable[str]:
    """Yield the items with only one request, which may have been a mistake or an attack."""
    for group in groups:
        if sum(kept[member].seen.count for member in group.members) == 1:
            yield group.spec.text
    for names in named:
        yield from (name for name, seen in names.items() if seen.count == 1)


def _total(all_seen: Iterable[Seen]) -> Seen:
    total = Seen()
    for seen in all_seen:
        total.merge(seen)
    return total


def _merged(maps: Iterable[dict[str, Seen]]) -> dict[str, Seen]:
    merged: dict[str, Seen] = {}
    for names in maps:
        for name, seen in names.items():
            merged.setdefault(name, Seen()).merge(seen)
    return merged


def _spelled(name: str, base: PolicySpec) -> str:
    """Return the name as the current policy spells it, else with conventional capitals."""
    written = next((header for header in base.allow_headers if header.lower() == name), None)
    return written or "-".join(part.capitalize() for part in name.split("-"))


def _compilable(spec: PolicySpec) -> tuple[PolicySpec | None, list[tuple[str, str, str]]]:
    """Return the spec without items that the core refuses, and the key, text and message of each."""
    refused: list[tuple[str, str, str]] = []
    while spec.allow_origins:
        try:
            compile_policy(spec)
        except PolicyErrors as errors:
            found = [(one.field, one.index, one.message) for one in errors.problems if one.index is not None]
            if not any(field in _LEARNT for field, _, _ in found):
                return None, refused
            for key in _LEARNT:
                bad = {index: message for field, index, message in found if field == key}
                items = getattr(spec, key)
                refused += [(key, getattr(items[index], "text", items[index]), bad[index]) for index in bad]
                kept = tuple(item for index, item in enumerate(items) if index not in bad)
                spec = replace(spec, **{key: kept})  # type: ignore[arg-type]  # the three keys are tuples of their own kind
            continue
        return spec, refused
    return None, refused


def _without_needless_dangers(spec: PolicySpec) -> PolicySpec:
    """Return the spec with only those names under `dangerously_allow` that it still needs."""
    for danger in tuple(spec.dangerously_allow):
        smaller = replace(spec, dangerously_allow=tuple(one for one in spec.dangerously_allow if one != danger))
        try:
            compile_policy(smaller)
        except PolicyErrors:
            continue
        spec = smaller
    return spec
