"""Warnings about regular expressions that are probably not intended."""

from __future__ import annotations

import pytest

from corsproxy.cors import policy_warnings
from corsproxy.cors.regexes import has_loose_dot, intended
from tests.cors.tables import regex, spec


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (r"https://a.example", True),
        (r"https://pr-[0-9]+.example\.net", True),
        (r"https://a\.b.com", True),
        (r"https://a.(b|c)\.com", True),
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
    ("text", "rule", "right"),
    [
        (r"/https://a\.com/", "no slashes around it", r"https://a\.com"),
        (r"https://a\.com/", "no trailing slash", r"https://a\.com"),
        (r"^https://a\.com/.*$", "no trailing slash", r"^https://a\.com"),
        (r"https://a\.com:443", "default port", r"https://a\.com"),
        (r"http://localhost:80", "default port", r"http://localhost"),
        (r"https://A\.com", "lower case", r"https://a\.com"),
        (r"https://\S+\.Example\.com", "lower case", r"https://\S+\.example\.com"),
        (r"a\.example\.com", "begins with its scheme", r"https://a\.example\.com"),
        (r"/https://A\.com:443/", "slashes around it and browsers omit", r"https://a\.com"),
    ],
)
def test_an_expression_that_matches_no_origin_is_put_right(text: str, rule: str, right: str) -> None:
    """The rules that it breaks are named, and the expression that was meant, as far as it is known."""
    rules, meant = intended(text)
    assert rule in rules
    assert meant == right
    [problem] = policy_warnings(spec(regex(text)))
    assert f"write '{right}'" in problem.message
    assert policy_warnings(spec(regex(right))) == ()


@pytest.mark.parametrize(
    "text",
    [r"a+", r"https://[A-Z]{3,}[0-9!]", r"https://a\.com/api", r"/https://a\.com\/", r"https://(?P<A>a)(?P<a>B)"],
)
def test_without_a_guess_only_the_fault_is_reported(text: str) -> None:
    """An expression without matches is reported with the correct beginning, also where a correction would break it."""
    [problem] = policy_warnings(spec(regex(text), "https://app.example.com"))
    assert "no origin that a browser sends matches it in full" in problem.message
    assert problem.message.endswith("; begin it with 'https://'")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (r"https://a.b\.example\.com", "an unescaped dot matches any character; write '\\.' for a dot"),
        (
            r"https://a\.com:443",
            r"no origin that a browser sends matches it in full: browsers omit the default port; write 'https://a\.com'",
        ),
        (r"https://a\.com/api", "no origin that a browser sends matches it in full; begin it with 'https://'"),
    ],
)
def test_a_doubt_is_a_warning_with_its_remedy(text: str, message: str) -> None:
    """All of it, with credentials too."""
    for credentials in (False, True):
        [problem] = policy_warnings(spec("https://app.example.com", regex(text), allow_credentials=credentials))
        assert (problem.field, problem.index, problem.value) == ("allow_origins", 1, text)
        assert (problem.reason, problem.severity) == ("invalid", "warning")
        assert problem.message == f"origin '{text}': {message}"
