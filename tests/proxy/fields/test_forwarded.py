"""The forwarding fields that the upstream gets, and which peers are believed."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corsproxy.proxy.fields.forwarded import FORWARDING_FIELDS, STRIPPED_TWINS, Forwarding, Trust, block_for
from corsproxy.settings import ForwardedMode

NOBODY = Trust.compile(())
LAN = Trust.compile((ip_network("10.0.0.0/8"), ip_network("fd00::/8"), ip_network("::ffff:192.168.0.0/112")))

XFF, XFP, XFH, XFPORT, FWD = (
    b"X-Forwarded-For",
    b"X-Forwarded-Proto",
    b"X-Forwarded-Host",
    b"X-Forwarded-Port",
    b"Forwarded",
)

Line = tuple[bytes, bytes]


def lines_of(forwarding: Forwarding, mode: ForwardedMode = "all", stripped: bytes = b"") -> list[Line]:
    """Return the field lines that an upstream is sent, which must be whole ones."""
    block = block_for(mode, forwarding, stripped)
    assert not block or block.endswith(b"\r\n")
    return [(name, value) for name, _, value in (line.partition(b": ") for line in block.split(b"\r\n")[:-1])]


def told(chain: bytes, proto: bytes, host: bytes, port: bytes, *more: Line, fwd: bytes | None = None) -> list[Line]:
    """Return the five lines that every request with a host gets, and others after them.

    `fwd` is Forwarded where a chain has several hops, or is continued.
    """
    if fwd is None:
        fwd = b'for=%b;proto=%b;host="%b"' % (b'"[%b]"' % chain if b":" in chain else chain, proto, host)
    return [(XFF, chain), (XFP, proto), (XFH, host), (XFPORT, port), (FWD, fwd), *more]


@dataclass(frozen=True, slots=True)
class Row:
    """One request: its peer, its fields, and the result."""

    title: str
    peer: str
    lines: tuple[Line, ...]
    wanted: list[Line]
    client: str
    origin: bytes = b"http://api.test"
    host: bytes = b"api.test"
    secure: bool = False
    trust: Trust = LAN


FORGED = ((XFF, b"1.1.1.1"), (XFP, b"https"), (XFH, b"evil.test"), (XFPORT, b"1"), (FWD, b"for=1.1.1.1"))

UNTRUSTED = [
    Row("a stranger who says nothing", "9.9.9.9", (), told(b"9.9.9.9", b"http", b"api.test", b"80"), "9.9.9.9"),
    Row("a stranger who says everything", "9.9.9.9", FORGED, told(b"9.9.9.9", b"http", b"api.test", b"80"), "9.9.9.9"),
    Row(
        "nobody is trusted, not even the private network",
        "10.1.1.1",
        FORGED,
        told(b"10.1.1.1", b"http", b"api.test", b"80"),
        "10.1.1.1",
        trust=NOBODY,
    ),
    Row(
        "over TLS",
        "9.9.9.9",
        (),
        told(b"9.9.9.9", b"https", b"api.test", b"443"),
        "9.9.9.9",
        origin=b"https://api.test",
        secure=True,
    ),
    Row(
        "a port the client wrote",
        "9.9.9.9",
        (),
        told(b"9.9.9.9", b"http", b"Api.test:8080", b"8080"),
        "9.9.9.9",
        origin=b"http://Api.test:8080",
        host=b"Api.test:8080",
    ),
    Row(
        "an IPv6 client and host",
        "2001:db8::1",
        (),
        told(b"2001:db8::1", b"http", b"[::1]:81", b"81"),
        "2001:db8::1",
        origin=b"http://[::1]:81",
        host=b"[::1]:81",
    ),
    Row(
        "an IPv6 host without port",
        "9.9.9.9",
        (),
        told(b"9.9.9.9", b"http", b"[::1]", b"80"),
        "9.9.9.9",
        origin=b"http://[::1]",
        host=b"[::1]",
    ),
    Row("an IPv6 zone", "fe80::1%eth0", (), told(b"fe80::1", b"http", b"api.test", b"80"), "fe80::1"),
    Row(
        "IPv4 on a dual-stack listener", "::ffff:9.9.9.9", (), told(b"9.9.9.9", b"http", b"api.test", b"80"), "9.9.9.9"
    ),
    Row("a Unix socket", "", FORGED, told(b"unknown", b"http", b"api.test", b"80"), "unknown"),
    Row(
        "no host",
        "9.9.9.9",
        (),
        [(XFF, b"9.9.9.9"), (XFP, b"http"), (FWD, b"for=9.9.9.9;proto=http")],
        "9.9.9.9",
        origin=b"",
        host=b"",
    ),
    Row(
        "a host that is none",
        "9.9.9.9",
        (),
        [(XFF, b"9.9.9.9"), (XFP, b"http"), (FWD, b"for=9.9.9.9;proto=http")],
        "9.9.9.9",
        origin=b"",
        host=b"a,b/c@d",
    ),
]

TRUSTED = [
    Row(
        "a trusted proxy that says nothing", "10.0.0.1", (), told(b"10.0.0.1", b"http", b"api.test", b"80"), "10.0.0.1"
    ),
    Row(
        "the client a trusted proxy names",
        "10.0.0.1",
        ((XFF, b"9.9.9.9"),),
        told(
            b"9.9.9.9, 10.0.0.1",
            b"http",
            b"api.test",
            b"80",
            fwd=b'for=9.9.9.9;proto=http;host="api.test", for=10.0.0.1',
        ),
        "9.9.9.9",
    ),
    Row(
        "several lines, folded in order",
        "10.0.0.1",
        ((XFF, b"1.1.1.1, 2.2.2.2"), (XFF, b""), (b"x-forwarded-for", b" 9.9.9.9 ")),
        told(
            b"1.1.1.1, 2.2.2.2, 9.9.9.9, 10.0.0.1",
            b"http",
            b"api.test",
            b"80",
            fwd=b'for=1.1.1.1, for=2.2.2.2, for=9.9.9.9;proto=http;host="api.test", for=10.0.0.1',
        ),
        "9.9.9.9",
    ),
    Row(
        "the nearest hop that is not trusted, not the first",
        "10.0.0.1",
        ((XFF, b"6.6.6.6, 9.9.9.9, 10.0.0.2"),),
        told(
            b"6.6.6.6, 9.9.9.9, 10.0.0.2, 10.0.0.1",
            b"http",
            b"api.test",
            b"80",
            fwd=b'for=6.6.6.6, for=9.9.9.9;proto=http;host="api.test", for=10.0.0.2, for=10.0.0.1',
        ),
        "9.9.9.9",
    ),
    Row(
        "only trusted hops",
        "10.0.0.1",
        ((XFF, b"10.0.0.3, 10.0.0.2"),),
        told(
            b"10.0.0.3, 10.0.0.2, 10.0.0.1",
            b"http",
            b"api.test",
            b"80",
            fwd=b'for=10.0.0.3;proto=http;host="api.test", for=10.0.0.2, for=10.0.0.1',
        ),
        "10.0.0.3",
    ),
    Row(
        "a hop without an address",
        "10.0.0.1",
        ((XFF, b"9.9.9.9, unknown, 10.0.0.2"),),
        told(
            b"9.9.9.9, unknown, 10.0.0.2, 10.0.0.1",
            b"http",
            b"api.test",
            b"80",
            fwd=b'for=9.9.9.9, for=unknown;proto=http;host="api.test", for=10.0.0.2, for=10.0.0.1',
        ),
        "10.0.0.2",
    ),
    Row(
        "a hop with a port",
        "10.0.0.1",
        ((XFF, b"9.9.9.9:51234"),),
        told(
            b"9.9.9.9:51234, 10.0.0.1",
            b"http",
            b"api.test",
            b"80",
            fwd=b'for=9.9.9.9;proto=http;host="api.test", for=10.0.0.1',
        ),
        "9.9.9.9",
    ),
    Row(
        "an IPv6 hop with brackets and port, behind an IPv6 peer",
        "fd00::1",
        ((XFF, b"[2001:DB8::1]:443"),),
        told(
            b"[2001:DB8::1]:443, fd00::1",
            b"http",
            b"api.test",
            b"80",
            fwd=b'for="[2001:db8::1]";proto=http;host="api.test", for="[fd00::1]"',
        ),
        "2001:db8::1",
    ),
    Row(
        "a network written as IPv4 in IPv6",
        "192.168.0.7",
        ((XFF, b"9.9.9.9"),),
        told(
            b"9.9.9.9, 192.168.0.7",
            b"http",
            b"api.test",
            b"80",
            fwd=b'for=9.9.9.9;proto=http;host="api.test", for=192.168.0.7',
        ),
        "9.9.9.9",
    ),
    Row(
        "scheme, host and port",
        "10.0.0.1",
        ((XFP, b"HTTPS"), (XFH, b"www.test:8443"), (XFPORT, b"8443")),
        told(b"10.0.0.1", b"https", b"www.test:8443", b"8443"),
        "10.0.0.1",
        origin=b"https://www.test:8443",
    ),
    Row(
        "a scheme alone",
        "10.0.0.1",
        ((XFP, b"https"),),
        told(b"10.0.0.1", b"https", b"api.test", b"443"),
        "10.0.0.1",
        origin=b"https://api.test",
    ),
    Row(
        "wss, as Traefik writes it",
        "10.0.0.1",
        ((XFP, b"wss"),),
        told(b"10.0.0.1", b"https", b"api.test", b"443"),
        "10.0.0.1",
        origin=b"https://api.test",
    ),
    Row(
        "a scheme that is none",
        "10.0.0.1",
        ((XFP, b"javascript"),),
        told(b"10.0.0.1", b"http", b"api.test", b"80"),
        "10.0.0.1",
    ),
    Row(
        "a host that is none",
        "10.0.0.1",
        ((XFH, b"evil/x"), (XFPORT, b"x")),
        told(b"10.0.0.1", b"http", b"api.test", b"80"),
        "10.0.0.1",
    ),
    Row(
        "what the outermost trusted proxy wrote, of two",
        "10.0.0.1",
        ((XFF, b"9.9.9.9, 10.0.0.2"), (XFP, b"http, https, http"), (XFH, b"evil.test, www.test, api.test")),
        told(
            b"9.9.9.9, 10.0.0.2, 10.0.0.1",
            b"https",
            b"www.test",
            b"443",
            fwd=b'for=9.9.9.9;proto=https;host="www.test", for=10.0.0.2, for=10.0.0.1',
        ),
        "9.9.9.9",
        origin=b"https://www.test",
    ),
    Row(
        "what the only trusted proxy wrote, behind what its client forged",
        "10.0.0.1",
        ((XFF, b"9.9.9.9"), (XFH, b"evil.test, api.test"), (XFP, b"https"), (XFP, b"http")),
        told(
            b"9.9.9.9, 10.0.0.1",
            b"http",
            b"api.test",
            b"80",
            fwd=b'for=9.9.9.9;proto=http;host="api.test", for=10.0.0.1',
        ),
        "9.9.9.9",
    ),
    Row(
        "what the nearest wrote, where no chain tells who wrote the rest",
        "10.0.0.1",
        ((XFH, b"evil.test, www.test"),),
        told(b"10.0.0.1", b"http", b"www.test", b"80"),
        "10.0.0.1",
        origin=b"http://www.test",
    ),
    Row(
        "another field of the family",
        "10.0.0.1",
        ((b"X-Forwarded-Prefix", b"/api"), (b"x-forwarded-ssl", b"on")),
        told(b"10.0.0.1", b"http", b"api.test", b"80", (b"x-forwarded-ssl", b"on"), (b"X-Forwarded-Prefix", b"/api")),
        "10.0.0.1",
    ),
    Row(
        "Forwarded, continued",
        "10.0.0.1",
        ((FWD, b'for="[2001:db8::1]:80";proto=https;host="www.test:444"'),),
        told(
            b"10.0.0.1",
            b"https",
            b"www.test:444",
            b"444",
            fwd=b'for="[2001:db8::1]:80";proto=https;host="www.test:444", for=10.0.0.1',
        ),
        "2001:db8::1",
        origin=b"https://www.test:444",
    ),
    Row(
        "Forwarded of an IPv6 peer over TLS without a host",
        "fd00::1",
        ((FWD, b"for=_hidden"),),
        [(XFF, b"fd00::1"), (XFP, b"https"), (FWD, b'for=_hidden, for="[fd00::1]";proto=https')],
        "fd00::1",
        origin=b"",
        host=b"",
        secure=True,
    ),
    Row(
        "Forwarded whose last element says something else than the client's",
        "10.0.0.1",
        ((FWD, b"for=9.9.9.9;proto=https;host=www.test, for=10.0.0.2;proto=http;host=in.test"),),
        told(
            b"10.0.0.1",
            b"https",
            b"www.test",
            b"443",
            fwd=b"for=9.9.9.9;proto=https;host=www.test, for=10.0.0.2;proto=http;host=in.test"
            b', for=10.0.0.1;proto=https;host="www.test"',
        ),
        "9.9.9.9",
        origin=b"https://www.test",
    ),
    Row(
        "hops that hide, and a port that only X-Forwarded-Port names",
        "10.0.0.1",
        ((XFF, b'9.9.9.9", _hidden, _a;b'), (XFP, b"https"), (XFH, b"www.test"), (XFPORT, b"8443")),
        told(
            b'9.9.9.9", _hidden, _a;b, 10.0.0.1',
            b"https",
            b"www.test",
            b"8443",
            fwd=b'for=unknown, for=_hidden, for=unknown;proto=https;host="www.test:8443", for=10.0.0.1',
        ),
        "10.0.0.1",
        origin=b"https://www.test",
    ),
    Row(
        "Forwarded that a client may have forged, beside X-Forwarded-*",
        "10.0.0.1",
        ((FWD, b"for=6.6.6.6;host=evil.test"), (XFF, b"9.9.9.9")),
        told(
            b"9.9.9.9, 10.0.0.1",
            b"http",
            b"api.test",
            b"80",
            fwd=b'for=9.9.9.9;proto=http;host="api.test", for=10.0.0.1',
        ),
        "9.9.9.9",
    ),
    Row(
        "Forwarded on several lines, with empty elements and escapes",
        "10.0.0.1",
        ((FWD, b'for=6.6.6.6 ,, For="9.\\9.9.9" ; Proto=HTTPS;'), (FWD, b""), (FWD, b"for=10.0.0.2")),
        told(
            b"10.0.0.1",
            b"https",
            b"api.test",
            b"443",
            fwd=b'for=6.6.6.6 ,, For="9.\\9.9.9" ; Proto=HTTPS;, for=10.0.0.2, for=10.0.0.1;host="api.test"',
        ),
        "9.9.9.9",
        origin=b"https://api.test",
    ),
    Row(
        "Forwarded that would swallow what is added",
        "10.0.0.1",
        ((FWD, b'for=6.6.6.6;host="evil'),),
        told(b"10.0.0.1", b"http", b"api.test", b"80"),
        "10.0.0.1",
    ),
    Row(
        "Forwarded whose parameters nothing separates",
        "10.0.0.1",
        ((FWD, b"for=6.6.6.6 host=evil.test"),),
        told(b"10.0.0.1", b"http", b"api.test", b"80"),
        "10.0.0.1",
    ),
    Row(
        "Forwarded that names a hop twice",
        "10.0.0.1",
        ((FWD, b"for=6.6.6.6;for=7.7.7.7"),),
        told(b"10.0.0.1", b"http", b"api.test", b"80"),
        "10.0.0.1",
    ),
]


@pytest.mark.parametrize("row", [pytest.param(row, id=row.title) for row in (*UNTRUSTED, *TRUSTED)])
def test_the_upstream_is_told_what_is_known_and_no_more(row: Row) -> None:
    """The lines that are sent, the client that is logged, and the address the client sees."""
    forwarding = row.trust.for_connection(row.peer, row.secure).request(row.host, row.lines)
    assert lines_of(forwarding) == row.wanted
    assert forwarding.client == row.client
    assert forwarding.proxy_origin == row.origin


def test_a_connection_answers_for_each_host_it_is_asked_for() -> None:
    """The answer kept for the last host is not given for another."""
    connection = NOBODY.for_connection("9.9.9.9", False)
    origins = [connection.request(host).proxy_origin for host in (b"a", b"a", b"b", b"", b"a")]
    assert origins == [b"http://a", b"http://a", b"http://b", b"", b"http://a"]


PREFIX = b"X-Forwarded-Prefix"

PREFIXES = [
    # peer, what it says, what the route strips, what the upstream is told
    ("9.9.9.9", (), b"/shop", [b"/shop"]),
    ("9.9.9.9", (b"/evil",), b"/shop", [b"/shop"]),
    ("9.9.9.9", (b"/evil",), b"", []),
    ("10.0.0.1", (), b"/shop", [b"/shop"]),
    ("10.0.0.1", (b"/outer",), b"/shop", [b"/outer/shop"]),
    ("10.0.0.1", (b"/outer/",), b"/shop", [b"/outer/shop"]),
    ("10.0.0.1", (b"/",), b"/shop", [b"/shop"]),
    ("10.0.0.1", (b"",), b"/shop", [b"/shop"]),
    ("10.0.0.1", (b"/a, /b",), b"/shop", [b"/a, /b/shop"]),
    ("10.0.0.1", (b"/a", b" /b "), b"/shop", [b"/a, /b/shop"]),
    ("10.0.0.1", (b"/outer",), b"", [b"/outer"]),
    ("10.0.0.1", (b"/outer/",), b"", [b"/outer/"]),
]


@pytest.mark.parametrize(("peer", "said", "stripped", "wanted"), PREFIXES)
def test_a_stripped_prefix_is_told_behind_a_trusted_proxys_own(
    peer: str, said: tuple[bytes, ...], stripped: bytes, wanted: list[bytes]
) -> None:
    """As one path, last of the family; a stranger's is dropped."""
    forwarding = LAN.for_connection(peer, secure=False).request(b"api.test", [(PREFIX, value) for value in said])
    lines = lines_of(forwarding, "all", stripped)
    assert [value for name, value in lines if name == PREFIX] == wanted
    assert len(lines) == 5 + len(wanted)


