"""The words the decision tables are written in: policies, requests and outcomes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from corsproxy.cors import (
    CorsRequest,
    Kind,
    OriginSpec,
    Policy,
    PolicyErrors,
    PolicyProblem,
    PolicySpec,
    Reason,
    compile_policy,
)

APP = "https://app.example.com"


def regex(text: str) -> OriginSpec:
    """A rule written `regex: …`."""
    return OriginSpec(text, is_regex=True)


def spec(*origins: str | OriginSpec, **keys: Any) -> PolicySpec:
    """A policy as written, its origins as plain text or `regex(…)`."""
    listed = tuple(OriginSpec(origin) if isinstance(origin, str) else origin for origin in origins)
    return PolicySpec(listed, **keys)


def policy(*origins: str | OriginSpec, **keys: Any) -> Policy:
    """A compiled policy."""
    return compile_policy(spec(*origins, **keys))


def errors_of(policy_spec: PolicySpec) -> tuple[PolicyProblem, ...]:
    """Every error of a spec; none where it compiles."""
    try:
        compile_policy(policy_spec)
    except PolicyErrors as errors:
        return errors.problems
    return ()


def places(problems: tuple[PolicyProblem, ...]) -> list[tuple[str, int | None, str, object]]:
    """The data of a problem, without its text."""
    return [(problem.field, problem.index, problem.reason, problem.value) for problem in problems]


def text_of(origin: str | OriginSpec) -> str:
    """How an origin is written."""
    return origin if isinstance(origin, str) else origin.text


def actual(*origins: str | bytes, method: str = "GET") -> CorsRequest:
    """A request with these Origin lines."""
    return CorsRequest(method, _lines(origins))


def preflight(origin: str | bytes, method: str | bytes, *headers: str | bytes) -> CorsRequest:
    """A preflight for `method`, with these Access-Control-Request-Headers lines."""
    return CorsRequest("OPTIONS", _lines((origin,)), _lines((method,)), _lines(headers))


def unasked(method: str = "GET") -> CorsRequest:
    """A request without Origin."""
    return CorsRequest(method)


@dataclass(frozen=True)
class Outcome:
    """The expected fields: exactly these, in this order."""

    kind: Kind
    granted: bool
    reason: Reason | None = None
    fields: tuple[tuple[str, str], ...] = ()
    exposes_all_names: bool = False


def grants(kind: Kind, **fields: str) -> Outcome:
    """A grant, or with `Kind.NONE` the same for one that does not ask; fields by their short names, in order."""
    return Outcome(kind, kind is not Kind.NONE, None, _fields(fields))


def refuses(kind: Kind, reason: Reason) -> Outcome:
    """A refusal: no field at all."""
    return Outcome(kind, False, reason)


def only_timing(kind: Kind, origins: str, reason: Reason | None = None) -> Outcome:
    """No grant, but a Timing-Allow-Origin."""
    return Outcome(kind, False, reason, _fields({"tao": origins}))


NOTHING = Outcome(Kind.NONE, False)
"""Not a CORS request, and nothing to say."""

Row = tuple[str, CorsRequest, Outcome]


@dataclass(frozen=True)
class Case:
    """One policy and what it says to each request."""

    name: str
    policy: Policy | None
    varies: bool
    """True if `Origin` belongs in Vary on every response."""
    rows: list[Row]


def each_row(cases: list[Case]) -> Iterator[tuple[Case, Row]]:
    """Every row with its case."""
    for case in cases:
        for row in case.rows:
            yield case, row


_SHORT = {
    "acao": "Access-Control-Allow-Origin",
    "acac": "Access-Control-Allow-Credentials",
    "acam": "Access-Control-Allow-Methods",
    "acah": "Access-Control-Allow-Headers",
    "acma": "Access-Control-Max-Age",
    "aceh": "Access-Control-Expose-Headers",
    "tao": "Timing-Allow-Origin",
}


def _fields(short: dict[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((_SHORT[name], value) for name, value in short.items())


def _lines(values: tuple[str | bytes, ...]) -> tuple[bytes, ...]:
    return tuple(value if isinstance(value, bytes) else value.encode() for value in values)
