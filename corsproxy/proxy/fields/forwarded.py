"""Client address, host and scheme of a request: which peers are trusted, and what the upstream gets.

`Trust` is compiled from `trusted_proxies`.
`Trust.for_connection` is called once per connection, because its peer never changes, and `ConnectionForwarding.request`
once per request.
Nothing an untrusted peer writes about other hops reaches the upstream; its lines are replaced. RFC 7239 section 8.1:
the field "cannot be relied upon to be correct, as it may be modified, whether mistakenly or for malicious reasons, by
every node on the way to the server, including the client making the request".
Knows the X-Forwarded-* and Forwarded fields; no sockets, no CORS, no routes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from itertools import product

from corsproxy.proxy.fields.hops import (
    Address,
    ForwardedElement,
    TargetOrigin,
    format_forwarded,
    parse_forwarded,
    parse_hop,
    parse_peer,
)
from corsproxy.proxy.fields.hosts import is_valid_host
from corsproxy.settings import ForwardedMode, Network

FORWARDING_FIELDS = frozenset(
    {
        b"forwarded",
        b"x-forwarded-by",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-port",
        b"x-forwarded-prefix",
        b"x-forwarded-proto",
        b"x-forwarded-protocol",
        b"x-forwarded-scheme",
        b"x-forwarded-server",
        b"x-forwarded-ssl",
    }
)
"""Lower-case names of the fields in which proxies describe hops; their lines go to `ConnectionForwarding.request`."""


def _twins(name: bytes) -> set[bytes]:
    """Return every spelling of `name` with an underscore for at least one hyphen."""
    words = name.split(b"-")
    spellings = {
        b"".join(part for pair in zip(words, (*marks, b""), strict=True) for part in pair)
        for marks in product((b"-", b"_"), repeat=len(words) - 1)
    }
    return spellings - {name}


STRIPPED_TWINS = frozenset(twin for name in FORWARDING_FIELDS for twin in _twins(name))
"""Lower-case names that CGI and WSGI map to the same variable as a field above (HTTP_X_FORWARDED_FOR): dropped, because
a client could otherwise override what the proxy writes."""

UNKNOWN = "unknown"
"""A client without an address (a Unix socket), as RFC 7239 section 6.2 names it.

Written rather than left out: without X-Forwarded-For an upstream takes this proxy, often on loopback, for the client.
"""

_MOST_HOPS = 32
"""Only the nearest hops are parsed: a longer chain is a loop or an attack, and every hop costs time."""

_SCHEMES = {b"http": b"http", b"https": b"https", b"ws": b"http", b"wss": b"https"}
"""The valid values of X-Forwarded-Proto, and the scheme each stands for; Traefik sends ws and wss on upgrades."""


@dataclass(frozen=True, slots=True)
class Forwarding:
    """What is known of the way of one request to the proxy, ready for the upstream."""

    block: bytes
    """Field lines for the upstream, each ending with CRLF; X-Forwarded-Prefix is not among them."""
    chain: bytes
    """The value of X-Forwarded-For."""
    prefix: bytes
    """The X-Forwarded-Prefix of a trusted proxy, otherwise empty."""
    client: str
    """The nearest hop that is not a trusted proxy; `unknown` if there is no address."""
    proxy_origin: bytes
    """This proxy's origin as the client sees it (`https://api.example.com`); empty if the request names no valid host.

    If the configuration has `public_origins`, it is always one of them.
    """


@dataclass(frozen=True, slots=True)
class Trust:
    """The compiled `trusted_proxies`, whose Forwarded and X-Forwarded-* lines are trusted, and `public_origins`."""

    networks: tuple[Network, ...]
    public_origins: tuple[bytes, ...] = ()
    """The proxy's own origins as browsers know them; a Host field cannot add others."""

    @classmethod
    def compile(cls, networks: Sequence[Network], public_origins: Sequence[str] = ()) -> Trust:
        """Compile networks and origins; an IPv4 network written as IPv6 (`::ffff:10.0.0.0/104`) counts as IPv4."""
        return cls(tuple(_plain(network) for network in networks), tuple(origin.encode() for origin in public_origins))

    def proxy_origin(self, requested: bytes) -> bytes:
        """Return the proxy's origin as the client sees it, for a request to the origin `requested`.

        Without `public_origins` it is `requested` itself. Otherwise it is the public origin with the same host and
        port, whatever the scheme (TLS may end in front of the proxy), or else the first.
        """
        if not self.public_origins:
            return requested
        host = requested.partition(b"://")[2].lower()
        for origin in self.public_origins:
            scheme, _, public = origin.partition(b"://")
            if host in (public, public + (b":443" if scheme == b"https" else b":80")):
                return origin
        return self.public_origins[0]

    def includes(self, address: Address | None) -> bool:
        """Return whether a hop is a trusted proxy; None (a Unix socket's peer) never is, because it has no address."""
        return address is not None and any(address in network for network in self.networks)

    def for_connection(self, peer: str, secure: bool) -> ConnectionForwarding:
        """Return the forwarding values of a connection from `peer`: an address without port, empty for a Unix socket.

        `secure` is True if the connection itself is TLS.
        """
        return ConnectionForwarding(self, parse_peer(peer), secure)


