"""Client address, host and scheme of a request: which peers are believed, and what the upstream gets.

`Trust` is compiled from `trusted_proxies`.
`Trust.for_connection` is asked once for a connection, whose peer never changes, and `ConnectionForwarding.request` once
for a request.
Nothing an untrusted peer says about other hops reaches the upstream: its lines are replaced (RFC 7239 section 8.1).
Knows the X-Forwarded-* and Forwarded fields; no sockets, no CORS, no routes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from itertools import product

from corsproxy.proxy.fields.hops import (
    Address,
    Asked,
    ForwardedElement,
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
"""Lower-case names of the fields that a proxy writes about hops: to be handed to `ConnectionForwarding.request`."""


def _twins(name: bytes) -> set[bytes]:
    """Return every spelling of `name` with an underscore for at least one hyphen."""
    words = name.split(b"-")
    spellings = {
        b"".join(part for pair in zip(words, (*marks, b""), strict=True) for part in pair)
        for marks in product((b"-", b"_"), repeat=len(words) - 1)
    }
    return spellings - {name}


STRIPPED_TWINS = frozenset(twin for name in FORWARDING_FIELDS for twin in _twins(name))
"""Lower-case names that CGI and WSGI fold into one variable with a field above (HTTP_X_FORWARDED_FOR): dropped."""

UNKNOWN = "unknown"
"""The client without an address (a Unix socket), by RFC 7239 section 6.2.

Said aloud and not left out: an upstream without X-Forwarded-For takes this proxy, often on loopback, for the client.
"""

_MOST_HOPS = 32
"""The most hops to parse; a longer chain is a loop or an attack, and every hop costs time."""

_SCHEMES = {b"http": b"http", b"https": b"https", b"ws": b"http", b"wss": b"https"}
"""The valid values of X-Forwarded-Proto; Traefik sends ws and wss on upgrades."""


@dataclass(frozen=True, slots=True)
class Forwarding:
    """The known path of one request to the proxy."""

    block: bytes
    """Field lines for the upstream, each ended by CRLF; X-Forwarded-Prefix is not among them."""
    chain: bytes
    """The value of X-Forwarded-For."""
    prefix: bytes
    """The X-Forwarded-Prefix of a trusted proxy; else empty."""
    client: str
    """The nearest hop that is not a trusted proxy; `unknown` if there is no address."""
    proxy_origin: bytes
    """This proxy's origin as the client sees it (`https://api.example.com`); empty if no usable host was given.

    Where the configuration names `public_origins` it is always one of them.
    """


@dataclass(frozen=True, slots=True)
class Trust:
    """The peers whose Forwarded and X-Forwarded-* lines are trusted."""

    networks: tuple[Network, ...]
    public_origins: tuple[bytes, ...] = ()
    """The proxy's own origins as browsers know them; a Host field cannot add others."""

    @classmethod
    def compile(cls, networks: Sequence[Network], public_origins: Sequence[str] = ()) -> Trust:
        """Return the trust in these networks; IPv4 networks written as IPv6 (`::ffff:10.0.0.0/104`) count as IPv4."""
        return cls(tuple(_plain(network) for network in networks), tuple(origin.encode() for origin in public_origins))

    def origin_of(self, asked: bytes) -> bytes:
        """Return the proxy's origin for a request that asked for the origin `asked`, as far as is known.

        Of the public ones it is that with the request's host and port, whatever the scheme, as TLS may end in front;
        else the first.
        """
        if not self.public_origins:
            return asked
        host = asked.partition(b"://")[2].lower()
        for origin in self.public_origins:
            scheme, _, public = origin.partition(b"://")
            if host in (public, public + (b":443" if scheme == b"https" else b":80")):
                return origin
        return self.public_origins[0]

    def believes(self, address: Address | None) -> bool:
        """Return whether a hop is one of the trusted proxies; a Unix socket's peer never is, it has no network."""
        return address is not None and any(address in network for network in self.networks)

    def for_connection(self, peer: str, secure: bool) -> ConnectionForwarding:
        """Return what is told about requests on a connection from `peer` (without port; empty for a Unix socket).

        `secure` is whether the connection itself is TLS.
        """
        return ConnectionForwarding(self, parse_peer(peer), secure)


