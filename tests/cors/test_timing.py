"""Whom Timing-Allow-Origin can list, and what a policy's author is told of the others."""

from __future__ import annotations

import pytest

from corsproxy.cors import OriginSpec, PolicySpec, policy_warnings
from corsproxy.cors.timing import MOST_BYTES
from tests.cors.tables import APP, policy, spec

FROM_FILE = OriginSpec("https://secret.example", in_file=True)
MANY = tuple(f"https://page-{number:03}.example.com" for number in range(200))


def test_an_origin_of_a_file_is_never_listed() -> None:
    """Whoever asks without Origin would read the file; a warning says so."""
    made = PolicySpec((OriginSpec(APP), FROM_FILE), timing=True)
    assert policy(APP, FROM_FILE, timing=True).timing_without_origin == APP.encode()
    (warning,) = policy_warnings(made)
    assert (warning.field, warning.severity) == ("timing", "warning")
    assert "the origins of a file are never listed" in warning.message
    assert "'timing: [https://...]'" in warning.message


def test_the_list_is_bounded() -> None:
    """As many whole origins as fit into 4 KiB, from the first on; a warning says how many."""
    value = policy(*MANY, timing=True).timing_without_origin
    listed = value.decode().split(", ")
    assert tuple(listed) == MANY[: len(listed)]
    assert len(value) <= MOST_BYTES < len(value) + len(f", {MANY[0]}")
    (warning,) = policy_warnings(spec(*MANY, timing=True))
    assert f"only the first {len(listed)} of 200 origins" in warning.message


@pytest.mark.parametrize(
    "quiet",
    [
        spec(APP, timing=True),
        spec("https://*.example.com", timing=True),
        PolicySpec((OriginSpec(APP), FROM_FILE)),
        PolicySpec((OriginSpec(APP), FROM_FILE), timing=(APP,)),
        PolicySpec((OriginSpec(APP), FROM_FILE), timing=("*",)),
        PolicySpec((OriginSpec("*"),), timing=True),
        spec(*MANY, timing=MANY),
    ],
)
def test_where_there_is_nothing_to_warn_of(quiet: PolicySpec) -> None:
    """A list of its own is the author's, as long as it is."""
    assert policy_warnings(quiet) == ()
