"""The `policies` section, read, to compiled policies; what the CORS core refuses is told at the very line.

What may be granted is not judged here: the core does, this names the place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from corsproxy.config.problems import Report, join
from corsproxy.config.reader import BAD, Values
from corsproxy.cors import OriginSpec, PolicyErrors, PolicyProblem, PolicySpec, compile_policy, policy_warnings
from corsproxy.settings import PolicySettings

_LISTS = ("allow_origins", "allow_methods", "allow_headers", "expose_headers", "dangerously_allow")


@dataclass(frozen=True, slots=True)
class CompiledPolicy:
    """A policy as it was written and as it acts."""

    spec: PolicySpec
    settings: PolicySettings


def compile_policies(section: Mapping[str, Any], report: Report) -> dict[str, CompiledPolicy]:
    """Compile the policies that are good; what is wrong with the others is in the report."""
    compiled = {name: _compile(name, values, report) for name, values in section.items() if values is not BAD}
    return {name: policy for name, policy in compiled.items() if policy}


def _compile(name: str, values: Values, report: Report) -> CompiledPolicy | None:
    path = join("policies", name)
    whole = tuple((at, item) for at, item in values["allow_origins"] or () if _origin(item))
    values = {**values, "allow_origins": whole}  # without items whose regex was bad
    spec = _spec(values)
    try:
        policy = compile_policy(spec)
    except PolicyErrors as errors:
        for problem in (*errors.problems, *policy_warnings(spec)):
            _tell(problem, values, path, report)
        return None
    for problem in policy_warnings(spec):
        _tell(problem, values, path, report)
    settings = PolicySettings(
        name,
        policy,
        values["on_refused"],
        values["websockets"],
        values["mode"],
        int(values["preflight_status"]),
    )
    return CompiledPolicy(spec, settings)


def _spec(values: Values) -> PolicySpec:
    """Give what was written, without the list items that were reported already."""
    lists = {key: tuple(item for _, item in values[key] or ()) for key in _LISTS}
    return PolicySpec(
        allow_origins=tuple(filter(None, map(_origin, lists.pop("allow_origins")))),
        allow_credentials=values["allow_credentials"],
        max_age=values["max_age"],
        timing=values["timing"],
        **lists,
    )


def _origin(item: Values) -> OriginSpec | None:
    if item["regex"] is not None:
        return OriginSpec(item["regex"], is_regex=True)
    return OriginSpec(item["origin"]) if "origin" in item else None


def _tell(problem: PolicyProblem, values: Values, path: str, report: Report) -> None:
    where = f"{path}.{problem.field}"
    if problem.index is not None:
        written, _ = values[problem.field][problem.index]
        where = f"{where}[{written}]"
    elif problem.field == "allow_origins" and problem.reason == "missing":
        return  # the key is absent, its list empty, or every item bad: the reader said so
    if problem.severity == "error":
        report.error(where, problem.reason, problem.message)
    else:
        report.warning(where, problem.reason, problem.message)