@pytest.mark.parametrize("peer", ["9.9.9.9", "10.0.0.1"])
def test_an_upstream_is_told_less(peer: str) -> None:
    """`client` is the chain of addresses alone, `none` nothing, whatever a trusted proxy says besides."""
    said = (*FORGED, (PREFIX, b"/outer"), (b"X-Forwarded-Ssl", b"on"))
    forwarding = LAN.for_connection(peer, secure=True).request(b"api.test", said)
    chain = b"9.9.9.9" if peer == "9.9.9.9" else b"1.1.1.1, 10.0.0.1"
    assert lines_of(forwarding, "client", b"/shop") == [(XFF, chain)]
    assert lines_of(forwarding, "none", b"/shop") == []


def test_lines_of_one_request_are_not_sent_with_the_next() -> None:
    """A trusted proxy carries many clients on one connection."""
    connection = LAN.for_connection("10.0.0.1", False)
    clients = [connection.request(b"a", lines).client for lines in (((XFF, b"8.8.8.8"),), ((XFF, b"9.9.9.9"),), ())]
    assert clients == ["8.8.8.8", "9.9.9.9", "10.0.0.1"]


def test_a_long_chain_is_looked_at_for_a_bounded_number_of_hops() -> None:
    """Thousands of trusted hops, which only a loop or an attack makes, are passed on and not all parsed."""
    chain = b", ".join([b"9.9.9.9", *[b"10.0.0.2"] * 3000])
    forwarding = LAN.for_connection("10.0.0.1", False).request(b"a", ((XFF, chain),))
    assert forwarding.client == "10.0.0.2"
    assert lines_of(forwarding)[0] == (XFF, chain + b", 10.0.0.1")


