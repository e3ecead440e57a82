"""Route paths and prefixes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corsproxy.config import paths
from corsproxy.config.problems import RefusedError
from tests.config.files import refusal


@pytest.mark.parametrize(
    ("path", "exact", "segments"),
    [
        ("/", False, ()),
        ("/", True, ()),
        ("/orders", False, ("orders",)),
        ("/orders/", False, ("orders",)),
        ("/orders/", True, ("orders", "")),
        ("/orders/{id}", False, ("orders", None)),
        ("/{a}/x/{b-c}/", True, (None, "x", None, "")),
        ("/v1/a:b@c;d=e,f!$&'()+~._-", False, ("v1", "a:b@c;d=e,f!$&'()+~._-")),
        ("/caf%C3%A9/a%20b", False, ("caf%C3%A9", "a%20b")),
        ("/a%2Ab", False, ("a%2Ab",)),
    ],
)
def test_a_path_is_split_into_segments(path: str, exact: bool, segments: tuple[str | None, ...]) -> None:
    """A path is split into segments."""
    assert paths.parse_route_path(path) == path
    assert paths.segments(path, exact=exact) == segments


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("", "begins with '/'"),
        ("orders", r"write /orders$"),
        ("https://x/orders", r"write /orders$"),
        ("/a?b=c", "has no query"),
        ("/a#b", "has no fragment"),
        ("//", r"write /$"),
        ("/a//b", r"write /a/b$"),
        ("/a//", r"write /a$"),
        ("/./a", r"write /a$"),
        ("/a/..", r"write /$"),
        ("/a b", r"write /a%20b$"),
        ("/café", r"write /caf%C3%A9$"),
        ("/caf%c3%a9", r"write /caf%C3%A9$"),
        ("/%61bc", r"write /abc$"),
        ("/a\tb", r"write /a%09b$"),
        ('/a"b|c^', r"write /a%22b%7Cc%5E$"),
        ("/100%", "escape of two hexadecimal digits"),
        ("/a%4", "escape of two hexadecimal digits"),
        ("/orders/*", r"write /orders$"),
        ("/orders/**", r"write /orders$"),
        ("/*", r"write /$"),
        ("/*/x", r"write /\{name\}/x$"),
        ("/a{b}", r"not a \{name\}"),
        ("/{}", r"not a \{name\}"),
        ("/{a}{b}", r"not a \{name\}"),
        ("/{a b}", r"not a \{name\}"),
        ("/{a", r"not a \{name\}"),
    ],
)
def test_the_message_about_a_path_that_never_matches_has_the_right_one(path: str, said: str) -> None:
    """A path that never matches is refused with the correct one."""
    with pytest.raises(RefusedError, match=said) as refused:
        paths.parse_route_path(path)
    assert refused.value.reason == "invalid"


@pytest.mark.parametrize("path", ["/a%2Fb", "/a%2fb", "/%2e%2e/b", "/a%5Cb", "/a%252Fb", "/a\\b"])
def test_a_path_that_two_servers_read_differently_is_unreachable(path: str) -> None:
    """A path that two servers read differently is unreachable."""
    with pytest.raises(RefusedError, match="refused") as refused:
        paths.parse_route_path(path)
    assert refused.value.reason == "unreachable"


@pytest.mark.parametrize(
    ("path", "prefix"), [("/", ""), ("/a/b", "/a/b"), ("/a/b/", "/a/b"), ("/a/{x}/b", "/a"), ("/{x}", "")]
)
def test_the_literal_prefix_ends_before_the_first_name(path: str, prefix: str) -> None:
    """The literal prefix ends before the first name."""
    assert paths.literal_prefix(path) == prefix


@pytest.mark.parametrize(
    ("prefix", "path", "whole"),
    [
        ("/a", "/a/b", True),
        ("/a/b", "/a/b", True),
        ("/a", "/a/{x}", True),
        ("/", "/a", True),
        ("/", "/{x}", True),
        ("/a", "/ab", False),
        ("/b", "/a/b", False),
        ("/a/b/c", "/a/b", False),
    ],
)
def test_a_prefix_is_made_of_whole_segments(prefix: str, path: str, whole: bool) -> None:
    """A prefix is made of whole segments."""
    assert paths.is_whole_prefix(prefix, path) is whole


def test_a_prefix_is_literal_and_has_no_trailing_slash() -> None:
    """A prefix is literal and has no trailing slash."""
    assert paths.parse_strip_prefix("/a/b/") == "/a/b"
    assert paths.parse_strip_prefix("/") == "/"
    with pytest.raises(RefusedError, match="literal"):
        paths.parse_strip_prefix("/a/{b}")


@given(st.one_of(st.text(), st.text(alphabet="/{}ab%25CcFf.\\*?# é").map("/{}".format)))
def test_the_spelling_that_a_refusal_shows_is_accepted(text: str) -> None:
    """Nobody is sent from one refusal to the next."""
    _, shown, right = refusal(paths.parse_route_path, text).partition("as it is sent: write ")
    if shown:
        assert paths.parse_route_path(right) == right
