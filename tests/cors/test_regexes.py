"""What is read from a regular expression without running it."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from corsproxy.cors.regexes import can_match_insecure, has_loose_dot, matches_no_scheme

_SECURE = [
    r"https://a\.example",
    r"https:\/\/a\.example",
    r"^https://.*$",
    r"\Ahttps://a",
    r"(https://a|https://b)\.example",
    r"(?:https://)a\.example",
    r"https://a|https://b",
    r"[h]ttps://a",
    r"app://.*",
    r"(?:app|https)://a",
    r"https://a|",
    r"http://localhost",
    r"http://localhost:3000",
    r"http://localhost:\d+",
    r"http://localhost(:\d+)?",
    r"http://localhost(?::[0-9]{2,5})?$",
    r"http://127\.0\.0\.1(:[0-9]+)?",
    r"http://127\.\d+\.\d+\.\d+:8080",
    r"http://\[::1\]:3000",
    r"https?://localhost(:\d+)?",
    r"(https?)://localhost:3000",
    r"https://a\.example|http://localhost:3000",
]
_INSECURE = [
    r"http://a\.example",
    r"https?://a\.example",
    r"http(s)?://a\.example",
    r"http(?:s)?://a\.example",
    r"http[s]?://a\.example",
    r"https??://a\.example",
    r"(http|https)://a\.example",
    r"https://a|http://b",
    r"(https://a|http://b)",
    r"((https|(http))://)a",
    r".*",
    r".*\.example",
    r"[a-z]+://a",
    r"\w+://a",
    r"https*://a",
    r"https{0,1}://a",
    r"(?!x)https://a",
    r"(?i)http://a",
    r"http://localhost.*",
    r"http://localhost\.example",
    r"http://localhost(:3000|\.example)",
    r"http://localhost:.*",
    r"http://localhost[0-9]",
    r"http://127\.0\.0\.1\.example",
    r"http://127.0.0.1",
    r"http://127\.0\.0\.\d+\.example",
    r"http://(localhost|a\.example)",
    r"htt(ps|p)://a",
    "()?" * 100 + "http://a",
    # Secure, but more than is read of it.
    "()?" * 100 + "https://a",
]


@pytest.mark.parametrize("text", _SECURE)
def test_expressions_that_match_no_insecure_origin(text: str) -> None:
    """An expression whose every beginning is https, another scheme or plain-http loopback is secure."""
    assert re.compile(text).pattern == text
    assert not can_match_insecure(text)


@pytest.mark.parametrize("text", _INSECURE, ids=lambda text: text[:40])
def test_expressions_that_may_match_an_insecure_origin(text: str) -> None:
    """An expression that may begin with http, or that cannot be read, counts as insecure."""
    assert re.compile(text).pattern == text
    assert can_match_insecure(text)


@given(st.text(alphabet="(|)?:*+[s]^\\.htp/a", max_size=24).map(lambda text: f"http{text}://a"))
def test_no_expression_called_secure_matches_a_plain_http_origin(text: str) -> None:
    """Whatever is written around them, `http://a` is never matched by an expression that is called secure."""
    try:
        regex = re.compile(text)
    except (re.error, Warning):
        assume(False)

    assert can_match_insecure(text) or regex.fullmatch("http://a") is None


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (r"https://a.example", True),
        (r"https://pr-[0-9]+.example\.net", True),
        (r"https://a\.b.com", True),
        (r"https://a\.example", False),
        (r"https://.+\.example\.com", False),
        (r"https://.*", False),
        (r"https://[.a-z]+\.com", False),
        (r"https://[].]com", False),
        (r"https://a\\.com", True),
    ],
)
def test_a_loose_dot_is_one_before_a_word(text: str, answer: bool) -> None:
    """An unescaped dot outside brackets, before a word, was meant as a dot."""
    assert has_loose_dot(text) is answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (r"example\.com", True),
        (r"[a-z]+\.example\.com", True),
        (r"https://example\.com", False),
        (r".*\.example\.com", False),
        (r"[^/]+example", False),
        (r"\S+", False),
        (r"https\x3a//a", False),
    ],
)
def test_an_expression_without_a_colon_matches_nothing(text: str, answer: bool) -> None:
    """Every origin has `://`, so an expression that can match no colon matches no origin."""
    assert matches_no_scheme(text) is answer
