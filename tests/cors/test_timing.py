"""The origins that Timing-Allow-Origin can list, and the warning about the others."""

from __future__ import annotations

import pytest

from corsproxy.cors import OriginSpec, PolicySpec, policy_warnings
from corsproxy.cors.timing import MOST_BYTES
from tests.cors.tables import APP, policy, regex, spec

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


def test_only_exact_origins_are_listed() -> None:
    """Patterns, expressions, `null` and duplicates are not listed."""
    listed = policy(
        APP, "https://*.example.com", regex(r"https://a\.example"), "null", APP, "http://localhost:*", "https://b.example",
        timing=True, dangerously_allow=("null_origin",),
    )  # fmt: skip
    assert listed.timing_without_origin == APP.encode() + b", https://b.example"


def test_the_list_is_bounded() -> None:
    """As many whole origins as fit into 4 KiB, from the first on; a warning says how many."""
    value = policy(*MANY, timing=True).timing_without_origin
    listed = value.decode().split(", ")
    assert tuple(listed) == MANY[: len(listed)]
    assert len(value) <= MOST_BYTES < len(value) + len(f", {MANY[0]}")
    (warning,) = policy_warnings(spec(*MANY, timing=True))
    assert f"only the first {len(listed)} of 200 origins" in warning.message


@pytest.mark.parametrize(("credentials", "warnings"), [(True, 1), (False, 0)])
def test_a_star_beside_a_file(credentials: bool, warnings: int) -> None:
    """With credentials the field follows the Origin, and without one it lacks a file's origins."""
    made = PolicySpec((OriginSpec("*"), FROM_FILE), timing=True, allow_credentials=credentials)
    assert [problem.field for problem in policy_warnings(made)].count("timing") == warnings


@pytest.mark.parametrize(("more", "listed"), [(2, 64), (3, 63)])
def test_the_list_may_be_filled_to_its_last_byte(more: int, listed: int) -> None:
    """Every comma counts, and there is none before the first."""
    alike = [f"https://{number:046}.example" for number in range(63)]
    value = policy(*alike, f"https://{63:0{46 + more}}.example", timing=True).timing_without_origin
    assert value.count(b"example") == listed
    warned = policy_warnings(spec(*alike, f"https://{63:0{46 + more}}.example", timing=True))
    message = (
        "where a request has no Origin (images, scripts), only the first 63 of 64 origins fit into the 4 KiB of the "
        "list; write the origins that need it as 'timing: [https://...]', or '*'"
    )
    assert [problem.message for problem in warned] == [message] * (listed == 63)
    assert len(value) == (MOST_BYTES if listed == 64 else MOST_BYTES - 66)


def test_a_file_and_a_list_too_long_are_one_warning() -> None:
    """With both reasons."""
    made = PolicySpec((FROM_FILE, *map(OriginSpec, MANY)), timing=True)
    [warning] = policy_warnings(made)
    assert (warning.field, warning.index, warning.reason, warning.severity) == ("timing", None, "missing", "warning")
    assert warning.value is True
    assert warning.message == (
        "where a request has no Origin (images, scripts), the origins of a file are never listed, because every client "
        "could read them and only the first 136 of 200 origins fit into the 4 KiB of the list; write the origins that "
        "need it as 'timing: [https://...]', or '*'"
    )


@pytest.mark.parametrize("timing", [False, (APP,), ()])
def test_without_following_there_is_no_list_for_requests_without_origin(timing: object) -> None:
    """The explicit list is in every response instead."""
    made = policy(APP, timing=timing)
    assert made.timing_without_origin == b""
    assert made.timing_for_all == (APP.encode() if timing == (APP,) else b"")


def test_an_empty_list_names_nobody() -> None:
    """It looks like "for nobody", but the upstream's own field goes on."""
    (warning,) = policy_warnings(spec(APP, timing=()))
    assert (warning.field, warning.index, warning.severity, warning.reason) == ("timing", None, "warning", "missing")
    assert warning.value == ()
    assert "write false" in warning.message


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
    """An explicit list may have any length."""
    assert policy_warnings(quiet) == ()
