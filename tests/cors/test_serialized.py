"""The automaton of serialized origins: it takes what the parser of requests takes, and knows each host's kind."""

from __future__ import annotations

from itertools import product

import pytest

from corsproxy.cors import parse_origin
from corsproxy.cors.expressions import ALPHABET
from corsproxy.cors.serialized import State, serialized_origins

SCHEMES = ("http", "https", "h", "httpsx", "a+b-1.c", "chrome-extension", "1a", "+a", "", "ht:p")
HOSTS = {
    "loopback": ("localhost", "127.0.0.1", "127.255.9.25", "[::1]", "a.localhost", "1.localhost"),
    "ipv4": (
        "0.0.0.0", "1.2.3.4", "10.20.30.40", "126.0.0.1", "128.0.0.1", "255.255.255.255", "12.1.1.1", "199.99.19.9",
    ),
    "ipv6": ("[::]", "[::2]", "[1::]", "[2001:db8::1]", "[::1:1]", "[::ffff:102:304]"),
    "domain": (
        "a", "a.b", "a-b.c_d", "x1.example", "localhos", "localhosts", "localhost.a", "localhost.", "local.host",
        "a.b.", "1.a", "1a", "1a.b", "1.2.3.4.a", "127.a", "127.0.0.1.a", "0.a", "0x.a", "0xg", "0x1g", "00x1",
        "0y", "a.0xg", "a.0x1y", "a.1b", "a.1.b", "256.a", "01.a", "1.2.a", "1.l", "1.2.3.lo", "a.00x",
        "1.2.3.4.5x", "0x1.a",
    ),
    None: (
        "", ".", ".a", "a..b", "1", "12", "127", "0", "00", "1.2", "1.2.3", "1.2.3.4.5", "1.2.3.4.", "127.0.0.1.",
        "1.2.3.", "256.1.1.1", "1.2.3.256", "1.2.3.260", "1.2.3.300", "01.2.3.4", "1.2.3.04", "1.02.3.4", "a.1",
        "a.0", "a.01", "a.0x", "a.0x1f", "a.1.", "0x", "0x7f", "0x7f.1", "1..2.3", "1.2..4", "a.b.3", "[", "[]",
        "[::1", "::1", "[::1]a", "[::1].", "a[::1]", "[::g]", "[a.b]", "A", "a b", "a%", "a/", "a@b", "1.2.3.4a.1",
        "localhost.1",
    ),
}  # fmt: skip
PORTS = (
        "", ":1", ":8", ":80", ":443", ":4", ":44", ":44300", ":800", ":8080", ":81", ":65535", ":0", ":08", ":",
        ":99999", ":123456", ":8a",
)  # fmt: skip


@pytest.fixture(name="states", scope="module")
def _states() -> tuple[State, ...]:
    """The automaton, built again."""
    return serialized_origins.__wrapped__()


def reached(states: tuple[State, ...], text: str) -> State | None:
    """Return the state after a text, or None."""
    at = 0
    for character in text:
        place = 1 << ALPHABET.index(character) if character in ALPHABET else 0
        ways = [after for mask, after in states[at].steps if mask & place]
        if not ways:
            return None
        (at,) = ways
    return states[at]


def is_taken(text: str) -> bool:
    """Return whether the parser takes an origin; of ports above 65535 and of IPv6 the automaton asks less."""
    return parse_origin(text.replace(":99999", ":65535").encode()) is not None


@pytest.mark.parametrize("scheme", SCHEMES)
def test_it_accepts_what_the_parser_accepts(states: tuple[State, ...], scheme: str) -> None:
    """Every scheme with every host and every port."""
    for (kind, hosts), port in product(HOSTS.items(), PORTS):
        for host in hosts:
            text = f"{scheme}://{host}{port}"
            state = reached(states, text)
            assert (state is not None and state.ends) is is_taken(text), text
            if state is not None and state.ends:
                named = scheme if scheme in ("http", "https") else "other"
                assert (state.kind, state.scheme, state.region) == (kind, named, "port" if port else "host"), text


@pytest.mark.parametrize("scheme", ["http", "https", "ws"])
def test_the_state_after_a_prefix_shows_where_an_origin_may_end(states: tuple[State, ...], scheme: str) -> None:
    """In the scheme, before the host, in the host, in the port."""
    told = "other" if scheme == "ws" else scheme
    for text, region, known, begins in (
        ("", "scheme", "", False),
        (scheme, "scheme", "", False),
        (f"{scheme}:", "scheme", "", False),
        (f"{scheme}:/", "scheme", "", False),
        (f"{scheme}://", "host", told, True),
        (f"{scheme}://a", "host", told, False),
        (f"{scheme}://a.", "host", told, False),
        (f"{scheme}://a:", "port", told, False),
    ):
        state = reached(states, text)
        assert state is not None
        assert (state.region, state.scheme, state.begins_host) == (region, known, begins)
    assert reached(states, f"{scheme}:a") is None
    assert reached(states, f"{scheme}:/a") is None
    assert reached(states, f"{scheme}:///") is None


def test_it_is_small(states: tuple[State, ...]) -> None:
    """Each question walks it once for every state of an expression."""
    assert len(states) <= 390
