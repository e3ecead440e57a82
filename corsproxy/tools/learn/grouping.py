"""Groups many origins into few patterns that match only their owner's names.

Pure: origins in, groups out; the policy decides what a group is granted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from corsproxy.cors import Origin, OriginSpec, Policy, is_loopback, parse_origin
from corsproxy.tools.learn.suspects import registrable

_MANY = 3
"""The fewest subdomains that become one pattern."""
_MANY_PORTS = 2
"""The fewest ports of loopback that become `:*`."""


@dataclass(frozen=True, slots=True)
class Group:
    """One item of `allow_origins`, and the recorded origins that it matches."""

    spec: OriginSpec
    members: tuple[str, ...]


def grouped(origins: Iterable[str], in_force: Policy | None) -> list[Group]:
    """Return origins in groups: by patterns of the current policy, then by ports of loopback, then by parent domain."""
    left = list(origins)
    groups: list[Group] = []
    steps: Sequence[Callable[[list[str]], list[Group]]] = (
        lambda names: _by_patterns(names, in_force),
        _by_ports,
        _by_domain,
    )
    for step in steps:
        found = step(left)
        taken = {member for group in found for member in group.members}
        groups += found
        left = [origin for origin in left if origin not in taken]
    groups += [Group(OriginSpec(origin), (origin,)) for origin in left]
    return sorted(groups, key=lambda group: group.spec.text)


def _by_patterns(origins: list[str], in_force: Policy | None) -> list[Group]:
    """Return a group for each current pattern that matches several origins: whoever wrote it knows the owner."""
    members: dict[int, list[str]] = defaultdict(list)
    for origin in origins if in_force else ():
        rule = in_force.matching_rule(origin.encode("latin-1", "replace")) if in_force else None
        if rule is not None:
            members[rule].append(origin)
    specs = in_force.spec.allow_origins if in_force else ()
    return [
        Group(specs[rule], tuple(names))
        for rule, names in members.items()
        if len(names) >= _MANY_PORTS and specs[rule].text != "*" and (specs[rule].is_regex or "*" in specs[rule].text)
    ]


def _by_ports(origins: list[str]) -> list[Group]:
    members: dict[str, list[str]] = defaultdict(list)
    for text, origin in _parsed(origins):
        if is_loopback(origin.host):
            members[f"{origin.scheme}://{origin.host}"].append(text)
    return [
        Group(OriginSpec(f"{prefix}:*"), tuple(names)) for prefix, names in members.items() if len(names) >= _MANY_PORTS
    ]


def _by_domain(origins: list[str]) -> list[Group]:
    """Return subdomains in groups by their longest common parent, never above the registrable domain."""
    members: dict[tuple[str, str, int | None], list[tuple[str, Origin]]] = defaultdict(list)
    for text, origin in _parsed(origins):
        domain = registrable(origin.host)
        if domain is not None and domain != origin.host:
            members[origin.scheme, domain, origin.port].append((text, origin))
    groups = []
    for (scheme, domain, port), found in members.items():
        if len(found) < _MANY:
            continue
        parent = _common_parent([origin.host for _, origin in found], domain)
        pattern = f"{scheme}://*.{parent}" + ("" if port is None else f":{port}")
        groups.append(Group(OriginSpec(pattern), tuple(text for text, _ in found)))
    return groups


def _common_parent(hosts: list[str], domain: str) -> str:
    """Return the longest domain of which all hosts are subdomains."""
    labels = [host.split(".") for host in hosts]
    length = len(domain.split("."))
    while all(len(one) > length + 1 for one in labels) and len({tuple(one[-length - 1 :]) for one in labels}) == 1:
        length += 1
    return ".".join(labels[0][-length:])


def _parsed(origins: Iterable[str]) -> list[tuple[str, Origin]]:
    pairs = ((text, parse_origin(text.encode("latin-1", "replace"))) for text in origins)
    return [(text, origin) for text, origin in pairs if origin is not None]
