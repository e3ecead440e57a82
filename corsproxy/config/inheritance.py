"""`extends`: each policy with its inherited keys, and the policies in which they were written.

Lists are replaced, not joined; `dangerously_allow` is never inherited, because it was written for other origins.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from corsproxy.config.declaration import PolicyValues
from corsproxy.config.problems import Report, join, listed, nearest, quote
from corsproxy.config.shape import BAD, Bad

_OWN = ("extends", "dangerously_allow")
"""Keys that are never inherited."""


@dataclass(frozen=True, slots=True)
class WholePolicy:
    """A policy with all its own and inherited keys."""

    name: str
    values: PolicyValues
    homes: Mapping[str, str]
    """By key, if it is written: the policy in which it is."""


def whole_policies(
    section: Mapping[str, PolicyValues | Bad], report: Report
) -> tuple[dict[str, WholePolicy], frozenset[str]]:
    """Return the policies whose bases are all valid, and the names of those that others extend; report the rest."""
    good = {name: values for name, values in section.items() if values is not BAD}
    bases = {name: values.extends for name, values in good.items() if values.extends}
    extended = set(bases.values())
    circles: set[str] = set()
    for name, base in bases.items():
        if base not in section:
            others = [one for one in section if one != name]
            near = nearest(base, others)
            extended.add(near or base)  # one mistake, one message: the intended base is not also unused
            expected = f"expected {listed(map(repr, others))}" if others else "remove the key"
            hint = f"did you mean {near!r}?" if near else expected
            report.error(f"{join('policies', name)}.extends", "undefined", f"undefined policy {quote(base)}: {hint}")
        elif name not in circles and (circle := _circle(name, bases)):
            circles.update(circle)
            shown = " extends ".join(map(repr, (*circle, circle[0])))
            report.error(
                f"{join('policies', name)}.extends", "invalid", f"invalid cycle: {shown}; remove one 'extends'"
            )
    whole = {}
    for name in section:
        chain = list(_chain(name, bases))
        if good.keys() >= set(chain) and circles.isdisjoint(chain):
            whole[name] = _joined(name, chain, good, report)
    return whole, frozenset(extended)


def _circle(name: str, bases: Mapping[str, str]) -> list[str]:
    """Return the cycle that begins with `name`, if it is in one."""
    chain = list(_chain(name, bases))
    return chain if bases.get(chain[-1]) == name else []


def _chain(name: str, bases: Mapping[str, str]) -> Iterator[str]:
    """Yield a policy and its bases, the nearest first, each at most once."""
    seen: set[str] = set()
    at: str | None = name
    while at is not None and at not in seen:
        seen.add(at)
        yield at
        at = bases.get(at)


def _joined(name: str, chain: list[str], policies: Mapping[str, PolicyValues], report: Report) -> WholePolicy:
    homes: dict[str, str] = {}
    inherited: dict[str, Any] = {}  # the type depends on the key
    for one in chain:
        for key in (field.name for field in fields(PolicyValues)):
            if key in homes or f"{join('policies', one)}.{key}" not in report.spans or (one != name and key in _OWN):
                continue
            homes[key] = one
            if one != name:
                inherited[key] = getattr(policies[one], key)
                _copy_places(join("policies", one), join("policies", name), key, report)
    return WholePolicy(name, replace(policies[name], **inherited), homes)


def _copy_places(base: str, child: str, key: str, report: Report) -> None:
    """Record the places of an inherited key and its items under the policy that inherits it, too."""
    report.places[f"{child}.{key}"] = report.places[f"{base}.{key}"]
    index = 0
    while (place := report.places.get(f"{base}.{key}[{index}]")) is not None:
        report.places[f"{child}.{key}[{index}]"] = place
        index += 1
