"""Origins that look like an attack: null, what no browser sends, and names made to look like another.

Errs on the careful side: what is left out wrongly is told in a comment, and one line to add.
Pure: origins in, reasons out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from publicsuffixlist import PublicSuffixList

from corsproxy.cors import is_loopback, parse_origin

_SUFFIXES = PublicSuffixList()
_LOOKS_LIKE = str.maketrans({"0": "o", "1": "l", "3": "e", "5": "s"})
"""Digits that pass for letters at a glance."""
_SHORTEST = 6
"""Characters of a domain from which one other letter is no coincidence."""


@dataclass(frozen=True, slots=True)
class _Host:
    origin: str
    scheme: str
    host: str
    domain: str
    """The registrable domain, or the host itself where it has none."""
    count: int


def suspicious(counts: Mapping[str, int], trusted: Iterable[str]) -> dict[str, str]:
    """Say of each origin that is to be left out why; `trusted` are origins that the configuration names already.

    `counts` are the requests of each origin seen: of two that look alike the rarer is the imitation.
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
        else:
            hosts.append(host)
    certain = [host for origin in known if (host := _host(origin, counts.get(origin, 0)))]
    for host in hosts:
        if why := _imitates(host, certain, [other for other in hosts if other != host]):
            found[host.origin] = why
    return found


def registrable(host: str) -> str | None:
    """Give the domain that somebody registered, None for addresses, single labels and public suffixes."""
    if host.startswith("[") or host.rpartition(".")[2].isdecimal():
        return None
    domain = _SUFFIXES.privatesuffix(host)
    return str(domain) if domain else None


def _host(origin: str, count: int) -> _Host | None:
    parsed = parse_origin(origin.encode("latin-1", "replace"))
    if parsed is None:
        return None
    return _Host(origin, parsed.scheme, parsed.host, registrable(parsed.host) or parsed.host, count)


def _imitates(host: _Host, certain: list[_Host], others: list[_Host]) -> str | None:
    if is_loopback(host.host):
        return None
    if "localhost" in host.host:
        return "its name pretends to be localhost"
    for other in (*certain, *others):
        if host.scheme == "http" and other.scheme == "https" and host.host == other.host:
            return f"plain http of {other.origin}: whoever sits in the network can put a page there"
        if is_loopback(other.host) or other.domain == host.domain:
            continue
        if _contains(host.host, other.domain):
            return f"its name holds {other.domain} and belongs to {host.domain}"
        if (other in certain or other.count > host.count) and _is_near(host.domain, other.domain):
            return f"its name looks like {other.domain}"
    return None


def _contains(host: str, domain: str) -> bool:
    """`example.com.evil.net`, `evilexample.com`, `example-com.evil.net`."""
    return "." in domain and (domain in host or domain.replace(".", "-") in host)


def _is_near(one: str, other: str) -> bool:
    """One letter changed, left out, put in or swapped with its neighbour, or digits for letters."""
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
