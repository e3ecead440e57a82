"""Serialized origins as an automaton: which characters may follow a prefix, and what kind of host it then has.

It is the grammar of `origins.parse_origin`, for questions about all origins that a rule matches.
It accepts a little more: lengths, ports above 65535 and the canonical form of an IPv6 address are not checked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

from corsproxy.cors.expressions import ALPHABET

_LOCALHOST = "localhost"
_DIGITS = "0123456789"
_HEX = "0123456789abcdef"
_DEFAULT = {"http": "80", "https": "443"}

LOOPBACK, DOMAIN, IPV4, IPV6 = "loopback", "domain", "ipv4", "ipv6"
"""Kinds of hosts; a loopback host is only LOOPBACK."""


@dataclass(slots=True)
class State:
    """The state after a prefix of an origin."""

    region: str
    """The part to which the next character belongs: `scheme`, `host` or `port`."""
    scheme: str
    """`http`, `https` or `other`; empty before it is complete."""
    kind: str | None
    """The host's kind if it may end here, or has ended."""
    ends: bool
    """True if an origin may end here."""
    begins_host: bool
    """True if the host's first character comes next."""
    steps: list[tuple[int, int]] = field(default_factory=list)
    """The characters, as a mask, that lead to each next state."""


@cache
def serialized_origins() -> tuple[State, ...]:
    """Return the states of the automaton; the first is the initial state."""
    names = [_START]
    places = {_START: 0}
    states: list[State] = []
    for name in names:  # which grows
        state = _state(name)
        masks: dict[int, int] = {}
        for place, character in enumerate(ALPHABET):
            after = _step(name, character)
            if after is None:
                continue
            if after not in places:
                places[after] = len(names)
                names.append(after)
            masks[places[after]] = masks.get(places[after], 0) | 1 << place
        state.steps = [(mask, after) for after, mask in masks.items()]
        states.append(state)
    return tuple(states)


# A state's name is a tuple: its region, the scheme, and what is known about the host or port.
_Name = tuple[str, str, str]
_START: _Name = ("scheme", "", "")


def _state(name: _Name) -> State:
    region, scheme, known = name
    if region == "scheme":
        return State("scheme", "", None, ends=False, begins_host=False)
    if region == "port":
        kind, _, digits = known.partition(" ")
        ends = digits != "" and digits != _DEFAULT.get(scheme)
        return State("port", scheme, kind, ends, begins_host=False)
    kind_here = _kind(known)
    return State("host", scheme, kind_here, ends=kind_here is not None, begins_host=known == "")


def _step(name: _Name, character: str) -> _Name | None:
    region, scheme, known = name
    if region == "scheme":
        return _scheme_step(known, character)
    if region == "port":
        return _port_step(scheme, known, character)
    if character == ":" and not known.startswith("[") and (kind := _kind(known)):
        return "port", scheme, f"{kind} "
    after = _host_step(known, character)
    return None if after is None else ("host", scheme, after)


def _scheme_step(known: str, character: str) -> _Name | None:
    if known.endswith((":", ":/")):
        if character != "/":
            return None
        if known.endswith(":"):
            return "scheme", "", known + "/"
        scheme = known.partition(":")[0]
        return "host", scheme if scheme in _DEFAULT else "other", ""
    if character == ":":
        return ("scheme", "", known + ":") if known else None
    if not character.isalpha() and (not known or character not in "0123456789+.-"):
        return None
    longer = known + character
    return "scheme", "", longer if "https".startswith(longer) else "other"


def _port_step(scheme: str, known: str, character: str) -> _Name | None:
    kind, _, digits = known.partition(" ")
    if not character.isdecimal() or (character == "0" and not digits) or len(digits) == 5:
        return None
    longer = digits + character
    default = _DEFAULT.get(scheme, "")
    return "port", scheme, f"{kind} {longer if default.startswith(longer) else '9' * len(longer)}"


# What is known about a host is a word: empty at first; `.` after a dot, `.#` after a numeric label;
# the prefix of `localhost` that a label shares with it; `x` for any other label; `#`, `#0` and `#0x` for a numeric
# label, which cannot end a domain; `4` and the relevant part of the address so far, while it may be IPv4;
# `[` and the start of an IPv6 address; `]` after one, `]1` after the loopback one.


def _kind(known: str) -> str | None:
    """Return the kind of a host that ends here, None if none can."""
    if known == _LOCALHOST or known == "]1":
        return LOOPBACK
    if known == "]":
        return IPV6
    if known.startswith("4"):
        octets = known[1:].split(".")
        if len(octets) < 4 or not octets[3]:
            return None
        return LOOPBACK if octets[0] == "127" else IPV4
    if known in ("", ".#") or known.startswith(("#", "[")):
        return None
    return DOMAIN


def _host_step(known: str, character: str) -> str | None:
    if known.startswith("]"):
        return None
    if known.startswith("["):
        return _ipv6_step(known, character)
    if character == "[":
        return "[" if known == "" else None
    if character not in "abcdefghijklmnopqrstuvwxyz0123456789-_.":
        return None
    if known.startswith("4"):
        return _ipv4_step(known, character)
    if known.startswith("#"):
        return _number_step(known, character)
    if character == ".":
        return "." if known not in ("", ".", ".#") else None
    begins = known in ("", ".", ".#")
    if begins and character.isdecimal():
        return f"4{character}" if known == "" else "#0" if character == "0" else "#"
    longer = character if begins else known + character
    return longer if _LOCALHOST.startswith(longer) else "x"


def _number_step(known: str, character: str) -> str:
    if character == ".":
        return ".#"
    if character.isdecimal():
        return "#0x" if known == "#0x" else "#"
    if (known == "#0" and character == "x") or (known == "#0x" and character in _HEX):
        return "#0x"
    return "x"


def _ipv4_step(known: str, character: str) -> str | None:
    *before, octet = known[1:].split(".")
    if character == ".":
        if not octet:
            return None
        if len(before) == 3:
            return ".#"
        # Only two things matter: whether this is the loopback network, and the number of octets.
        first = before[0] if before else octet if octet == "127" else "9"
        return "4" + ".".join([first, *["9"] * len(before), ""])
    if not character.isdecimal():
        if not octet:
            return character if _LOCALHOST.startswith(character) else "x"
        return "#0x" if octet == "0" and character == "x" else "x"
    longer = octet + character
    if octet == "0" or int(longer) > 255:
        return "#"
    return "4" + ".".join([*before, _like(longer, is_first=not before)])


def _like(octet: str, *, is_first: bool) -> str:
    """Return a representative of all octets that can continue in the same ways."""
    if is_first and "127".startswith(octet):
        return octet
    if len(octet) == 3:
        return "200"
    if len(octet) == 2:
        return "19" if octet < "25" else "25" if octet == "25" else "99"
    return octet if octet in "012" else "9"


def _ipv6_step(known: str, character: str) -> str | None:
    if character == "]":
        return None if known == "[" else "]1" if known == "[::1" else "]"
    if character != ":" and character not in _HEX:
        return None
    longer = known + character
    return longer if "[::1".startswith(longer) else "[x"
