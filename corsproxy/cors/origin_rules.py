"""The rules for `allow_origins`: each item must parse, and a dangerous one must be allowed by name.

Only the four dangers have a name in `dangerously_allow`.
A rule is judged by its effect, that is by the origins that it matches, however it is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from corsproxy.cors.effects import Danger, ShownDanger, effect_of
from corsproxy.cors.hosts import is_loopback
from corsproxy.cors.patterns import Pattern, PatternError, PatternKind, parse_pattern, parse_regex
from corsproxy.cors.problems import PolicyProblem, ProblemReason, Severity, quote
from corsproxy.cors.public_suffix import is_public_suffix
from corsproxy.cors.regexes import has_loose_dot, intended
from corsproxy.cors.spec import (
    ANY_ORIGIN_WITH_CREDENTIALS,
    INSECURE_ORIGINS,
    NULL_ORIGIN,
    PUBLIC_SUFFIX_ORIGINS,
    PolicySpec,
)

_KEY = "allow_origins"


def check_origins(spec: PolicySpec) -> tuple[list[tuple[int, Pattern]], list[PolicyProblem]]:
    """Parse `allow_origins`; return the patterns with their indexes, and all problems."""
    if not spec.allow_origins and not spec.allows_nobody:
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
        if pattern.kind is not PatternKind.EXACT or pattern.scheme == "http":
            risks = tuple(_risks(pattern, credentials=spec.allow_credentials))
            problems += _dangers(index, pattern, risks, spec)
            problems += _doubts(index, pattern, risks)
    problems += _odd_schemes(patterns)
    problems += _repeated(patterns)
    problems += _needless(patterns)
    return patterns, problems


@dataclass(frozen=True, slots=True)
class _Risk:
    """One way in which a rule matches origins that it should not."""

    name: str
    """The name that allows it in `dangerously_allow`."""
    rule: str
    """The reason to refuse it, and the remedy."""
    doubt: str = ""
    """The reason for a warning without credentials; empty for none."""
    also: str = ""
    """Another name that covers it."""


def _risks(pattern: Pattern, *, credentials: bool) -> Iterator[_Risk]:
    """Yield the risks of a pattern with credentials, and of `null`, which is always one."""
    if pattern.kind is PatternKind.NULL:
        yield _Risk(NULL_ORIGIN, "any page can make itself a 'null' origin with a sandboxed frame; remove it")
    elif pattern.kind is PatternKind.ANY:
        yield _Risk(
            ANY_ORIGIN_WITH_CREDENTIALS,
            "with allow_credentials any site could act as the signed-in user; "
            "name the origins, or turn allow_credentials off",
        )
    elif pattern.kind is PatternKind.SCHEME:
        yield _Risk(
            ANY_ORIGIN_WITH_CREDENTIALS,
            "with allow_credentials any extension could act as the signed-in user; name the ones to allow",
        )
    elif pattern.kind is PatternKind.REGEX:
        for finding in effect_of(pattern.text).findings:
            yield _of_regex(finding, pattern.text)
    else:
        if credentials and pattern.scheme == "http" and not is_loopback(pattern.host):
            yield _Risk(INSECURE_ORIGINS, f"{_INSECURE}; write {quote('https' + pattern.text.removeprefix('http'))}")
        if _opens_public_suffix(pattern):
            anyone = f"anyone can register a name under the public suffix {quote(pattern.host)}"
            yield _Risk(
                PUBLIC_SUFFIX_ORIGINS,
                f"{anyone}, and with allow_credentials would act as the signed-in user; name the hosts",
                f"{anyone}; name the hosts",
            )


_INSECURE = "anyone who controls the network can write a plain-http page and, with allow_credentials, act as the user"


def _of_regex(finding: ShownDanger, text: str) -> _Risk:
    """Return the risk of an expression, with an origin as the witness."""
    shown = f", such as {quote(finding.witness)}" if finding.witness else ""
    if finding.danger is Danger.INSECURE:
        return _Risk(INSECURE_ORIGINS, f"{_INSECURE}, and this regex matches one{shown}; begin it with 'https://'")
    name, also = ANY_ORIGIN_WITH_CREDENTIALS, ""
    way_out = "spell the domain out, with '[a-z0-9-]+\\.' before it for one label"
    if finding.danger is Danger.SUFFIX:
        lets_in = f"it matches names that anyone can register under a public suffix{shown}"
        name, also = PUBLIC_SUFFIX_ORIGINS, name if finding.spans_labels else ""
    elif finding.danger is Danger.LOOK_ALIKE:
        lets_in = f"it matches names that it does not spell out and anyone can register{shown}"
        also = "" if finding.spans_labels else PUBLIC_SUFFIX_ORIGINS
        if has_loose_dot(text):
            way_out = "write '\\.' for a dot, because an unescaped dot matches any character"
    else:
        lets_in = f"it matches any site{shown}"
    if not finding.witness:
        lets_in = f"as far as it can be judged, {lets_in}"
    everybody = "for everyone write '*'; otherwise " if finding.danger is Danger.STRANGER else ""
    return _Risk(
        name,
        f"{lets_in}, and with allow_credentials such a page would act as the signed-in user; {way_out}",
        f"{lets_in}; {everybody}{way_out}",
        also,
    )


def _opens_public_suffix(pattern: Pattern) -> bool:
    """Return whether the star matches names of different owners."""
    if pattern.kind not in (PatternKind.SUBDOMAINS, PatternKind.LABEL):
        return False
    return not is_loopback(pattern.host) and is_public_suffix(pattern.host)


def _dangers(index: int, pattern: Pattern, risks: tuple[_Risk, ...], spec: PolicySpec) -> list[PolicyProblem]:
    """Return the errors and warnings about risks that no name allows."""
    problems = []
    for risk in risks:
        if risk.name in spec.dangerously_allow or (risk.also and risk.also in spec.dangerously_allow):
            continue
        allow = f", or add {quote(risk.name)} to dangerously_allow"
        if spec.allow_credentials or risk.name == NULL_ORIGIN:
            problems.append(_problem(index, "prohibited", pattern.text, risk.rule + allow))
        elif risk.doubt:
            problems.append(_problem(index, "prohibited", pattern.text, risk.doubt + allow, "warning"))
    return problems


def _doubts(index: int, pattern: Pattern, risks: tuple[_Risk, ...]) -> list[PolicyProblem]:
    """Return warnings about rules that are allowed but probably not intended."""
    if pattern.kind is not PatternKind.REGEX:
        return []
    if effect_of(pattern.text).matches_none:
        rules, right = intended(pattern.text)
        hint = f"; write {quote(right)}" if right else "; begin it with 'https://'"
        rule = f"no origin that a browser sends matches it in full{rules and ': ' + rules}{hint}"
        return [_problem(index, "invalid", pattern.text, rule, "warning")]
    if not risks and has_loose_dot(pattern.text):
        rule = "an unescaped dot matches any character; write '\\.' for a dot"
        return [_problem(index, "invalid", pattern.text, rule, "warning")]
    return []


def _odd_schemes(patterns: list[tuple[int, Pattern]]) -> list[PolicyProblem]:
    """Return warnings about schemes that no page has: those of WebSockets, and misspellings of http and https."""
    problems = []
    for index, pattern in patterns:
        if pattern.scheme in ("", "http", "https"):
            continue
        right = _PAGE_SCHEMES.get(pattern.scheme) or next(iter(get_close_matches(pattern.scheme, _HTTP, 1, 0.75)), None)
        if right is not None:
            written = f"{right}://{pattern.text.partition('://')[2]}"
            rule = f"no page has the scheme {quote(pattern.scheme)}; write {quote(written)}"
            problems.append(_problem(index, "invalid", pattern.text, rule, "warning"))
    return problems


_HTTP = ("http", "https")
_PAGE_SCHEMES = {"ws": "http", "wss": "https"}
"""By the scheme of a WebSocket: that of the page which opens it."""


def _repeated(patterns: list[tuple[int, Pattern]]) -> list[PolicyProblem]:
    """Return warnings about duplicate rules."""
    seen: dict[str, int] = {}
    problems = []
    for index, pattern in patterns:
        # A regular expression with the text of an origin is a different rule.
        text = f"regex: {pattern.text}" if pattern.regex is not None else pattern.text
        if seen.setdefault(text, index) != index:
            rule = "it is already in the list; remove one"
            problems.append(_problem(index, "duplicate", pattern.text, rule, "warning"))
    return problems


def _needless(patterns: list[tuple[int, Pattern]]) -> list[PolicyProblem]:
    """Return warnings about rules that a `*` makes redundant; with credentials, `*` does not match `null`."""
    if not any(pattern.kind is PatternKind.ANY for _, pattern in patterns):
        return []
    return [
        _problem(index, "invalid", pattern.text, "'*' already allows every origin; remove this one, or '*'", "warning")
        for index, pattern in patterns
        if pattern.kind not in (PatternKind.ANY, PatternKind.NULL)
    ]


def _problem(index: int, reason: ProblemReason, value: str, rule: str, severity: Severity = "error") -> PolicyProblem:
    # The value of a warning is valid, so its message has no adjective such as `invalid`.
    adjective = f"{reason} " if severity == "error" else ""
    return PolicyProblem(_KEY, index, reason, value, f"{adjective}origin {quote(value)}: {rule}", severity)
