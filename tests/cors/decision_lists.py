"""Decisions among several policies, of own pages, and refusals that the browser is to name."""

from __future__ import annotations

from corsproxy.cors import CorsRequest, Decision, Kind, Policy, Reason
from tests.cors.tables import APP, actual, policy, preflight, unasked

STAFF = "https://staff.example.com"
EVIL = "https://evil.example"
_STAFF = policy(STAFF, allow_credentials=True, allow_methods=("PUT",), max_age=5)
_PUBLIC = policy("*")
_APP = policy(APP, allow_headers=("X-A",))

Row = tuple[str, tuple[Policy, ...], CorsRequest, tuple[Kind, bool, Reason | None, str, int]]
"""Sentence, policies, request; kind, granted, reason, Access-Control-Allow-Origin, place of the policy."""

ROWS: list[Row] = [
    ("the first whose origins pass decides", (_STAFF, _PUBLIC), actual(STAFF), (Kind.ACTUAL, True, None, STAFF, 0)),
    ("everybody else has the second", (_STAFF, _PUBLIC), actual(EVIL), (Kind.ACTUAL, True, None, "*", 1)),
    ("null has it too", (_STAFF, _PUBLIC), actual("null"), (Kind.ACTUAL, True, None, "*", 1)),
    ("without an Origin there is no grant", (_STAFF, _PUBLIC), unasked(), (Kind.NONE, False, None, "", 1)),
    (
        "the policy whose origin passes refuses the method, whatever the next would say",
        (_STAFF, policy("*", allow_methods=("*",))),
        preflight(STAFF, "DELETE"),
        (Kind.PREFLIGHT, False, Reason.METHOD_NOT_ALLOWED, "", 0),
    ),
    (
        "the headers are that policy's too",
        (_APP, _PUBLIC),
        preflight(APP, "GET", "x-b"),
        (Kind.PREFLIGHT, False, Reason.HEADERS_NOT_ALLOWED, "", 0),
    ),
    (
        "who is named nowhere is refused by the last",
        (_STAFF, _APP),
        actual(EVIL),
        (Kind.ACTUAL, False, Reason.ORIGIN_NOT_ALLOWED, "", 1),
    ),
    (
        "what is no origin is refused by the last",
        (_STAFF, _APP),
        actual("https://A"),
        (Kind.ACTUAL, False, Reason.ORIGIN_MALFORMED, "", 1),
    ),
    ("the last has its turn", (_STAFF, _APP), preflight(APP, "GET", "x-a"), (Kind.PREFLIGHT, True, None, APP, 1)),
]


def said(decision: Decision) -> tuple[Kind, bool, Reason | None, str, int]:
    """Return what a row tells of a decision."""
    acao = dict(decision.fields).get(b"Access-Control-Allow-Origin", b"").decode()
    return decision.kind, decision.granted, decision.reason, acao, decision.policy
