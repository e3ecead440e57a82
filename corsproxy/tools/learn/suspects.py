"""Origins that look like an attack: null, values that no browser sends, and names that imitate another.

It errs on the side of caution: an origin left out by mistake is named in a comment, and is one line to add.
Pure: origins in, reasons out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from corsproxy.cors import is_loopback, parse_origin, registrable_domain
from corsproxy.tools.live.look_alikes import MARK, SHARED_HOSTS
from corsproxy.tools.verify.members import MADE_UP

_LOOKS_LIKE = str.maketrans({"0": "o", "1": "l", "3": "e", "5": "s"})
"""Digits that look like letters."""
_OUR_OWN = (MARK, MADE_UP)
"""Parts of origins that `probe` and `verify` make up, which are in the log of a deployment that they tested."""
_SHARED = frozenset(origin for origin in SHARED_HOSTS if MARK not in origin)
_SHORTEST = 6
"""The fewest characters of a domain in which one different letter is not a coincidence."""


@dataclass(frozen=True, slots=True)
class _Host:
    origin: str
    scheme: str
    host: str
    domain: str
    """The registrable domain, or the host itself if it has none."""
    count: int


def suspicious(counts: Mapping[str, int], trusted: Iterable[str]) -> dict[str, str]:
    """Return the origins to leave out, each with the reason; `trusted` are those that the configuration names.

    `counts` are the requests of each origin: of two that look alike, the one with fewer is the imitation.
    """
    known = set(trusted)
    found: dict[str, str] = {}
    hosts: list[_Host] = []
    for origin, count in counts.items():
        if origin in known:
            continue
        if origin == "null":
            found[origin] = "any page can make itself null with a sandboxed frame"
        elif (host := _host(origin, count)) is None:
            found[origin] = "no browser sends such an origin"
        elif any(name in host.host for name in _OUR_OWN):
            found[origin] = "made up by 'corsproxy probe' or 'corsproxy verify'"
        elif origin in _SHARED:
            found[origin] = "anyone can put a page there"
        else:
            hosts.append(host)
    certain = [host for origin in known if (host := _host(origin, counts.get(origin, 0)))]
    models = _Models(certain, hosts)
    for host in hosts:
        if why := models.imitated_by(host):
            found[host.origin] = why
    return found


def registrable(host: str) -> str | None:
    """Return the registrable domain; None for addresses, single labels and public suffixes."""
    if host.startswith("[") or host.rpartition(".")[2].isdecimal():
        return None
    return registrable_domain(host)


def _host(origin: str, count: int) -> _Host | None:
    parsed = parse_origin(origin.encode("latin-1", "replace"))
    if parsed is None:
        return None
    return _Host(origin, parsed.scheme, parsed.host, registrable(parsed.host) or parsed.host, count)


class _Models:
    """The hosts that others may imitate, by looks: each host is compared only with the few that it could resemble.

    Comparing each of ten thousand strangers with every other would be a hundred million comparisons.
    """

    def __init__(self, certain: list[_Host], others: list[_Host]) -> None:
        self._https = {one.host: one for one in (*others, *certain) if one.scheme == "https"}
        self._domains: dict[str, _Host] = {}
        """By domain, the host with the most requests; one that the configuration names is preferred."""
        self._certain = {one.domain for one in certain}
        names = {name for one in certain for name in (one.host, one.domain)}
        self._cut = {name[:end] for name in names for end in range(1, len(name)) if name[end] != "."} - names
        for one in (*others, *certain):
            if not is_loopback(one.host) and one.count >= self._domains.get(one.domain, one).count:
                self._domains[one.domain] = one
        self._written = {domain: domain for domain in self._domains if "." in domain}
        self._written |= {domain.replace(".", "-"): domain for domain in self._written}
        self._lengths = sorted({len(text) for text in self._written})
        self._near: dict[str, list[str]] = {}
        for domain in self._domains:
            for look in _looks(domain):
                self._near.setdefault(look, []).append(domain)

    def imitated_by(self, host: _Host) -> str | None:
        """Return why a host looks like an imitation; None if it does not."""
        if is_loopback(host.host):
            return None
        if "localhost" in host.host:
            return "its name pretends to be localhost"
        if host.scheme == "http" and (twin := self._https.get(host.host)):
            return f"plain http of {twin.origin}: anyone on the network can put a page there"
        if host.domain in self._certain:
            return None  # the owner's own name, whatever resembles it
        if host.host in self._cut:
            return "it is the beginning of a name that the configuration allows"
        if held := self._held_by(host):
            return f"its name holds {held} and belongs to {host.domain}"
        for domain in dict.fromkeys(near for look in _looks(host.domain) for near in self._near.get(look, ())):
            is_model = domain in self._certain or self._domains[domain].count > host.count
            if is_model and domain != host.domain and _is_near(host.domain, domain):
                return f"its name looks like {domain}"
        return None

    def _is_model(self, domain: str, host: _Host) -> bool:
        """Return whether `domain` has at least as many requests: an imitation must not make the original suspect."""
        return domain in self._certain or self._domains[domain].count >= host.count

    def _held_by(self, host: _Host) -> str | None:
        """Return another domain in a host: `example.com.evil.net`, `evilexample.com`, `example-com.evil.net`."""
        text = host.host
        for length in self._lengths:
            for start in range(len(text) - length + 1):
                domain = self._written.get(text[start : start + length])
                if domain is not None and domain != host.domain and self._is_model(domain, host):
                    return domain
        return None


def _looks(domain: str) -> set[str]:
    """Return keys of which two nearly equal domains share at least one."""
    if len(domain) < _SHORTEST - 1:
        return set()
    plain = domain.translate(_LOOKS_LIKE).replace("rn", "m")
    return {plain, domain, *(domain[:at] + domain[at + 1 :] for at in range(len(domain)))}


def _is_near(one: str, other: str) -> bool:
    """Return whether two domains differ by one letter changed, missing, added or swapped, or by digits for letters."""
    if min(len(one), len(other)) < _SHORTEST or one == other:
        return False
    if one.translate(_LOOKS_LIKE).replace("rn", "m") == other.translate(_LOOKS_LIKE).replace("rn", "m"):
        return True
    if one.partition(".")[2] != other.partition(".")[2]:
        return False
    if len(one) == len(other):
        differ = [index for index, (left, right) in enumerate(zip(one, other, strict=True)) if left != right]
        swapped = len(differ) == 2 and differ[1] == differ[0] + 1 and one[differ[0]] == other[differ[1]]
        return len(differ) == 1 or (swapped and one[differ[1]] == other[differ[0]])
    short, long = sorted((one, other), key=len)
    return len(long) == len(short) + 1 and any(long[:at] + long[at + 1 :] == short for at in range(len(long)))