class ConnectionForwarding:
    """The peer of one connection, and the forwarding values of its requests."""

    __slots__ = ("_host", "_last", "_secure", "_trust", "client", "trusted")

    def __init__(self, trust: Trust, peer: Address | None, secure: bool) -> None:
        self.trusted = trust.includes(peer)
        self.client = UNKNOWN if peer is None else str(peer)
        """The peer's address; `Forwarding.client` may be a hop farther away."""
        self._trust = trust
        self._secure = secure
        # Nearly all requests on a connection have the same Host, so the last result is kept.
        self._host = b""
        self._last = self._own(b"")

    def request(self, host: bytes, lines: Sequence[tuple[bytes, bytes]] = ()) -> Forwarding:
        """Return the forwarding values of a request.

        `host` is the value of Host; `lines` are the request's lines of `FORWARDING_FIELDS`, names in any letter case.
        """
        if lines and self.trusted:
            return self._relayed(host, lines)
        if host != self._host:
            self._last = self._own(host)
            self._host = host
        return self._last

    def _own(self, host: bytes) -> Forwarding:
        """Return the forwarding values of a request from the client itself, or as if it were the client."""
        scheme = b"https" if self._secure else b"http"
        chain = self.client.encode()
        target = TargetOrigin(scheme, host if is_valid_host(host) else b"")
        block = target.lines(chain) + b"Forwarded: %b\r\n" % format_forwarded(chain, scheme, target.authority)
        return Forwarding(block, chain, b"", self.client, self._trust.proxy_origin(target.serialized))

    def _relayed(self, host: bytes, lines: Sequence[tuple[bytes, bytes]]) -> Forwarding:
        """Return the forwarding values of a request from a trusted proxy, from the lines that it has written."""
        values: dict[bytes, list[bytes]] = {name: [] for name in (b"for", b"host", b"port", b"proto")}
        forwarded_lines = []
        prefixes = []
        others = []
        for name, value in lines:
            lower = name.lower()
            if lower == b"forwarded":
                forwarded_lines.append(value.strip(b" \t"))
            elif (what := lower.removeprefix(b"x-forwarded-")) in values:
                values[what].append(value.strip(b" \t"))
            elif lower == b"x-forwarded-prefix":
                prefixes.append(value.strip(b" \t"))
            else:
                others.append(b"%s: %s\r\n" % (name, value))
        forwarded = b", ".join(filter(None, forwarded_lines))

        # A proxy that writes one family of fields forwards the other as the client sent it, so only one can be trusted.
        # X-Forwarded-* is by far the more common, so a Forwarded beside it is written anew.
        elements = parse_forwarded(forwarded) if forwarded and not any(values.values()) else None
        if elements:
            addresses, hosts, schemes = (_parameters(elements, what) for what in (b"for", b"host", b"proto"))
        else:
            addresses, hosts, schemes = (_items(values[what]) for what in (b"for", b"host", b"proto"))
        client, depth = self._find_client(addresses)
        scheme = _SCHEMES.get(_at(schemes, depth).lower(), b"https" if self._secure else b"http")
        requested = next((name for name in (_at(hosts, depth), host) if is_valid_host(name)), b"")
        target = TargetOrigin(scheme, requested, _at(_items(values[b"port"]), depth))

        chain = b", ".join([*filter(None, values[b"for"]), self.client.encode()])
        if elements:
            hops = b"%b, %b" % (forwarded, self._own_element(schemes, hosts, target))
        else:
            hops = self._elements(addresses, depth, target)
        block = b"%bForwarded: %b\r\n%b" % (target.lines(chain), hops, b"".join(others))
        origin = self._trust.proxy_origin(target.serialized)
        return Forwarding(block, chain, b", ".join(filter(None, prefixes)), client, origin)

    def _own_element(self, schemes: Sequence[bytes], hosts: Sequence[bytes], target: TargetOrigin) -> bytes:
        """Return the element that this proxy appends to the Forwarded of a trusted one.

        Rack uses the last scheme and host that any element names, so ours names them only if the last ones differ from
        X-Forwarded-Proto and X-Forwarded-Host.
        """
        scheme = next(filter(None, reversed(schemes)), b"")
        host = next(filter(None, reversed(hosts)), b"")
        return format_forwarded(
            self.client.encode(),
            b"" if _SCHEMES.get(scheme.lower()) == target.scheme else target.scheme,
            b"" if host.lower() in (target.host.lower(), target.authority.lower()) else target.authority,
        )

    def _elements(self, addresses: Sequence[bytes], depth: int, target: TargetOrigin) -> bytes:
        """Return the chain of X-Forwarded-For as elements of Forwarded.

        Only the client's element names scheme and host, so a server finds those of X-Forwarded-Proto and
        X-Forwarded-Host, whichever element it reads.
        """
        hops = [*addresses[-_MOST_HOPS:], self.client.encode()]
        nearest = max(len(hops) - 1 - depth, 0)
        elements = [format_forwarded(hop) for hop in hops]
        elements[nearest] = format_forwarded(hops[nearest], target.scheme, target.authority)
        return b", ".join(elements)

    def _find_client(self, hops: Sequence[bytes]) -> tuple[str, int]:
        """Return the client, and its depth in the lists: how many items from the right, at least 1.

        The client is the nearest hop that is not a trusted proxy, or the farthest if all are.
        A hop without an address (`unknown`, `_hidden`, rubbish) makes the proxy that reported it the client.
        """
        client = self.client
        depth = 0
        for hop in reversed(hops[-_MOST_HOPS:]):
            depth += 1
            address = parse_hop(hop)
            if address is None:
                break
            client = str(address)
            if not self._trust.includes(address):
                break
        return client, max(depth, 1)


