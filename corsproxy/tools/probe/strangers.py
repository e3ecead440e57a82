"""Findings about origins that are granted by mistake: reflection, null, and careless comparisons.

Pure: the further requests with their answers in, findings out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from corsproxy.tools.browser import Answer, checks
from corsproxy.tools.live.look_alikes import Likeness, fewest
from corsproxy.tools.probe.finding import ProbeFinding, Severity
from corsproxy.tools.probe.further import FurtherAnswer, MadeUp

_L = Likeness


def grants(answer: Answer, origin: str) -> bool:
    """Return whether a response names this origin, or `null`, as allowed; a star names no origin."""
    return answer.lines(checks.ACAO) == (origin,)


def grants_everyone(answer: Answer) -> bool:
    """Return whether a response lets every page read it, without credentials."""
    return answer.lines(checks.ACAO) == ("*",)


def with_credentials(answer: Answer) -> bool:
    """Return whether an answer grants credentials."""
    return answer.lines(checks.ACAC) == ("true",)


def made_up(further: Sequence[FurtherAnswer]) -> dict[MadeUp, list[FurtherAnswer]]:
    """Return the answers for each made-up origin."""
    found: dict[MadeUp, list[FurtherAnswer]] = {}
    for one in further:
        if isinstance(one.asks, MadeUp):
            found.setdefault(one.asks, []).append(one)
    return found


def ruled_out(further: Sequence[FurtherAnswer]) -> dict[str | None, list[Likeness]]:
    """Return the likenesses that were refused, by the origin that they resemble."""
    asked: dict[tuple[str | None, Likeness], bool] = {}
    for one, answers in made_up(further).items():
        if one.likeness is not _L.SIBLING:  # a sibling may be allowed on purpose; it only explains other likenesses
            key = one.resembles, one.likeness
            asked[key] = asked.get(key, True) and not any(grants(each.answer, one.origin) for each in answers)
    found: dict[str | None, list[Likeness]] = {}
    for (base, likeness), is_refused in asked.items():
        found.setdefault(base, [])
        if is_refused:
            found[base].append(likeness)
    return found


_CARELESS: dict[Likeness, tuple[str, str, str]] = {
    _L.SUBSTRING: (
        "substring_match",
        "an origin that merely contains the allowed one is granted: origins are compared by 'contains'",
        "compare the whole origin for equality, or parse it and compare scheme, host and port",
    ),
    _L.PREFIX: (
        "prefix_match",
        "an origin that begins like the allowed one is granted: compared by 'starts with', or a regex with no end",
        "compare the whole origin for equality; match a regex in full (\\Z, fullmatch)",
    ),
    _L.GLUED: (
        "glued_after_host",
        "a name glued behind the allowed host is granted: a regex lets letters follow",
        "match a regex in full (\\Z, fullmatch), or compare for equality",
    ),
    _L.CHARACTER: (
        "character_after_host",
        "an underscore or a backtick behind the allowed host is granted: a regex ends the host at the first odd sign",
        "match a regex in full (\\Z, fullmatch), or compare for equality",
    ),
    _L.SUFFIX: (
        "suffix_match",
        "an origin that merely ends like the allowed one is granted: compared by 'ends with', or a regex with no start",
        "compare the whole origin for equality; for subdomains demand the dot before the domain",
    ),
    _L.SIBLING_SUFFIX: (
        "suffix_match",
        "a host that merely ends like the allowed one is granted, another subdomain is not: compared by 'ends with'",
        "compare the whole origin for equality",
    ),
    _L.TOP_LEVEL_DOMAIN: (
        "any_top_level_domain",
        "the allowed name under another top-level domain is granted: a regex takes any ending, as [a-z.]+ does",
        "write the whole domain, its end too",
    ),
    _L.REVERSED: (
        "reversed_match",
        "a part of the allowed origin is granted: the test is turned round ('allowed contains origin')",
        "compare the whole origin for equality",
    ),
    _L.DOT: (
        "unescaped_dot",
        "another character in place of a dot is granted: a dot in a regex is not escaped",
        "write \\. in the regex, or compare for equality",
    ),
    _L.LAST_DOT: (
        "unescaped_dot",
        "another character in place of the last dot is granted: it is not escaped in a regex",
        "write \\. in the regex, or compare for equality",
    ),
    _L.INSECURE: (
        "trusts_http_origin",
        "the plain-http origin of the same host is granted: anyone on the network can put a page there",
        "allow https origins only",
    ),
    _L.SHARED_HOST: (
        "shared_host",
        "a page on a host where anyone can have a page is granted",
        "name the one page's origin, or serve the page from a domain of your own",
    ),
    _L.LOCALHOST: (
        "localhost_lookalike",
        "a host that merely begins with localhost is granted",
        "compare the whole origin, its port apart; leave localhost out in production",
    ),
}
"""The code, message and fix for each likeness that is granted."""

_HARMLESS_ALONE = frozenset({_L.INSECURE, _L.SIBLING_SUFFIX, _L.LAST_DOT})
"""Nobody can register such a name, or it has the same owner: only a warning, even with credentials."""


def stranger_findings(further: Sequence[FurtherAnswer]) -> Iterator[ProbeFinding]:
    """Yield findings about origins that are granted by mistake."""
    granted: dict[MadeUp, Answer] = {}
    for asked in further:
        if isinstance(asked.asks, MadeUp) and grants(asked.answer, asked.asks.origin):
            granted.setdefault(asked.asks, asked.answer)
    by_base: dict[str | None, set[Likeness]] = {}
    for one in granted:
        by_base.setdefault(one.resembles, set()).add(one.likeness)
    strangers = by_base.pop(None, set())
    yield from _anybody(granted)
    if _L.STRANGER in strangers:
        return  # if any origin is granted, there is nothing to add
    seen = set()
    for base, likenesses in ((None, strangers), *by_base.items()):
        # Plain http is a separate danger, whichever comparison accepts it.
        for likeness in dict.fromkeys((*fewest(likenesses), *(likenesses & {_L.INSECURE}))):
            if likeness not in _CARELESS:
                continue
            code, message, fix = _CARELESS[likeness]
            if code in seen:
                continue
            seen.add(code)
            one = next(one for one in granted if (one.resembles, one.likeness) == (base, likeness))
            is_severe = with_credentials(granted[one]) and likeness not in _HARMLESS_ALONE
            yield ProbeFinding(code, Severity.ERROR if is_severe else Severity.WARNING, message, fix, one.origin)


def _anybody(granted: dict[MadeUp, Answer]) -> Iterator[ProbeFinding]:
    """Yield findings about reflected origins, and `null`."""
    for one, answer in granted.items():
        credentials = with_credentials(answer)
        severity = Severity.ERROR if credentials else Severity.WARNING
        if one.likeness is _L.STRANGER:
            yield ProbeFinding(
                "reflects_any_origin",
                severity,
                "any origin is granted, "
                + ("with credentials: every web site can act and read as the visitor" if credentials else "one by one"),
                "compare Origin with a list of allowed origins; for a public resource answer * without credentials",
                one.origin,
            )
        elif one.likeness is _L.NULL:
            yield ProbeFinding(
                "accepts_null",
                severity,
                "the origin null is granted: any site gets it with a sandboxed frame",
                "never allow null; serve test pages from http://localhost instead of file://",
                one.origin,
            )
