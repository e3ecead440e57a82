"""How a hop is written in `X-Forwarded-For` and `Forwarded` (RFC 7239): grammar only.

Text and bytes in, values out; every function answers None or False to what it cannot read and never raises, because
all of it was written by strangers.
Knows nothing of whom to believe: that is `forwarded.py`.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address

from corsproxy.proxy.fields.hosts import is_valid_host

Address = IPv4Address | IPv6Address

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"

# Unquoted values hold more here than RFC 7239 section 4 allows (`host=a:80`, `for=[::1]`): senders forget the quotes,
# and nothing can be read two ways as long as the separators and the quote itself stay out.
_PAIR = re.compile(rb"(" + _TOKEN + rb')=([^\s;,"]+|"(?:[^"\\]|\\.)*")', re.DOTALL)

_HOP_WITH_PORT = re.compile(r"(?:\[([^\]]*)\]|([0-9.]+))(?::[^:\]]*)?")

ForwardedElement = dict[bytes, bytes]
"""The parameters of one element of Forwarded: lower-case names, values without quotes."""


def parse_peer(peer: str) -> Address | None:
    """Return the address of a socket's peer, or None for what is none (a Unix socket).

    An IPv4 client of a dual-stack listener is written as IPv4, and an IPv6 zone is left out: it means something on
    this machine only.
    """
    try:
        address = ip_address(peer.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def parse_hop(value: bytes) -> Address | None:
    """Return the address reported for a hop, with or without port and brackets; None for `unknown` and `_name`."""
    text = value.decode("latin-1")
    match = _HOP_WITH_PORT.fullmatch(text)
    return parse_peer((match[1] or match[2] or "") if match else text)


def parse_forwarded(value: bytes) -> list[ForwardedElement] | None:
    """Return the elements of a Forwarded field value (RFC 7239 section 4), or None where it is malformed.

    Empty elements and pairs are skipped, as lists of RFC 9110 section 5.6.1 want it.
    """
    elements: list[ForwardedElement] = []
    element: ForwardedElement = {}
    separated = True  # by a comma or semicolon from the pair before, or the first
    position = 0
    while position < len(value):
        match = _PAIR.match(value, position)
        if match is not None:
            name = match[1].lower()
            if not separated or name in element:
                return None
            element[name] = _unquoted(match[2])
            separated = False
            position = match.end()
            continue
        mark = value[position : position + 1]
        if mark not in b";, \t":
            return None
        if mark in b";,":
            separated = True
        if mark == b"," and element:
            elements.append(element)
            element = {}
        position += 1
    if element:
        elements.append(element)
    return elements


def format_forwarded(peer: Address | None, secure: bool, host: bytes) -> bytes:
    """Return the element this proxy adds for one hop: who connected, over what, asking for which host."""
    node = str(peer or "unknown").encode()
    if isinstance(peer, IPv6Address):
        node = b'"[%s]"' % node
    element = b"for=%s;proto=%s" % (node, b"https" if secure else b"http")
    return b'%s;host="%s"' % (element, host) if is_valid_host(host) else element


def _unquoted(value: bytes) -> bytes:
    return re.sub(rb"\\(.)", rb"\1", value[1:-1], flags=re.DOTALL) if value[:1] == b'"' else value
