"""Compile a `PolicySpec` to a `Policy`, or to a list of all its problems.

This is the front door; the rules for each key are in `origin_rules` and `name_rules`.
"""

from __future__ import annotations

from corsproxy.cors.decision import preflight_tail
from corsproxy.cors.headers import ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_EXPOSE_HEADERS
from corsproxy.cors.index import build_index
from corsproxy.cors.methods import normalize
from corsproxy.cors.name_rules import check_dangers, check_exposed, check_headers, check_max_age, check_methods
from corsproxy.cors.origin_rules import check_origins
from corsproxy.cors.patterns import Pattern, PatternKind
from corsproxy.cors.policy import FieldBlock, Policy
from corsproxy.cors.problems import PolicyErrors, PolicyProblem
from corsproxy.cors.request_headers import MAX_BYTES, MAX_NAMES
from corsproxy.cors.spec import WILDCARD, PolicySpec
from corsproxy.cors.timing import check_timing, value_for_all, value_without_origin


def compile_policy(spec: PolicySpec) -> Policy:
    """Return the compiled policy; raise `PolicyErrors` with all errors of the spec."""
    patterns, problems = _check(spec)
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors:
        raise PolicyErrors(errors)
    return _compile(spec, patterns)


def check_policy(spec: PolicySpec) -> tuple[Policy | None, tuple[PolicyProblem, ...]]:
    """Return the compiled policy, None if the spec has errors, and all errors and warnings."""
    patterns, problems = _check(spec)
    is_good = all(problem.severity == "warning" for problem in problems)
    return _compile(spec, patterns) if is_good else None, tuple(problems)


def policy_warnings(spec: PolicySpec) -> tuple[PolicyProblem, ...]:
    """Return the warnings about a spec, whether or not it compiles."""
    return tuple(problem for problem in _check(spec)[1] if problem.severity == "warning")


def _check(spec: PolicySpec) -> tuple[list[tuple[int, Pattern]], list[PolicyProblem]]:
    patterns, problems = check_origins(spec)
    problems += check_methods(spec.allow_methods)
    problems += check_headers(spec.allow_headers)
    problems += check_exposed(spec.expose_headers)
    problems += check_max_age(spec.max_age)
    problems += check_timing(spec)
    problems += check_dangers(spec.dangerously_allow)
    return patterns, problems


def _compile(spec: PolicySpec, patterns: list[tuple[int, Pattern]]) -> Policy:
    """Return the policy of a spec without errors."""
    any_origin_rule = _first(patterns, PatternKind.ANY)
    null_rule = _first(patterns, PatternKind.NULL)
    methods = list(dict.fromkeys(normalize(method.encode("ascii")) for method in spec.allow_methods))
    headers = _distinct(spec.allow_headers)
    names = frozenset(headers) - {b"*"}
    any_method, any_header = WILDCARD in spec.allow_methods, WILDCARD in spec.allow_headers
    lists_requested = spec.allow_credentials and (any_method or any_header)
    methods_value = _methods_value(methods, spec.allow_credentials)
    headers_value = _headers_value(headers, spec.allow_credentials)
    return Policy(
        spec=spec,
        allow_any_origin=any_origin_rule is not None,
        allow_null=null_rule is not None,
        any_origin_rule=any_origin_rule,
        null_rule=null_rule,
        origins=build_index(patterns),
        methods=frozenset(methods) - {b"*"},
        allow_any_method=any_method,
        header_names=names,
        allow_any_header=any_header,
        max_requested_names=MAX_NAMES + len(names),
        max_requested_bytes=MAX_BYTES + sum(map(len, names)),
        methods_value=methods_value,
        headers_value=headers_value,
        method_names=tuple(method for method in methods if method != b"*"),
        header_list=tuple(headers[name] for name in headers if name != b"*"),
        preflight=None
        if lists_requested
        else preflight_tail(spec.allow_credentials, methods_value, headers_value, spec.max_age),
        actual=_actual(spec),
        timing_for_all=value_for_all(spec),
        timing_without_origin=value_without_origin(spec),
    )


def _first(patterns: list[tuple[int, Pattern]], kind: PatternKind) -> int | None:
    return next((rule for rule, pattern in patterns if pattern.kind is kind), None)


def _methods_value(methods: list[bytes], credentials: bool) -> bytes:
    if b"*" in methods:
        return b"" if credentials else b"*"
    return b", ".join(methods)


def _headers_value(headers: dict[bytes, bytes], credentials: bool) -> bytes:
    if b"*" in headers:
        # `*` does not cover Authorization (https://fetch.spec.whatwg.org/#cors-non-wildcard-request-header-name).
        beside = [headers[b"authorization"]] if b"authorization" in headers else []
        return b"" if credentials else b", ".join([b"*", *beside])
    return b", ".join(headers.values())


def _actual(spec: PolicySpec) -> FieldBlock:
    """Return the fields after Access-Control-Allow-Origin on actual responses, which are the same for every origin."""
    exposed = _distinct(spec.expose_headers)
    value = b", ".join(exposed.values())
    if b"*" in exposed:
        # With credentials a browser takes `*` literally, so the data path lists the names of each response.
        value = b"" if spec.allow_credentials else b"*"
    fields = (
        (ACCESS_CONTROL_ALLOW_CREDENTIALS, b"true" if spec.allow_credentials else b""),
        (ACCESS_CONTROL_EXPOSE_HEADERS, value),
    )
    return FieldBlock.of(pair for pair in fields if pair[1])


def _distinct(names: tuple[str, ...]) -> dict[bytes, bytes]:
    """Return the names as first written, keyed by their lower-case form."""
    distinct: dict[bytes, bytes] = {}
    for name in names:
        encoded = name.encode("ascii")
        distinct.setdefault(encoded.lower(), encoded)
    return distinct