class ConnectionForwarding:
    """The peer of one connection, with the forwarding values for all its requests."""

    __slots__ = ("_host", "_last", "_secure", "_trust", "client", "trusted")

    def __init__(self, trust: Trust, peer: Address | None, secure: bool) -> None:
        self.trusted = trust.believes(peer)
        self.client = UNKNOWN if peer is None else str(peer)
        """The peer itself; `Forwarding.client` may be farther away."""
        self._trust = trust
        self._secure = secure
        # Requests on a connection ask for the same host nearly always: the last answer is kept.
        self._host = b""
        self._last = self._own(b"")

    def request(self, host: bytes, lines: Sequence[tuple[bytes, bytes]] = ()) -> Forwarding:
        """Return what is told about a request.

        `host` is the Host field's value; `lines` are the request's own lines of `FORWARDING_FIELDS`, names in any case.
        """
        if lines and self.trusted:
            return self._relayed(host, lines)
        if host != self._host:
            self._last = self._own(host)
            self._host = host
        return self._last

    def _own(self, host: bytes) -> Forwarding:
        scheme = b"https" if self._secure else b"http"
        chain = self.client.encode()
        asked = Asked(scheme, host if is_valid_host(host) else b"")
        block = asked.lines(chain) + b"Forwarded: %b\r\n" % format_forwarded(chain, scheme, asked.authority)
        return Forwarding(block, chain, b"", self.client, self._trust.origin_of(asked.origin))

    def _relayed(self, host: bytes, lines: Sequence[tuple[bytes, bytes]]) -> Forwarding:
        """Return the forwarding of a request from a trusted proxy with such fields."""
        said: dict[bytes, list[bytes]] = {name: [] for name in (b"for", b"host", b"port", b"proto")}
        forwarded_lines = []
        prefixes = []
        others = []
        for name, value in lines:
            lower = name.lower()
            if lower == b"forwarded":
                forwarded_lines.append(value.strip(b" \t"))
            elif (what := lower.removeprefix(b"x-forwarded-")) in said:
                said[what].append(value.strip(b" \t"))
            elif lower == b"x-forwarded-prefix":
                prefixes.append(value.strip(b" \t"))
            else:
                others.append(b"%s: %s\r\n" % (name, value))
        forwarded = b", ".join(filter(None, forwarded_lines))
        elements = parse_forwarded(forwarded) if forwarded else None

        # Proxies that write one family pass the other on as a client sent it; X-Forwarded-* is by far the commoner,
        # and a Forwarded beside it is written anew.
        if elements and not any(said.values()):
            addresses, hosts, schemes = (_parameters(elements, what) for what in (b"for", b"host", b"proto"))
        else:
            addresses, hosts, schemes = (_items(said[what]) for what in (b"for", b"host", b"proto"))
        client, depth = self._walk(addresses)
        scheme = _SCHEMES.get(_at(schemes, depth).lower(), b"https" if self._secure else b"http")
        asked = next((name for name in (_at(hosts, depth), host) if is_valid_host(name)), b"")
        told = Asked(scheme, asked, _at(_items(said[b"port"]), depth))

        chain = b", ".join([*filter(None, said[b"for"]), self.client.encode()])
        if elements and not any(said.values()):
            hops = b"%b, %b" % (forwarded, self._continuing(schemes, hosts, told))
        else:
            hops = self._elements(addresses, depth, told)
        block = b"%bForwarded: %b\r\n%b" % (told.lines(chain), hops, b"".join(others))
        origin = self._trust.origin_of(told.origin)
        return Forwarding(block, chain, b", ".join(filter(None, prefixes)), client, origin)

    def _continuing(self, schemes: Sequence[bytes], hosts: Sequence[bytes], told: Asked) -> bytes:
        """Return the element that goes behind those of a trusted proxy.

        Some believe the last scheme and host that any element names (Rack), so ours names them only where that is
        something else than X-Forwarded-Proto and -Host say.
        """
        scheme = next(filter(None, reversed(schemes)), b"")
        host = next(filter(None, reversed(hosts)), b"")
        return format_forwarded(
            self.client.encode(),
            b"" if _SCHEMES.get(scheme.lower()) == told.scheme else told.scheme,
            b"" if host.lower() in (told.host.lower(), told.authority.lower()) else told.authority,
        )

    def _elements(self, addresses: Sequence[bytes], depth: int, told: Asked) -> bytes:
        """Return the chain of X-Forwarded-For as Forwarded says it.

        The client's element alone names scheme and host: whichever element a server looks at for them, it finds what
        X-Forwarded-Proto and -Host say.
        """
        hops = [*addresses[-_MOST_HOPS:], self.client.encode()]
        nearest = max(len(hops) - 1 - depth, 0)
        elements = [format_forwarded(hop) for hop in hops]
        elements[nearest] = format_forwarded(hops[nearest], told.scheme, told.authority)
        return b", ".join(elements)

    def _walk(self, hops: Sequence[bytes]) -> tuple[str, int]:
        """Return the nearest untrusted hop, and how many trusted proxies stand before it.

        A hop without an address (`unknown`, `_hidden`, rubbish) ends the walk at the proxy that reported it.
        """
        client = self.client
        depth = 0
        for hop in reversed(hops[-_MOST_HOPS:]):
            depth += 1
            address = parse_hop(hop)
            if address is None:
                break
            client = str(address)
            if not self._trust.believes(address):
                break
        return client, max(depth, 1)


def block_for(mode: ForwardedMode, forwarding: Forwarding, stripped: bytes) -> bytes:
    """Return the field lines for an upstream that is told this much; `stripped` is the prefix that its route takes off.

    A prefix follows the one that a trusted proxy has taken off before, as one path: servers that read the last member
    of a list alone (Werkzeug's ProxyFix) and those that join them (Spring) then read the same.
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
    """Return the elements of a list field that may stand on several lines, empty ones left out."""
    return [item for item in map(bytes.strip, b",".join(values).split(b",")) if item]


def _parameters(elements: Sequence[ForwardedElement], name: bytes) -> list[bytes]:
    return [element.get(name, b"") for element in elements]


def _at(items: Sequence[bytes], depth: int) -> bytes:
    """Return the item of the outermost trusted proxy, `depth` from the right, or the first if the list is shorter.

    Items further left come from untrusted peers.
    """
    return items[-min(depth, len(items))] if items else b""


def _plain(network: Network) -> Network:
    if isinstance(network, IPv6Network) and network.prefixlen >= 96:
        mapped = network.network_address.ipv4_mapped
        if mapped is not None:
            return IPv4Network((mapped, network.prefixlen - 96))
    return network
