"""The strict parser for what a configuration says of origins, and how it agrees with the bounded one."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from corsproxy.cors import Pattern, PatternError, PatternKind, parse_origin, parse_pattern, parse_regex

EXACT, SUBDOMAINS, LABEL = PatternKind.EXACT, PatternKind.SUBDOMAINS, PatternKind.LABEL


@pytest.mark.parametrize(
    "pattern",
    [
        Pattern("*", PatternKind.ANY),
        Pattern("null", PatternKind.NULL),
        Pattern("https://example.com", EXACT, "https", "example.com"),
        Pattern("http://example.com:8080", EXACT, "http", "example.com", 8080),
        Pattern("http://localhost:*", EXACT, "http", "localhost", None, any_port=True),
        Pattern("http://[::1]:*", EXACT, "http", "[::1]", None, any_port=True),
        Pattern("http://127.0.0.1:3000", EXACT, "http", "127.0.0.1", 3000),
        Pattern("https://example.com:65535", EXACT, "https", "example.com", 65535),
        Pattern("https://example.com.", EXACT, "https", "example.com."),
        Pattern("app://obsidian.md", EXACT, "app", "obsidian.md"),
        Pattern("https://*.example.com", SUBDOMAINS, "https", "example.com"),
        Pattern("https://*.example.com:8443", SUBDOMAINS, "https", "example.com", 8443),
        Pattern("http://*.localhost:*", SUBDOMAINS, "http", "localhost", None, any_port=True),
        Pattern("https://a-*-b.example.com", LABEL, "https", "example.com", prefix="a-", suffix="-b"),
        Pattern("https://*-b.example.com:8443", LABEL, "https", "example.com", 8443, suffix="-b"),
        Pattern("https://a-*.example.com:*", LABEL, "https", "example.com", None, any_port=True, prefix="a-"),
    ],
    ids=lambda pattern: pattern.text,
)
def test_patterns_are_read(pattern: Pattern) -> None:
    """Each form of pattern is parsed to its parts."""
    assert parse_pattern(pattern.text) == pattern


# What is written, the spelling that the message proposes, and a word that names the rule.
_REFUSED = [
    ("https://example.com/", "https://example.com", "trailing slash"),
    ("https://example.com/path", "https://example.com", "path"),
    ("https://example.com?q", "https://example.com", "query"),
    ("https://example.com#f", "https://example.com", "fragment"),
    ("https://Example.com", "https://example.com", "lower case"),
    ("HTTPS://example.com", "https://example.com", "lower case"),
    ("HTTPS://User@Example.COM:443/x", "https://example.com", "user information"),
    ("https://example.com:443", "https://example.com", "default port"),
    ("http://example.com:80", "http://example.com", "default port"),
    ("https://*.example.com:443", "https://*.example.com", "default port"),
    ("https://example.com:08443", "https://example.com:8443", "leading zeros"),
    ("https://example.com:", "https://example.com", "scheme://host"),
    ("https://user:pw@example.com", "https://example.com", "user information"),
    ("https://bücher.example", "https://xn--bcher-kva.example", "ASCII"),
    ("https://*.bücher.example", "https://*.xn--bcher-kva.example", "ASCII"),
    ("https://straße.example", "https://xn--strae-oqa.example", "ASCII"),
    ("https://a。example", "https://a.example", "ASCII"),
    ("example.com", "https://example.com", "scheme"),
    ("localhost:3000", "http://localhost:3000", "scheme"),
    ("//example.com", "https://example.com", "scheme"),
    ("*.example.com", "https://*.example.com", "scheme"),
    (" https://example.com ", "https://example.com", "white space"),
    ("http://[0:0:0:0:0:0:0:1]:3000", "http://[::1]:3000", "IPv6"),
    ("http://[::FFFF:127.0.0.1]", "http://[::ffff:7f00:1]", "IPv6"),
    ("http://[::1", "http://[::1]", "IPv6"),
    ("::1", "http://[::1]", "scheme"),
    ("NULL", None, "no browser sends it"),
    ("null ", None, "no browser sends it"),
    ("https://.*.example.com", None, "leftmost label"),
    ("http://127.1", None, "IPv4"),
    ("http://127.0.0.01", None, "IPv4"),
    ("https://example.com, https://b.example", None, "item"),
    ("https://example.com https://b.example", None, "item"),
    ("*://example.com", None, "scheme cannot have a star"),
    ("http*://example.com", None, "scheme cannot have a star"),
    ("https://(a|b).example", None, "regex"),
    (r"https://a\.example", None, "regex"),
    ("https://example.com:0", None, "port 0"),
    ("https://example.com:65536", None, "65535"),
    ("https://example.com:" + "9" * 5000, None, "65535"),
    ("https://example.com:8*", None, "scheme://host"),
    ("https://", None, "the host is missing"),
    ("https://a..b", None, "scheme://host"),
    ("https://" + "a" * 64 + ".com", None, "scheme://host"),
    ("https://exa mple.com", None, "item"),
    ("a" * 65 + "://b", None, "scheme://host"),
    ("", None, "empty"),
    ("   ", None, "empty"),
    ("https://*", None, "domain after it"),
    ("https://*:8443", None, "domain after it"),
    ("http://shop-*", None, "domain after it"),
    ("https://a.*.example.com", None, "leftmost label"),
    ("https://example.*", None, "leftmost label"),
    ("https://*.*.example.com", None, "leftmost label"),
    ("https://*-*.example.com", None, "at most one star"),
    ("https://**.example.com", None, "at most one star"),
    ("https://shop*.example.com", None, "needs a hyphen"),
    ("https://*shop.example.com", None, "needs a hyphen"),
    ("https://s*p.example.com", None, "needs a hyphen"),
    ("https://shop-*x.example.com", None, "needs a hyphen"),
    ("https://" + "a" * 62 + "-*.example.com", None, "63"),
    ("https://*." + "a." * 126 + "a", None, "domain name"),
    ("https://*.0.0.1", None, "domain name"),
    ("https://*.a..b", None, "domain name"),
    ("edge-extension://*", None, "whole hosts of extensions (chrome-extension://*, moz-extension://*"),
    ("chrome-extension://a*", None, "http and https"),
    ("chrome-extension://*:*", None, "ports are for http and https"),
    ("capacitor://localhost:*", None, "http and https"),
    ("ws://*.example.com", None, "http and https"),
]


@pytest.mark.parametrize(("text", "spelling", "word"), _REFUSED, ids=[repr(text)[:60] for text, _, _ in _REFUSED])
def test_anything_else_is_refused_with_the_way_out(text: str, spelling: str | None, word: str) -> None:
    """A text that is no pattern is refused with its rule and, where one can be guessed, the right spelling."""
    with pytest.raises(PatternError) as caught:
        parse_pattern(text)

    assert caught.value.spelling == spelling
    assert word in caught.value.rule
    assert (f"write '{spelling}'" in str(caught.value)) is (spelling is not None)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("(", "does not compile"),
        ("[a", "at character 1"),
        ("*", "nothing to repeat"),
        ("a{99999999999999999999}", "repeats or nests too much"),
        ("", "is empty"),
    ],
)
def test_a_regex_that_does_not_compile_is_refused(text: str, word: str) -> None:
    """The message says what is wrong with the expression, and where."""
    with pytest.raises(PatternError, match=word):
        parse_regex(text)


_LABEL = st.text(alphabet="az09-_", min_size=1, max_size=8)
_HOSTS = st.one_of(
    st.lists(_LABEL, min_size=1, max_size=4).map(".".join),
    st.ip_addresses(v=4).map(str),
    st.ip_addresses(v=6).map(lambda address: f"[{address.compressed}]"),
)
_PORTS = st.one_of(st.just(""), st.integers(0, 70000).map(lambda port: f":{port}"))
_ORIGINS = st.builds(
    lambda scheme, host, port: f"{scheme}://{host}{port}", st.sampled_from(["http", "https", "app"]), _HOSTS, _PORTS
)
_NEAR_ORIGINS = st.one_of(_ORIGINS, st.builds(lambda origin, junk: origin + junk, _ORIGINS, st.text(max_size=3)))


@given(_NEAR_ORIGINS)
def test_both_parsers_agree(text: str) -> None:
    """Without a star, the strict parser accepts exactly what the bounded one does, with the same result."""
    assume("*" not in text and text != "null")
    try:
        strict = parse_pattern(text).origin
    except PatternError:
        strict = None

    assert strict == parse_origin(text.encode("utf-8", "surrogatepass"))


def _proposed(text: str) -> str | None:
    """Return the spelling proposed for `text`; None if it is a pattern, or nothing is proposed."""
    try:
        parse_pattern(text)
    except PatternError as error:
        return error.spelling
    return None


@given(st.text(max_size=80))
def test_no_text_makes_the_strict_parser_raise_anything_else(text: str) -> None:
    """Any text is a pattern or a `PatternError`, and a proposed spelling is always a pattern."""
    spelling = _proposed(text)

    assert spelling is None or parse_pattern(spelling).text == spelling


@given(st.text(alphabet="htps:/[]@.*-_%019afxzAZß。() \\", max_size=60).map(lambda text: "https://" + text))
def test_no_near_pattern_makes_the_strict_parser_raise_anything_else(text: str) -> None:
    """Text that looks like an origin is a pattern or a `PatternError`, and a proposed spelling is always a pattern."""
    spelling = _proposed(text)

    assert spelling is None or parse_pattern(spelling).text == spelling


@given(st.text(alphabet="(|)?:*+[]^$\\.{,1}ahtps/", max_size=30))
def test_no_regex_makes_the_parser_raise_anything_else(text: str) -> None:
    """Any expression compiles or is a `PatternError`."""
    try:
        regex = parse_regex(text).regex
    except PatternError:
        return
    assert regex is not None
    assert regex.pattern == text


def test_a_scheme_has_at_most_64_characters() -> None:
    """As in the Origin of a request."""
    assert parse_pattern(f"{'a' * 64}://x").scheme == "a" * 64
    assert parse_origin(f"{'a' * 64}://x".encode()) is not None
    with pytest.raises(PatternError):
        parse_pattern(f"{'a' * 65}://x")
    assert parse_origin(f"{'a' * 65}://x".encode()) is None


@pytest.mark.parametrize(("scheme", "port"), [("http", 80), ("https", 443), ("ws", 80), ("wss", 443), ("ftp", 21)])
def test_a_default_port_is_never_written(scheme: str, port: int) -> None:
    """The next port is (https://url.spec.whatwg.org/#default-port)."""
    assert parse_origin(f"{scheme}://a:{port}".encode()) is None
    assert parse_origin(f"{scheme}://a:{port + 1}".encode()) is not None
