"""The decision tables: each policy, each request, and the exact fields that must come out."""

from __future__ import annotations

import pytest

from corsproxy.cors import CorsRequest, Kind, Reason, classify, decide
from tests.cors.decision_methods_headers import METHOD_AND_HEADER_CASES
from tests.cors.decision_origins import ORIGIN_CASES
from tests.cors.decision_policies import POLICY_CASES
from tests.cors.decision_timing import TIMING_CASES
from tests.cors.decision_wildcards import WILDCARD_CASES
from tests.cors.tables import APP, Case, Row, actual, each_row, preflight, unasked

CASES = [*POLICY_CASES, *WILDCARD_CASES, *ORIGIN_CASES, *METHOD_AND_HEADER_CASES, *TIMING_CASES]
ROWS = list(each_row(CASES))


@pytest.mark.parametrize(("case", "row"), ROWS, ids=[f"{case.name}: {row[0]}" for case, row in ROWS])
def test_decision(case: Case, row: Row) -> None:
    """The decision is exactly the row's: kind, grant, reason, fields in order, lines, Vary."""
    _, request, want = row

    decision = decide(case.policy, request)

    assert decision.kind is want.kind
    assert decision.granted is want.granted
    assert decision.reason is want.reason
    fields = [(name.decode(), value.decode("latin-1")) for name, value in decision.fields]
    assert fields == list(want.fields)
    assert decision.block == b"".join(name + b": " + value + b"\r\n" for name, value in decision.fields)
    assert decision.varies_on_origin is case.varies
    assert decision.exposes_all_names is want.exposes_all_names


def test_the_tables_have_no_row_twice() -> None:
    """Each row has a different sentence, and there are at least 150."""
    sentences = [f"{case.name}: {row[0]}" for case, row in ROWS]

    assert len(set(sentences)) == len(sentences)
    assert len(sentences) >= 150


@pytest.mark.parametrize(
    ("request_", "kind"),
    [
        pytest.param(unasked(), Kind.NONE, id="GET without Origin is no CORS request"),
        pytest.param(unasked("OPTIONS"), Kind.NONE, id="OPTIONS without Origin is no CORS request"),
        pytest.param(actual(APP), Kind.ACTUAL, id="GET with Origin is an actual request"),
        pytest.param(actual(APP, method="OPTIONS"), Kind.ACTUAL, id="OPTIONS with Origin alone is an actual request"),
        pytest.param(
            preflight(APP, "PUT"), Kind.PREFLIGHT, id="OPTIONS with Origin and requested method is a preflight"
        ),
        pytest.param(preflight(APP, ""), Kind.PREFLIGHT, id="an empty requested method still makes a preflight"),
    ],
)
def test_classification(request_: CorsRequest, kind: Kind) -> None:
    """Requests are classified as in Fetch."""
    assert classify(request_) is kind


def test_reasons_are_the_closed_list() -> None:
    """The reasons are those documented, and no more."""
    assert {str(reason) for reason in Reason} == {
        "origin_not_allowed",
        "origin_malformed",
        "method_not_allowed",
        "headers_not_allowed",
        "no_policy",
        "credentials_not_allowed",
        "no_route",
    }
