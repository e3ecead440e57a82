"""What a policy may say of origins: each must parse, and the dangerous ones must be wanted.

The four dangers, and only they, can be allowed by name in `dangerously_allow`.
"""

from __future__ import annotations

from corsproxy.cors.hosts import is_loopback
from corsproxy.cors.patterns import Pattern, PatternError, PatternKind, parse_pattern, parse_regex
from corsproxy.cors.problems import PolicyProblem, ProblemReason, Severity, quote
from corsproxy.cors.public_suffix import is_public_suffix
from corsproxy.cors.regexes import can_match_insecure, has_loose_dot, matches_no_scheme
from corsproxy.cors.spec import (
    ANY_ORIGIN_WITH_CREDENTIALS,
    INSECURE_ORIGINS,
    NULL_ORIGIN,
    PUBLIC_SUFFIX_ORIGINS,
    PolicySpec,
)

_KEY = "allow_origins"


def check_origins(spec: PolicySpec) -> tuple[list[tuple[int, Pattern]], list[PolicyProblem]]:
    """Parse `allow_origins`; give the patterns with their places, and every problem."""
    if not spec.allow_origins:
        message = "missing origins: a policy names at least one; for every origin without credentials write '*'"
        return [], [PolicyProblem(_KEY, None, "missing", None, message)]
    patterns: list[tuple[int, Pattern]] = []
    problems: list[PolicyProblem] = []
    for index, origin in enumerate(spec.allow_origins):
        try:
            pattern = parse_regex(origin.text) if origin.is_regex else parse_pattern(origin.text)
        except PatternError as error:
            problems.append(_problem(index, "invalid", origin.text, str(error)))
            continue
        patterns.append((index, pattern))
        problems += _dangers(index, pattern, spec)
        problems += _doubts(index, pattern)
    problems += _needless(patterns)
    return patterns, problems


def _dangers(index: int, pattern: Pattern, spec: PolicySpec) -> list[PolicyProblem]:
    """What is refused unless it is allowed by name."""
    found: dict[str, str] = {}
    if pattern.kind is PatternKind.NULL:
        found[NULL_ORIGIN] = "any page can make itself a 'null' origin with a sandboxed frame; remove it"
    if spec.allow_credentials and pattern.kind is PatternKind.ANY:
        found[ANY_ORIGIN_WITH_CREDENTIALS] = (
            "with allow_credentials any site could act as the signed-in user; "
            "name the origins, or turn allow_credentials off"
        )
    if spec.allow_credentials and _is_insecure(pattern):
        found[INSECURE_ORIGINS] = _insecure_rule(pattern)
    if spec.allow_credentials and _opens_public_suffix(pattern):
        found[PUBLIC_SUFFIX_ORIGINS] = (
            f"anyone can register a name under the public suffix {quote(pattern.host)}, "
            "and with allow_credentials would act as the signed-in user; name the hosts"
        )
    return [
        _problem(index, "prohibited", pattern.text, f"{rule}, or add {quote(danger)} to dangerously_allow")
        for danger, rule in found.items()
        if danger not in spec.dangerously_allow
    ]


def _is_insecure(pattern: Pattern) -> bool:
    """Say whether the pattern lets pages in that anyone on the network path can write.

    Schemes other than http and https belong to extensions and app shells, whose pages come from the device.
    """
    if pattern.kind is PatternKind.REGEX:
        return can_match_insecure(pattern.text)
    if pattern.scheme != "http":
        return False
    # A star under localhost still means this machine only.
    return not is_loopback(pattern.host)


def _insecure_rule(pattern: Pattern) -> str:
    rule = "whoever controls the network can write a plain-http page, and with allow_credentials act as the user"
    if pattern.kind is PatternKind.REGEX:
        return f"{rule}, and this regex may match one; begin it with 'https://'"
    return f"{rule}; write {quote('https' + pattern.text.removeprefix('http'))}"


def _opens_public_suffix(pattern: Pattern) -> bool:
    """Say whether the star stands for names of different owners; what a regex matches cannot be known."""
    if pattern.kind not in (PatternKind.SUBDOMAINS, PatternKind.LABEL):
        return False
    return not is_loopback(pattern.host) and is_public_suffix(pattern.host)


def _doubts(index: int, pattern: Pattern) -> list[PolicyProblem]:
    """What is allowed but probably not meant."""
    if pattern.kind is not PatternKind.REGEX:
        return []
    problems = []
    if has_loose_dot(pattern.text):
        rule = "an unescaped dot stands for any character; write '\\.' for a dot"
        problems.append(_problem(index, "invalid", pattern.text, rule, "warning"))
    if matches_no_scheme(pattern.text):
        rule = "it is compared with the whole origin and matches none; begin it with 'https://'"
        problems.append(_problem(index, "invalid", pattern.text, rule, "warning"))
    return problems


def _needless(patterns: list[tuple[int, Pattern]]) -> list[PolicyProblem]:
    """Rules beside a `*`, which matches whatever they match; `null` excepted, which it does not with credentials."""
    if not any(pattern.kind is PatternKind.ANY for _, pattern in patterns):
        return []
    return [
        _problem(index, "invalid", pattern.text, "'*' already allows every origin; remove this one, or '*'", "warning")
        for index, pattern in patterns
        if pattern.kind not in (PatternKind.ANY, PatternKind.NULL)
    ]


def _problem(index: int, reason: ProblemReason, value: str, rule: str, severity: Severity = "error") -> PolicyProblem:
    # A warning's value is valid, so its message says what is doubtful, not that it is wrong.
    adjective = f"{reason} " if severity == "error" else ""
    return PolicyProblem(_KEY, index, reason, value, f"{adjective}origin {quote(value)}: {rule}", severity)
