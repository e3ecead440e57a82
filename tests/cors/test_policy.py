"""Properties of a compiled policy, and that order and duplicates do not matter."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corsproxy.cors import compile_policy, decide
from tests.cors.tables import APP, actual, policy, preflight, regex, spec

_RULES = policy(
    regex(r"https://[a-z]+\.example\.com"),
    APP,
    "https://*.example.com",
    "https://pr-*.example.com",
    "http://localhost:*",
    "http://localhost:3000",
    "null",
    APP,
    "https://*.example.com:*",
    dangerously_allow=("null_origin",),
)


@pytest.mark.parametrize(
    ("origin", "rule"),
    [
        (b"https://app.example.com", 0),
        (b"https://a.b.example.com", 2),
        (b"https://pr-1.example.com", 2),
        (b"https://pr-1.example.com:444", 8),
        (b"http://localhost:3000", 4),
        (b"null", 6),
        (b"https://example.com", None),
        (b"https://app.example.com/", None),
        (b"", None),
    ],
)
def test_the_first_rule_that_matches_is_named(origin: bytes, rule: int | None) -> None:
    """Of several rules that match, the one named is the first in the list, whatever its kind."""
    assert _RULES.matching_rule(origin) == rule


@pytest.mark.parametrize(
    ("origins", "origin", "answer"),
    [
        ((APP,), APP.encode(), True),
        ((APP,), b"https://b.example", False),
        ((APP,), b"null", False),
        ((APP, "null"), b"null", True),
        (("*",), APP.encode(), False),
        (("*",), b"null", False),
        (("*", APP), APP.encode(), True),
        (("https://*.example.com",), APP.encode(), True),
        (("https://*.example.com",), b"https://app.example.com/", False),
        ((regex(r"https://[a-z.]+"),), APP.encode(), True),
    ],
)
def test_who_is_named(origins: tuple[str, ...], origin: bytes, answer: bool) -> None:
    """By any rule except the star, which names no origin."""
    assert policy(*origins, dangerously_allow=("null_origin",)).allows_by_name(origin) is answer


def test_the_star_is_a_rule_like_any_other() -> None:
    """A star is named where no rule before it matches; without credentials even for malformed origins."""
    everyone = policy(APP, "*")
    reflecting = policy(APP, "*", allow_credentials=True, dangerously_allow=("any_origin_with_credentials",))

    assert everyone.matching_rule(APP.encode()) == reflecting.matching_rule(APP.encode()) == 0
    assert everyone.matching_rule(b"https://b.example") == reflecting.matching_rule(b"https://b.example") == 1
    assert everyone.matching_rule(b"NULL/") == 1
    assert reflecting.matching_rule(b"NULL/") is None
    assert reflecting.matching_rule(b"null") is None


_POOL = [
    "https://app.example.com",
    "https://*.example.com",
    "https://shop-*.example.com:*",
    "http://localhost:*",
    "https://b.example:8443",
    "*",
]
_ASKING = [
    *(b"https://app.example.com", b"https://shop-1.example.com:8", b"http://localhost:1", b"https://b.example:8443"),
    *(b"https://a.b.example.com", b"https://b.example", b"null", b"x"),
]


@given(st.lists(st.sampled_from(_POOL), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_order_and_duplicates_of_origins_change_nothing(origins: list[str], random: object) -> None:
    """A shuffled list with everything twice decides as the list does."""
    assert hasattr(random, "shuffle")
    shuffled = origins * 2
    random.shuffle(shuffled)
    first, second = policy(*origins), policy(*shuffled)

    for origin in _ASKING:
        for request in (actual(origin), preflight(origin, "GET")):
            assert decide(first, request) == decide(second, request)


@given(st.lists(st.sampled_from(["PUT", "put", "PATCH", "GET"]), max_size=6), st.sampled_from(["PUT", "PATCH", "X"]))
def test_duplicates_of_methods_change_nothing(methods: list[str], requested: str) -> None:
    """A list of methods written twice is sent once."""
    once, twice = policy(APP, allow_methods=tuple(methods)), policy(APP, allow_methods=tuple(methods * 2))

    assert decide(once, preflight(APP, requested)) == decide(twice, preflight(APP, requested))


@given(
    st.lists(st.sampled_from(["X-A", "x-a", "Authorization", "*"]), max_size=6),
    st.sampled_from(["x-a", "authorization", "x-b"]),
    st.booleans(),
)
def test_duplicates_of_headers_change_nothing(names: list[str], requested: str, credentials: bool) -> None:
    """A list of header names written twice, in whatever letter case, is sent once."""
    once, twice = (
        policy(APP, allow_headers=listed, expose_headers=("X-A",) * len(listed), allow_credentials=credentials)
        for listed in (tuple(names), tuple(names * 2))
    )

    assert decide(once, preflight(APP, "GET", requested)) == decide(twice, preflight(APP, "GET", requested))
    assert decide(once, actual(APP)) == decide(twice, actual(APP))


def test_policies_of_equal_specs_are_equal() -> None:
    """A reload can tell by comparison whether a policy has changed."""
    written = spec(APP, regex(r"https://a\.example"), allow_headers=("X-A",), dangerously_allow=("null_origin",))
    changed = dataclasses.replace(written, max_age=1)

    assert compile_policy(written) == compile_policy(dataclasses.replace(written))
    assert hash(compile_policy(written)) == hash(compile_policy(dataclasses.replace(written)))
    assert compile_policy(written) != compile_policy(changed)
    assert compile_policy(written).spec is written


def test_a_policy_cannot_be_changed() -> None:
    """A policy, which requests share, is frozen."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        policy(APP).allow_any_origin = True  # type: ignore[misc]  # that is the point


def test_the_properties_of_a_policy() -> None:
    """A policy has properties for what it allows."""
    everyone = policy("*", timing=True)
    named = policy(APP, allow_credentials=True, expose_headers=("*",))

    assert (everyone.allow_any_origin, everyone.allow_credentials, everyone.grants_everyone) == (True, False, True)
    assert (named.allow_any_origin, named.allow_credentials, named.grants_everyone) == (False, True, False)
    assert (everyone.varies_on_origin, named.varies_on_origin) == (False, True)
    assert (everyone.timing, named.timing) == (True, False)
    assert (everyone.exposes_all_names, named.exposes_all_names) == (False, True)
