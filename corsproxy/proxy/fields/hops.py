"""How a hop, and what it asked for, is written in `X-Forwarded-*` and `Forwarded` (RFC 7239): grammar only.

Text and bytes in, values out; every function answers None or False to what it cannot read and never raises, because
all of it was written by strangers.
Knows nothing of whom to believe: that is `forwarded.py`.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address

from corsproxy.proxy.fields.hosts import is_port, port_of

Address = IPv4Address | IPv6Address

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"

# Unquoted values hold more here than RFC 7239 section 4 allows (`host=a:80`, `for=[::1]`): senders forget the quotes,
# and nothing can be read two ways as long as the separators and the quote itself stay out.
_PAIR = re.compile(rb"(" + _TOKEN + rb')=([^\s;,"]+|"(?:[^"\\]|\\.)*")', re.DOTALL)

_HOP_WITH_PORT = re.compile(r"(?:\[([^\]]*)\]|([0-9.]+))(?::[^:\]]*)?")

_OBFUSCATED = re.compile(rb"_[A-Za-z0-9._-]{1,100}")
"""RFC 7239 section 6.3, bounded."""

ForwardedElement = dict[bytes, bytes]
"""The parameters of one element of Forwarded: lower-case names, values without quotes."""


class Asked:
    """Over which scheme, for which host and on which port the client has asked."""

    __slots__ = ("host", "port", "scheme")

    def __init__(self, scheme: bytes, host: bytes, port: bytes = b"") -> None:
        """`host` is valid or empty, `port` what a trusted proxy said, valid or not."""
        self.scheme = scheme
        self.host = host
        # The port the client sees, not the listener's own: that is what an upstream builds links from.
        self.port = port if is_port(port) else port_of(host) or self._default_port
        """Of no use without a host."""

    @property
    def _default_port(self) -> bytes:
        return b"443" if self.scheme == b"https" else b"80"

    @property
    def authority(self) -> bytes:
        """The host, with a port that it does not name though it is not the scheme's."""
        if not self.host or port_of(self.host) or self.port == self._default_port:
            return self.host
        return b"%b:%b" % (self.host, self.port)

    @property
    def origin(self) -> bytes:
        """The origin that was asked, empty without a host."""
        return b"%b://%b" % (self.scheme, self.host) if self.host else b""

    def lines(self, chain: bytes) -> bytes:
        """Return the X-Forwarded-* lines, behind the `chain` of hops."""
        block = b"X-Forwarded-For: %b\r\nX-Forwarded-Proto: %b\r\n" % (chain, self.scheme)
        if not self.host:
            return block
        return b"%bX-Forwarded-Host: %b\r\nX-Forwarded-Port: %b\r\n" % (block, self.host, self.port)


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
    """Return the elements of a Forwarded field value (RFC 7239 section 4), or None if it is malformed.

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


def format_forwarded(hop: bytes, scheme: bytes = b"", host: bytes = b"") -> bytes:
    """Return the element of Forwarded for one hop: who connected, over what, asking for which host.

    `hop` is written as in X-Forwarded-For; its port is left out, which Rack would take for the server's.
    """
    element = b"for=%b" % _node(hop)
    if scheme:
        element += b";proto=%b" % scheme
    return b'%b;host="%b"' % (element, host) if host else element


def _node(hop: bytes) -> bytes:
    """Return a hop as RFC 7239 section 6 writes it: IPv6 in brackets and quotes, `unknown` for what is no node."""
    address = parse_hop(hop)
    if address is None:
        return hop if _OBFUSCATED.fullmatch(hop) else b"unknown"
    return b'"[%b]"' % str(address).encode() if isinstance(address, IPv6Address) else str(address).encode()


def _unquoted(value: bytes) -> bytes:
    return re.sub(rb"\\(.)", rb"\1", value[1:-1], flags=re.DOTALL) if value[:1] == b'"' else value
