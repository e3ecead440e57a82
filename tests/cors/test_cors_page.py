"""The page that explains CORS says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from corsproxy.cors import DANGERS, Reason, decide
from corsproxy.cors.headers import SAFELISTED_RESPONSE
from corsproxy.cors.origins import MAX_ORIGIN
from corsproxy.cors.request_headers import MAX_BYTES, MAX_EMPTY_ELEMENTS, MAX_NAMES
from tests.cors.tables import actual, policy, regex

_PAGE = (Path(__file__).parents[2] / "docs" / "cors.md").read_text(encoding="utf-8")
_EXAMPLE = re.compile(r"^\| `((?:regex: )?https?://[^`]+)` \| (`.+`) \| (`.+`) \|$", re.MULTILINE)


def _examples() -> list[tuple[str, str, bool]]:
    """Every (rule, origin, whether it matches) of the page's table of patterns."""
    found = []
    for rule, matches, others in _EXAMPLE.findall(_PAGE):
        found += [(rule, origin, True) for origin in re.findall("`([^`]+)`", matches)]
        found += [(rule, origin, False) for origin in re.findall("`([^`]+)`", others)]
    return found


@pytest.mark.parametrize(("rule", "origin", "answer"), _examples())
def test_the_examples_of_patterns_are_true(rule: str, origin: str, answer: bool) -> None:
    """Each origin of the table is matched, or not, as its column says."""
    written = regex(rule.removeprefix("regex: ")) if rule.startswith("regex: ") else rule

    assert decide(policy(written), actual(origin)).granted is answer


def test_the_table_of_patterns_was_found() -> None:
    """The examples above are the page's five rows of real patterns."""
    assert len({rule for rule, _, _ in _examples()}) == 5


def test_every_reason_is_explained_and_no_other() -> None:
    """The last table lists the closed list of reasons."""
    table = _PAGE.partition("## Why a request is refused")[2]

    assert set(re.findall(r"^\| `([a-z_]+)` \|", table, re.MULTILINE)) == {str(reason) for reason in Reason}


def test_every_danger_is_explained() -> None:
    """The page documents every name of `dangerously_allow`."""
    assert [name for name in DANGERS if f"`{name}`" not in _PAGE] == []


def test_the_numbers_are_those_of_the_code() -> None:
    """Limits and lists on the page are the ones in force."""
    assert f"more than {MAX_ORIGIN} bytes" in _PAGE
    assert f"{MAX_NAMES} names and {MAX_BYTES // 1024} KiB" in _PAGE
    assert f"up to {MAX_EMPTY_ELEMENTS} empty elements" in _PAGE
    safelisted = re.search(r"safelisted response header fields \((.*?)\)", _PAGE)
    assert safelisted is not None
    assert {name.lower().encode() for name in re.findall("`([^`]+)`", safelisted[1])} == SAFELISTED_RESPONSE
