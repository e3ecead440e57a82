"""Origins that were granted and should not have been: reflection, null, and careless ways of comparing.

Pure: the further requests with their answers in, findings out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from corsproxy.tools.browser import Answer, checks
from corsproxy.tools.probe.finding import ProbeFinding, Severity
from corsproxy.tools.probe.variants import STRANGER, Asked, Variant


def stranger_findings(by_variant: Mapping[Variant, Asked]) -> Iterator[ProbeFinding]:
    """Find who is let in."""
    yield from _strangers(by_variant)
    yield from _careless(by_variant)


def grants(answer: Answer, origin: str) -> bool:
    """Whether an answer names this origin, or `null`, as allowed; a star names nobody."""
    return answer.lines(checks.ACAO) == (origin,)


def with_credentials(answer: Answer) -> bool:
    """Whether an answer grants credentials."""
    return answer.lines(checks.ACAC) == ("true",)


def _strangers(by_variant: Mapping[Variant, Asked]) -> Iterator[ProbeFinding]:
    """Reflection of whatever is asked, and of `null`."""
    stranger, null = by_variant.get(Variant.STRANGER), by_variant.get(Variant.NULL)
    if stranger and grants(stranger.answer, STRANGER):
        credentials = with_credentials(stranger.answer)
        yield ProbeFinding(
            "reflects_any_origin",
            Severity.ERROR if credentials else Severity.WARNING,
            "any origin is granted, "
            + ("with credentials: every web site can act and read as the visitor" if credentials else "one by one"),
            "compare Origin with a list of allowed origins; for a public resource answer * without credentials",
            STRANGER,
        )
    if null and grants(null.answer, "null"):
        yield ProbeFinding(
            "accepts_null",
            Severity.ERROR if with_credentials(null.answer) else Severity.WARNING,
            "the origin null is granted: any site gets it with a sandboxed frame",
            "never allow null; serve test pages from http://localhost instead of file://",
            "null",
        )


_SLOPPY: dict[Variant, tuple[str, str, str]] = {
    Variant.SUBSTRING: (
        "substring_match",
        "an origin that merely contains the allowed one is granted: origins are compared by 'contains'",
        "compare the whole origin for equality, or parse it and compare scheme, host and port",
    ),
    Variant.PREFIX: (
        "prefix_match",
        "an origin that begins like the allowed one is granted: compared by 'starts with', or a regex with no end",
        "compare the whole origin for equality; match a regex in full (\\Z, fullmatch)",
    ),
    Variant.SUFFIX: (
        "suffix_match",
        "an origin that merely ends like the allowed one is granted: compared by 'ends with', or a regex with no start",
        "compare the whole origin for equality; for subdomains demand the dot before the domain",
    ),
    Variant.SIBLING_SUFFIX: (
        "suffix_match",
        "a host that merely ends like the allowed one is granted, another subdomain is not: compared by 'ends with'",
        "compare the whole origin for equality",
    ),
    Variant.DOT: (
        "unescaped_dot",
        "another character in place of a dot is granted: a dot in a regex is not escaped",
        "write \\. in the regex, or compare for equality",
    ),
    Variant.INSECURE: (
        "trusts_http_origin",
        "the plain-http origin of the same host is granted: whoever sits in the network can put a page there",
        "allow https origins only",
    ),
}
"""Of what is granted too widely: code, message, fix."""

_SPEAKS_FOR: dict[Variant, frozenset[Variant]] = {
    Variant.SUBSTRING: frozenset({Variant.PREFIX, Variant.SUFFIX, Variant.SIBLING_SUFFIX, Variant.DOT}),
    Variant.SUFFIX: frozenset({Variant.SIBLING_SUFFIX, Variant.DOT}),
}
"""What else a careless comparison grants, so that one mistake is one finding."""


def _careless(by_variant: Mapping[Variant, Asked]) -> Iterator[ProbeFinding]:
    """Ways of comparing origins that let made-up ones in; where any origin is granted there is nothing to add."""
    stranger = by_variant.get(Variant.STRANGER)
    if stranger and grants(stranger.answer, STRANGER):
        return
    granted = [
        variant
        for variant in _SLOPPY
        if (asked := by_variant.get(variant)) and asked.origin and grants(asked.answer, asked.origin)
    ]
    spoken_for = {narrow for wide in granted for narrow in _SPEAKS_FOR.get(wide, ())}
    sibling = by_variant.get(Variant.SIBLING)
    siblings_are_allowed = sibling is not None and sibling.origin is not None and grants(sibling.answer, sibling.origin)
    seen = set()
    for variant in granted:
        code, message, fix = _SLOPPY[variant]
        if code in seen or variant in spoken_for or (variant is Variant.SIBLING_SUFFIX and siblings_are_allowed):
            continue
        seen.add(code)
        asked = by_variant[variant]
        severe = variant is not Variant.INSECURE and variant is not Variant.SIBLING_SUFFIX
        severity = Severity.ERROR if severe and with_credentials(asked.answer) else Severity.WARNING
        yield ProbeFinding(code, severity, message, fix, asked.origin)
