"""The configuration's text for other people's eyes: what may be a credential is hidden, and no line moves."""

from __future__ import annotations

import pytest

from corsproxy.config.problems import Place, Span
from corsproxy.config.secrets import MASK, masked


def span(begin: tuple[int, int], end: tuple[int, int]) -> Span:
    """Return the span between two places, each a line and a column from 1 on."""
    return Span(Place(*begin), Place(*end), flow=False)


@pytest.mark.parametrize(
    ("text", "spans", "shown"),
    [
        pytest.param("key: secret", [span((1, 6), (1, 12))], f"key: {MASK}", id="on the first line"),
        pytest.param(
            "a: b\nkey: secret # c\n", [span((2, 6), (2, 12))], f"a: b\nkey: {MASK} # c\n", id="on a later one"
        ),
        pytest.param(
            "{a: s1, b: s2}", [span((1, 5), (1, 7)), span((1, 12), (1, 14))], f"{{a: {MASK}, b: {MASK}}}", id="two"
        ),
        pytest.param(
            "{a: s1, b: s2}", [span((1, 12), (1, 14)), span((1, 5), (1, 7))], f"{{a: {MASK}, b: {MASK}}}", id="reversed"
        ),
        pytest.param("a: &x s1\nb: *x", [span((1, 7), (1, 9))] * 2, f"a: &x {MASK}\nb: *x", id="read twice"),
        pytest.param("a: |\n  s1\n  s2\nb: c", [span((1, 4), (4, 1))], f"a: {MASK}\n\n\nb: c", id="of several lines"),
        pytest.param("a: 'x\r\n  y'\r\nb: s", [span((3, 4), (3, 5))], f"a: 'x\r\n  y'\r\nb: {MASK}", id="behind CRLF"),
        pytest.param("a: b\x85c: s", [span((2, 4), (2, 5))], f"a: b\x85c: {MASK}", id="behind NEL"),
        pytest.param("a: b\u2028c: s", [span((2, 4), (2, 5))], f"a: b\u2028c: {MASK}", id="behind a line separator"),
        pytest.param("a: b", [], "a: b", id="nothing to hide"),
    ],
)
def test_the_shown_text_has_no_secret(text: str, spans: list[Span], shown: str) -> None:
    """The mask says nothing of the value, its length included; the lines keep their numbers."""
    assert masked(text, spans) == shown