def test_every_spelling_that_wsgi_folds_into_one_of_the_fields_is_a_twin() -> None:
    """`X_Forwarded-For`, too, arrives as HTTP_X_FORWARDED_FOR; no twin is a field itself."""

    def folded(name: bytes) -> bytes:
        return name.replace(b"-", b"_")

    assert {b"x_forwarded_for", b"x-forwarded_for", b"x_forwarded-for", b"x_forwarded_proto"} <= STRIPPED_TWINS
    assert {folded(name) for name in STRIPPED_TWINS} == {folded(name) for name in FORWARDING_FIELDS} - {b"forwarded"}
    assert not STRIPPED_TWINS & FORWARDING_FIELDS
    assert len(STRIPPED_TWINS) == sum(2 ** name.count(b"-") - 1 for name in FORWARDING_FIELDS)


VALUES = st.lists(
    st.sampled_from([b"for=", b'"', b"\\", b",", b";", b" ", b"10.0.0.2", b"[::1]:8", b"host=a", b"proto=https", b"="])
    | st.binary(max_size=4).map(lambda value: value.replace(b"\r", b"").replace(b"\n", b"")),
    max_size=12,
).map(b"".join)


@given(
    peer=st.sampled_from(["10.0.0.1", "9.9.9.9", "fd00::1", "", "rubbish"]),
    host=VALUES,
    lines=st.lists(st.tuples(st.sampled_from([XFF, XFP, XFH, XFPORT, FWD, b"X-Forwarded-Ssl"]), VALUES), max_size=5),
)
def test_no_bytes_raise_and_every_answer_is_whole_lines(peer: str, host: bytes, lines: list[Line]) -> None:
    """Hostile values end up in a line of their own at most, and the peer is always the last of the chain."""
    connection = LAN.for_connection(peer, False)
    forwarding = connection.request(host, lines)
    chain = lines_of(forwarding)[0]
    assert chain[0] == XFF
    assert chain[1].split(b",")[-1].strip() == connection.client.encode()
    assert all(name.lower() in FORWARDING_FIELDS for name, _ in lines_of(forwarding))
    assert forwarding.proxy_origin == b"" or forwarding.proxy_origin.startswith((b"http://", b"https://"))


@pytest.mark.parametrize(
    ("network", "inside", "outside"),
    [
        ("::ffff:192.168.0.0/112", "192.168.255.255", "192.169.0.0"),
        ("::ffff:10.1.2.3/128", "10.1.2.3", "10.1.2.2"),
        ("::ffff:0.0.0.0/96", "8.8.8.8", "::1"),
        ("10.0.0.0/8", "10.255.0.1", "11.0.0.0"),
        ("fd00::/8", "fdff::1", "fe00::1"),
        ("::/95", "::1", "1.1.1.1"),
    ],
)
def test_a_network_of_ipv4_may_be_written_as_ipv6(network: str, inside: str, outside: str) -> None:
    """As a dual-stack system shows its peers; any other network is what it says."""
    trust = Trust.compile((ip_network(network),))
    assert trust.includes(ip_address(inside))
    assert not trust.includes(ip_address(outside))
    assert not trust.includes(None)
