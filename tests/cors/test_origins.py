"""The bounded parser for what strangers send, and the hosts it takes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corsproxy.cors import Origin, is_loopback, parse_origin
from corsproxy.cors.hosts import canonical_ipv6, is_host
from corsproxy.cors.origins import MAX_ORIGIN


@pytest.mark.parametrize(
    ("value", "origin"),
    [
        pytest.param(b"https://example.com", Origin("https", "example.com"), id="a name"),
        pytest.param(b"http://localhost:3000", Origin("http", "localhost", 3000), id="a port"),
        pytest.param(b"http://a:1", Origin("http", "a", 1), id="the first port"),
        pytest.param(b"http://a:65535", Origin("http", "a", 65535), id="the last port"),
        pytest.param(b"http://a:443", Origin("http", "a", 443), id="the default port of the other scheme"),
        pytest.param(b"https://[::1]:8443", Origin("https", "[::1]", 8443), id="IPv6 with a port"),
        pytest.param(b"https://1.2.3.4", Origin("https", "1.2.3.4"), id="IPv4"),
        pytest.param(b"https://1.2.3.4.example", Origin("https", "1.2.3.4.example"), id="a name that begins like IPv4"),
        pytest.param(b"https://example.com.", Origin("https", "example.com."), id="a final dot"),
        pytest.param(b"https://-a-.b_c.example", Origin("https", "-a-.b_c.example"), id="hyphens and underscores"),
        pytest.param(b"moz-extension://0a-1b", Origin("moz-extension", "0a-1b"), id="an extension"),
        pytest.param(b"a+b-c.d://x", Origin("a+b-c.d", "x"), id="every scheme character"),
    ],
)
def test_serialized_origins_are_read(value: bytes, origin: Origin) -> None:
    """An origin as browsers serialize it is parsed, and serialized to the same bytes."""
    assert parse_origin(value) == origin
    assert str(origin).encode() == value


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"null",
        b"*",
        b"https:",
        b"https:/example.com",
        b"://example.com",
        b"1https://example.com",
        b"https://example.com:",
        b"https://example.com:443",
        b"http://example.com:80",
        b"https://example.com:+8",
        b"https://[::1",
        b"https://::1",
        b"https://[::1]x",
        b"https://[]",
        b"https://[:::]",
        b"https://[1::2::3]",
        b"https://[0:0:0:0:0:0:0:1]",
        b"https://[1::2:0:0:0:3]",
        b"https://[00::1]",
        b"https://[1:2:3:4:5:6:7]",
        b"https://[1:2:3:4:5:6:7:8:9]",
        b"https://256.1.1.1",
        b"https://1.2.3.4.",
        b"https://1.2.3",
        b"https://example.0x1f",
        b"https://example.1",
        b"https://.",
        b"https://a..b",
        b"https://a..",
        b"https://.a",
        b"https://a%20b",
        b"https://a b",
        b"https://a\tb",
        b"https://\xc3\xa9.example",
        b"a" * 65 + b"://example.com",
        b"https://" + b"a" * 64,
        b"https://" + b"a." * 126 + b"ab",
        b"https://" + b"a" * MAX_ORIGIN,
    ],
)
def test_anything_else_is_no_origin(value: bytes) -> None:
    """A value that no browser sends is None."""
    assert parse_origin(value) is None


def test_the_longest_origin_is_read() -> None:
    """The cap leaves room for the longest scheme, name and port together."""
    longest = b"a" * 64 + b"://" + b"a." * 126 + b"a.:65535"

    assert len(longest) == MAX_ORIGIN
    assert parse_origin(longest) is not None
    assert parse_origin(longest.replace(b"://", b"a://")) is None


@given(st.binary(max_size=400))
def test_no_bytes_make_the_parser_raise(value: bytes) -> None:
    """Whatever is sent, the answer is an origin that reads the same again, or None."""
    origin = parse_origin(value)

    assert origin is None or str(origin).encode() == value


@given(st.text(alphabet="htps:/[]@.*-_%019afxz\n \\", max_size=60).map(lambda text: ("https://" + text).encode()))
def test_no_near_origin_makes_the_parser_raise(value: bytes) -> None:
    """Text that looks like an origin is one that reads the same again, or None."""
    origin = parse_origin(value)

    assert origin is None or str(origin).encode() == value


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("::", "::"),
        ("0:0:0:0:0:0:0:0", "::"),
        ("::1", "::1"),
        ("0001::", "1::"),
        ("1:0:0:2:0:0:0:3", "1:0:0:2::3"),
        ("1:0:0:2:3:0:0:4", "1::2:3:0:0:4"),
        ("1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"),
        ("1::2:3:4:5:6:7", "1:0:2:3:4:5:6:7"),
        ("ABCD::", "abcd::"),
        ("::ffff:192.0.2.1", "::ffff:c000:201"),
        ("64:ff9b::192.0.2.1", "64:ff9b::c000:201"),
        ("1:2:3:4:5:6:192.0.2.1", "1:2:3:4:5:6:c000:201"),
        ("1:2:3:4:5:6:7:192.0.2.1", None),
        ("1:2:3:4:5:192.0.2.1:7", None),
        ("192.0.2.1::", None),
        ("1::2::3", None),
        ("12345::", None),
        ("1:2:3:4:5:6:7::8", None),
        ("g::", None),
        ("::1%lo", None),
        ("", None),
        (":", None),
        ("1:" * 40, None),
    ],
)
def test_ipv6_is_written_as_browsers_do(text: str, canonical: str | None) -> None:
    """Any spelling of an address becomes its one serialization, and no other text becomes any."""
    assert canonical_ipv6(text) == canonical


@given(st.ip_addresses(v=6))
def test_every_ipv6_address_has_one_spelling(address: object) -> None:
    """The serialization of any address is a host, and its own serialization."""
    canonical = canonical_ipv6(str(address))

    assert canonical is not None
    assert canonical_ipv6(canonical) == canonical
    assert is_host(f"[{canonical}]")


@pytest.mark.parametrize(
    ("host", "answer"),
    [
        ("localhost", True),
        ("app.localhost", True),
        ("a.b.localhost", True),
        ("127.0.0.1", True),
        ("127.255.255.254", True),
        ("[::1]", True),
        ("localhost.", False),
        ("notlocalhost", False),
        (".localhost", False),
        ("localhost.example", False),
        ("127.0.0.1.example", False),
        ("127.example", False),
        ("128.0.0.1", False),
        ("0.0.0.0", False),
        ("10.0.0.1", False),
        ("[::]", False),
        ("[::ffff:7f00:1]", False),
        ("", False),
    ],
)
def test_loopback_is_only_this_machine(host: str, answer: bool) -> None:
    """Loopback is `localhost` and names under it, 127.0.0.0/8 and `[::1]`; nothing that merely looks like it."""
    assert is_loopback(host) is answer
