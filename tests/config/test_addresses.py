"""Addresses to listen on, upstream URLs, hosts and networks."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corsproxy.config import addresses
from corsproxy.config.addresses import parse_listen
from corsproxy.config.problems import RefusedError
from corsproxy.config.upstream_urls import UpstreamUrl, parse_upstream_url
from corsproxy.settings import TcpAddress, UnixAddress
from tests.config.files import refusal


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:8080", TcpAddress("127.0.0.1", 8080)),
        ("8080", TcpAddress("127.0.0.1", 8080)),
        ("0", TcpAddress("127.0.0.1", 0)),
        ("localhost:0", TcpAddress("localhost", 0)),
        ("[::1]:8080", TcpAddress("::1", 8080)),
        ("[0:0:0::1]:8080", TcpAddress("::1", 8080)),
        ("0.0.0.0:65535", TcpAddress("0.0.0.0", 65535)),
        ("Proxy.Example:80", TcpAddress("proxy.example", 80)),
        ("unix:/run/corsproxy.sock", UnixAddress("/run/corsproxy.sock")),
    ],
)
def test_an_address_to_listen_on(text: str, address: object) -> None:
    """An address to listen on."""
    assert parse_listen(text) == address


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "missing host"),
        ("65536", "at most 65535"),
        ("8" * 5000, "at most 65535"),
        (":8080", "write 0.0.0.0:8080"),
        ("*:8080", "write 0.0.0.0:8080"),
        ("localhost", "write localhost:8080"),
        ("http://localhost:8080", "not have a scheme"),
        ("::1:8080", r"needs brackets"),
        ("[::1]", r"write \[::1\]:8080"),
        ("[::1]8080", r"expected \[V6\]"),
        ("[::g]:80", "invalid IPv6"),
        ("127.0.0.256:80", "invalid IPv4"),
        ("127.1:80", "invalid IPv4"),
        ("localhost:65536", "at most 65535"),
        ("localhost:http", "at most 65535"),
        ("localhost:", "at most 65535"),
        ("localhost:٨", "at most 65535"),
        ("a b:80", "invalid host"),
        ("unix:run/x", "path must be absolute"),
        ("unix:///run/x", "write unix:/run/x"),
        ("unix:/run/", "path must be absolute"),
        ("unix:/run/\0", "no NUL"),
        ("unix:/" + "x" * 107, "at most 107 bytes"),
    ],
)
def test_the_message_about_an_invalid_address_has_the_right_one(text: str, said: str) -> None:
    """An invalid address to listen on is refused with the correct one."""
    with pytest.raises(RefusedError, match=said):
        parse_listen(text)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://orders.internal:8000", UpstreamUrl("http", "orders.internal", 8000)),
        ("http://orders", UpstreamUrl("http", "orders", 80)),
        ("https://orders", UpstreamUrl("https", "orders", 443)),
        ("HTTP://Orders/", UpstreamUrl("http", "orders", 80)),
        ("http://legacy_api:80/", UpstreamUrl("http", "legacy_api", 80)),
        ("http://orders.:80", UpstreamUrl("http", "orders.", 80)),
        ("http://[::1]:8000/v2", UpstreamUrl("http", "::1", 8000, None, "/v2")),
        ("https://b/v2/", UpstreamUrl("https", "b", 443, None, "/v2")),
        ("https://b/v2/%C3%A9?key=1&b", UpstreamUrl("https", "b", 443, None, "/v2/%C3%A9", "key=1&b")),
        ("http://b?s=t", UpstreamUrl("http", "b", 80, None, "", "s=t")),
        ("unix:/run/api.sock", UpstreamUrl("http", "localhost", 80, "/run/api.sock")),
        ("unix:/run/api.sock:/base/?q", UpstreamUrl("http", "localhost", 80, "/run/api.sock", "/base", "q")),
        ("unix:/run/api.sock:/", UpstreamUrl("http", "localhost", 80, "/run/api.sock")),
    ],
)
def test_the_url_of_an_upstream(text: str, url: UpstreamUrl) -> None:
    """The url of an upstream."""
    assert parse_upstream_url(text) == url


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "missing URL"),
        ("localhost:8000", "write http://localhost:8000"),
        ("//localhost:8000", "write http://localhost:8000"),
        ("http:localhost", "write http://localhost$"),
        ("ftp://x", "invalid scheme 'ftp'"),
        ("ws://x/chat", "write http://x/chat"),
        ("wss://x", "write https://x"),
        ("http://", "missing host"),
        ("http:///x", "write http://x$"),
        ("http://:80", "missing host"),
        ("http://x:0", "port 0"),
        ("http://x:99999", "at most 65535"),
        ("http://x:80:80", "needs brackets"),
        ("http://x/#a", "fragment"),
        ("http://x /", "remove the ' '"),
        ("http://x/a\tb", "%09"),
        ("http://bücher.example/a", "xn--bcher-kva.example"),
        ("http://x/é", "%C3%A9"),
        ("http://x/a//b", "without '//'"),
        ("http://x/a/../b", "without '//'"),
        ("http://x/%zz", "not a percent-escape"),
        ("http://x\\y", "invalid host"),
        ("http://x/a\\b", "backslash"),
        ("unix:api.sock", "path must be absolute"),
        ("unix:/run/a.sock:base", "begins with '/'"),
    ],
)
def test_the_message_about_an_invalid_url_has_the_right_one(text: str, said: str) -> None:
    """An invalid upstream URL is refused with the correct one."""
    with pytest.raises(RefusedError, match=said):
        parse_upstream_url(text)


def test_a_password_in_a_url_is_prohibited_and_not_repeated() -> None:
    """A password in a url is prohibited and not repeated."""
    with pytest.raises(RefusedError) as refused:
        parse_upstream_url("http://user:hunter2@x/")
    assert refused.value.reason == "prohibited"
    assert "hunter2" not in refused.value.message


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("api.example.com", ("api.example.com", None)),
        ("API.Example.com:8443", ("api.example.com", 8443)),
        ("[::0:1]:80", ("[::1]", 80)),
        ("127.0.0.1", ("127.0.0.1", None)),
    ],
)
def test_the_host_of_a_route(text: str, host: tuple[str, int | None]) -> None:
    """The host of a route."""
    assert addresses.parse_route_host(text) == host


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("https://api.example.com", "host has no scheme"),
        ("api.example.com/x", "host has no scheme"),
        ("*api.example.com", "whole leading labels"),
        ("api.example.com.", "final dot"),
        ("api.example.com:0", "port 0"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("-a.example", "invalid host"),
        ("a..b", "invalid host"),
        ("a" * 64 + ".b", "invalid host"),
        (".".join(["abcdefg"] * 40), "invalid host"),
    ],
)
def test_a_host_that_no_request_has_is_refused(text: str, said: str) -> None:
    """A host that no request has is refused."""
    with pytest.raises(RefusedError, match=said):
        addresses.parse_route_host(text)


def test_names_of_the_admin_listener_have_no_port() -> None:
    """Names of the admin listener have no port."""
    assert addresses.parse_admin_host("Cors.Internal") == "cors.internal"
    with pytest.raises(RefusedError, match=r"it applies to every port: write cors\.internal"):
        addresses.parse_admin_host("cors.internal:8081")


def test_the_domain_of_a_cookie_has_no_leading_dot() -> None:
    """The domain of a cookie has no leading dot."""
    assert addresses.parse_cookie_domain("Example.com") == "example.com"
    with pytest.raises(RefusedError, match="leading dot"):
        addresses.parse_cookie_domain(".example.com")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Billing", "billing"),
        ("a_b.internal.", "a_b.internal."),
        ("10.0.0.1", "10.0.0.1"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("[::1]", "::1"),
    ],
)
def test_a_name_to_ask_a_tls_server_for_is_a_host(text: str, name: str) -> None:
    """It is handed to the TLS library as it is, so an IPv6 address loses its brackets."""
    assert addresses.parse_server_name(text) == name


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a b", "invalid host 'a b'"),
        (".x", "invalid host"),
        ("x..y", "invalid host"),
        ("a" * 64, "invalid host"),
        ("a\0", "invalid host"),
        ("", "missing host"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("*.example.com", "write www.example.com"),
        ("https://a.example/x", "write a.example"),
        ("a.example:443", "write a.example"),
        ("1.2.3", "invalid IPv4"),
        ("::g", "invalid IPv6"),
    ],
)
def test_an_invalid_server_name_is_refused(text: str, said: str) -> None:
    """Until now each request to such an upstream was a 500 with a traceback in the log."""
    with pytest.raises(RefusedError) as refused:
        addresses.parse_server_name(text)
    assert said in str(refused.value)


def test_a_network_is_an_address_or_cidr() -> None:
    """A network is an address or cidr."""
    assert addresses.parse_network("10.0.0.0/8") == ipaddress.ip_network("10.0.0.0/8")
    assert addresses.parse_network("10.1.2.3") == ipaddress.ip_network("10.1.2.3/32")
    assert addresses.parse_network("fd00::/8") == ipaddress.ip_network("fd00::/8")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("10.0.0.1/8", "write 10.0.0.0/8"),
        ("fd00::1/8", "write fd00::/8"),
        ("localhost", "expected an address"),
        ("10.0.0.0/33", "expected an address"),
        ("", "expected an address"),
        ("8", "expected an address"),
    ],
)
def test_an_invalid_network_is_refused(text: str, said: str) -> None:
    """Host bits, a bad mask or a name is refused, with the network if it can be guessed."""
    with pytest.raises(RefusedError, match=said):
        addresses.parse_network(text)


@given(st.one_of(st.text(), st.text(alphabet="htps:/[]@#?%.0189aé\\ *unix-_")))
def test_no_text_raises_anything_but_a_refusal(text: str) -> None:
    """No text raises anything but a refusal."""
    for parse in (
        addresses.parse_listen,
        parse_upstream_url,
        addresses.parse_route_host,
        addresses.parse_admin_host,
        addresses.parse_host_header,
        addresses.parse_cookie_domain,
        addresses.parse_server_name,
        addresses.parse_network,
    ):
        assert refusal(parse, text).isprintable()


def test_a_host_has_at_most_253_characters() -> None:
    """RFC 1035 section 2.3.4, without the length bytes at both ends; a final dot is not counted."""
    longest = ".".join(["a" * 63] * 3 + ["a" * 61])
    assert addresses.parse_host(longest) == longest
    assert addresses.parse_host(f"{longest}.") == f"{longest}."
    assert refusal(addresses.parse_host, f"{longest}a").startswith("invalid host")
