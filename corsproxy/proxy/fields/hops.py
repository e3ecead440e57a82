"""The grammar of `Forwarded` (RFC 7239) and `X-Forwarded-*`: hops, and the target that a client requested.

Text and bytes in, values out. The parsers return None for what they cannot read and never raise, because strangers
wrote it.
Which hops are trusted is decided in `forwarded.py`.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address

from corsproxy.proxy.fields.hosts import is_port, port_of

Address = IPv4Address | IPv6Address

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"

# An unquoted value may contain more than the token of RFC 7239 section 4 (`host=a:80`, `for=[::1]`): senders forget the
# quotes, and the value stays unambiguous as long as it contains neither a separator nor a quote.
_PAIR = re.compile(rb"(" + _TOKEN + rb')=([^\s;,"]+|"(?:[^"\\]|\\.)*")', re.DOTALL)

_HOP_WITH_PORT = re.compile(r"(?:\[([^\]]*)\]|([0-9.]+))(?::[^:\]]*)?")

_OBFUSCATED = re.compile(rb"_[A-Za-z0-9._-]{1,100}")
"""An obfuscated identifier (RFC 7239 section 6.3) of bounded length."""

ForwardedElement = dict[bytes, bytes]
"""The parameters of one element of Forwarded: lower-case names, values without quotes."""


class TargetOrigin:
    """Scheme, host and port of a request's target URI (RFC 9110 section 7.1), as the client sees them."""

    __slots__ = ("host", "port", "scheme")

    def __init__(self, scheme: bytes, host: bytes, port: bytes = b"") -> None:
        """`host` is valid or empty; `port` is what a trusted proxy reported, valid or not."""
        self.scheme = scheme
        self.host = host
        self.port = port if is_port(port) else port_of(host) or self._default_port
        """The port that the client sees, not the listener's: upstreams build links from it. Unused without a host."""

    @property
    def _default_port(self) -> bytes:
        return b"443" if self.scheme == b"https" else b"80"

    @property
    def authority(self) -> bytes:
        """`host`, or `host:port` if the host names no port and the port is not the scheme's default."""
        if not self.host or port_of(self.host) or self.port == self._default_port:
            return self.host
        return b"%b:%b" % (self.host, self.port)

    @property
    def serialized(self) -> bytes:
        """`scheme://host`, without a port that was reported apart from the host; empty without a host."""
        return b"%b://%b" % (self.scheme, self.host) if self.host else b""

    def lines(self, chain: bytes) -> bytes:
        """Return the X-Forwarded-* lines; `chain` is the value of X-Forwarded-For."""
        block = b"X-Forwarded-For: %b\r\nX-Forwarded-Proto: %b\r\n" % (chain, self.scheme)
        if not self.host:
            return block
        return b"%bX-Forwarded-Host: %b\r\nX-Forwarded-Port: %b\r\n" % (block, self.host, self.port)


def parse_peer(peer: str) -> Address | None:
    """Return the address of a socket's peer; None if it has none (a Unix socket).

    An IPv4-mapped address, as a dual-stack listener reports it, becomes IPv4. An IPv6 zone is dropped: it has a meaning
    only on this machine (RFC 4007 section 6).
    """
    try:
        address = ip_address(peer.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def parse_hop(value: bytes) -> Address | None:
    """Return the address of a reported hop, written with or without port and brackets; None for anything else."""
    text = value.decode("latin-1")
    match = _HOP_WITH_PORT.fullmatch(text)
    return parse_peer((match[1] or match[2] or "") if match else text)


def parse_forwarded(value: bytes) -> list[ForwardedElement] | None:
    """Return the elements of a Forwarded field value (RFC 7239 section 4), or None if it is malformed.

    RFC 7239 section 4: "Each parameter MUST NOT occur more than once per field-value." (It means each element.)
    RFC 9110 section 5.6.1.2: "A recipient MUST parse and ignore a reasonable number of empty list elements".
    """
    elements: list[ForwardedElement] = []
    element: ForwardedElement = {}
    separated = True  # True if a comma or semicolon stands before the next pair, or it is the first
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
    """Return the element of Forwarded for one hop (RFC 7239 section 5), without the parameters that are empty.

    `hop` is written as in X-Forwarded-For. Its port is left out, because Rack takes that for the server's.
    """
    element = b"for=%b" % _node(hop)
    if scheme:
        element += b";proto=%b" % scheme
    return b'%b;host="%b"' % (element, host) if host else element


def _node(hop: bytes) -> bytes:
    """Return a hop as a node of RFC 7239 section 6: IPv6 in brackets and quotes, `unknown` if it is not valid."""
    address = parse_hop(hop)
    if address is None:
        return hop if _OBFUSCATED.fullmatch(hop) else b"unknown"
    return b'"[%b]"' % str(address).encode() if isinstance(address, IPv6Address) else str(address).encode()


def _unquoted(value: bytes) -> bytes:
    return re.sub(rb"\\(.)", rb"\1", value[1:-1], flags=re.DOTALL) if value[:1] == b'"' else value
