"""Whatever is in the file: settings, or a `ConfigError` with something to read, and nothing else."""

from __future__ import annotations

from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from corsproxy.config import ConfigError, Problem, load_text
from corsproxy.config.declaration import FILE
from corsproxy.config.shape import AnyShape, ListOf, MapOf, Record, Word, walk
from tests.config.files import MINIMAL
from tests.support.examples import examples

SCALARS = st.one_of(
    st.sampled_from(
        ["", "true", "off", "5s", "10MiB", "*", "null", "/a/{b}", "http://x", "${A}", "https://*.a.example", "api"]
    ),
    st.text(max_size=12),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.none(),
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=6,
)
YAML_ISH = st.text(alphabet=":-[]{}#&*!|>'\"%@`,? \n\tabuprs$/\\\x00é\u2028")
KEY_NAMES = [key.name for _, key in walk(FILE)]


def shaped(shape: AnyShape) -> st.SearchStrategy[Any]:
    """Return values of nearly the right shape: keys that exist, now and then with anything below."""
    match shape:
        case Word():
            return SCALARS
        case ListOf():
            return st.one_of(st.lists(shaped(shape.item), max_size=3), ANYTHING)
        case MapOf():
            return st.one_of(
                st.dictionaries(st.sampled_from(["api", "app", "x y"]), shaped(shape.item), max_size=2), ANYTHING
            )
        case Record():
            keys = {key.name: shaped(key.shape) for key in shape.keys}
            return st.one_of(st.fixed_dictionaries({}, optional=keys), SCALARS)


def found_in(text: str) -> tuple[Problem, ...]:
    """Return what is wrong with a text; anything but a `ConfigError` goes on."""
    try:
        return load_text(text, "f.yaml", {"A": "x"}).warnings
    except ConfigError as error:
        assert any(problem.severity == "error" for problem in error.problems)  # noqa: PT017 - no other exception is read
        return error.problems


def try_to_load(text: str) -> None:
    """Load a text; its problems must be readable and have a place."""
    for problem in found_in(text):
        assert problem.message
        assert str(problem).isprintable()
        assert 1 <= problem.line <= len(text.splitlines()) + 1


@given(st.text())
def test_any_text(text: str) -> None:
    """Any text."""
    try_to_load(text)


@given(YAML_ISH)
def test_any_text_that_looks_like_yaml(text: str) -> None:
    """Any text that looks like yaml."""
    try_to_load(text)
    try_to_load(MINIMAL + text)


@settings(max_examples=examples(100))
@given(shaped(FILE))
def test_any_values_under_the_keys_that_exist(values: object) -> None:
    """Any values under the keys that exist."""
    try_to_load(yaml.safe_dump(values, allow_unicode=True))


@given(st.sampled_from(KEY_NAMES), st.lists(st.sampled_from(KEY_NAMES), max_size=2), ANYTHING)
def test_any_key_at_any_level(first: str, levels: list[str], value: object) -> None:
    """Any key at any level."""
    for level in levels:
        value = {level: value}
    try_to_load(MINIMAL + yaml.safe_dump({first: value}, allow_unicode=True))