def block_for(mode: ForwardedMode, forwarding: Forwarding, stripped: bytes) -> bytes:
    """Return the field lines that an upstream with this mode gets; `stripped` is the prefix that its route strips.

    The prefix is appended to the one a trusted proxy has stripped before, as one path: servers that read only the last
    member of a list (Werkzeug's ProxyFix) and those that join them (Spring) then read the same.
    """
    if mode == "none":
        return b""
    if mode == "client":
        return b"X-Forwarded-For: %b\r\n" % forwarding.chain
    if not stripped and not forwarding.prefix:
        return forwarding.block
    prefix = forwarding.prefix.rstrip(b"/") + stripped if stripped else forwarding.prefix
    return b"%bX-Forwarded-Prefix: %b\r\n" % (forwarding.block, prefix)


def _items(values: Sequence[bytes]) -> list[bytes]:
    """Return the members of a list-based field from all its lines, without empty ones (RFC 9110 section 5.6.1)."""
    return [item for item in map(bytes.strip, b",".join(values).split(b",")) if item]


def _parameters(elements: Sequence[ForwardedElement], name: bytes) -> list[bytes]:
    return [element.get(name, b"") for element in elements]


def _at(items: Sequence[bytes], depth: int) -> bytes:
    """Return the item that the outermost trusted proxy wrote: `depth` from the right, or the first of a shorter list.

    Items farther left come from untrusted peers. Empty without items.
    """
    return items[-min(depth, len(items))] if items else b""


def _plain(network: Network) -> Network:
    """Return an IPv4-mapped network (RFC 4291 section 2.5.5.2) as IPv4, any other as it is."""
    if isinstance(network, IPv6Network) and network.prefixlen >= 96:
        mapped = network.network_address.ipv4_mapped
        if mapped is not None:
            return IPv4Network((mapped, network.prefixlen - 96))
    return network
