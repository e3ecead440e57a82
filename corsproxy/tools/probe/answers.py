"""Findings about the responses themselves: stars, duplicate lines, Vary, errors, preflights, max age.

Pure: a play and the further requests with their answers in, findings out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from corsproxy.tools.browser import Answer, Check, Outcome, Play, checks
from corsproxy.tools.live.caches import varies
from corsproxy.tools.live.look_alikes import STRANGER
from corsproxy.tools.probe.finding import ProbeFinding, Severity
from corsproxy.tools.probe.further import FurtherAnswer, Variant
from corsproxy.tools.probe.strangers import with_credentials


def answer_findings(play: Play, further: Sequence[FurtherAnswer], origin: str) -> Iterator[ProbeFinding]:
    """Yield the findings that do not depend on a made-up origin."""
    by_variant = {one.asks: one for one in further if isinstance(one.asks, Variant)}
    answers = [exchange.answer for exchange in play.exchanges if exchange.answer]
    answers += [one.answer for one in further]
    yield from _stars(answers)
    yield from _lines(answers)
    yield from _preflight(play, by_variant)
    yield from _vary(by_variant, further, origin)
    yield from _errors(play, by_variant, origin)
    yield from _ages(play)


def _stars(answers: Iterable[Answer]) -> Iterator[ProbeFinding]:
    """Yield findings about a star with credentials, which no browser accepts."""
    seen = set()
    for answer in answers:
        if not with_credentials(answer):
            continue
        for name in (checks.ACAO, checks.ACAM, checks.ACAH, checks.ACEH):
            if name not in seen and "*" in (checks.members(answer, name) or ()):
                seen.add(name)
    for name in sorted(seen):
        yield ProbeFinding(
            "credentials_with_wildcard",
            Severity.WARNING,
            f"{name}: * with {checks.ACAC}: true: with credentials a star is not a wildcard",
            "write the names themselves, or leave credentials out",
        )


_SINGLE = (checks.ACAO, checks.ACAC, checks.ACMA)


def _lines(answers: Sequence[Answer]) -> Iterator[ProbeFinding]:
    """Yield findings about fields that must appear once and appear twice, because two layers write CORS."""
    for name in _SINGLE:
        most = max((len(answer.lines(name)) for answer in answers), default=0)
        if most > 1:
            yield ProbeFinding(
                "duplicate_lines",
                Severity.ERROR if name != checks.ACMA else Severity.WARNING,
                f"{name} appears {most} times in one response: browsers read them as one list, which matches nothing",
                "write CORS in one layer only: the application or the server before it",
            )
    listed = [line for answer in answers for line in answer.lines(checks.ACAO) if "," in line]
    if listed:
        yield ProbeFinding(
            "origin_list",
            Severity.ERROR,
            f"{checks.ACAO} is a list ({listed[0]!r}): it must be one origin",
            "answer with the one that asked",
        )


def _preflight(play: Play, by_variant: Mapping[Variant, FurtherAnswer]) -> Iterator[ProbeFinding]:
    """Yield findings about preflights that get 401, 407 or a redirect, even if this request needs no preflight."""
    asked = by_variant.get(Variant.PREFLIGHT)
    answers = [exchange.answer for exchange in play.exchanges if exchange.sent.kind == "preflight" and exchange.answer]
    answers += [asked.answer] if asked else []
    severity = Severity.ERROR if play.needs_preflight else Severity.WARNING
    for answer in answers[:1]:
        if answer.status in {401, 407}:
            yield ProbeFinding(
                "preflight_needs_authentication",
                severity,
                f"a preflight gets {answer.status}: browsers never send credentials with one, so it can never pass",
                "answer OPTIONS with Access-Control-Request-Method before authentication",
            )
        elif answer.status in {301, 302, 303, 307, 308}:
            location = answer.combined("Location") or "nowhere"
            yield ProbeFinding(
                "preflight_redirected",
                severity,
                f"a preflight is redirected ({answer.status} to {location}): browsers do not follow it",
                "answer preflights without a redirect; point pages at the final URL (https, trailing slash)",
            )


def _vary(
    by_variant: Mapping[Variant, FurtherAnswer], further: Sequence[FurtherAnswer], origin: str
) -> Iterator[ProbeFinding]:
    """Yield findings about responses that depend on Origin without `Vary`: caches serve them to the wrong page."""
    # Preflights do not count: no cache keeps an answer to OPTIONS (RFC 9110 section 9.3.7).
    stranger = next((one for one in further if one.origin == STRANGER and one.sent.kind == "actual"), None)
    compared = {
        name: one.answer
        for name, one in (
            (f"for {origin}", by_variant.get(Variant.ITSELF)),
            ("for another origin", stranger),
            ("without Origin", by_variant.get(Variant.NO_ORIGIN)),
        )
        if one is not None
    }
    values = {answer.lines(checks.ACAO) for answer in compared.values()}
    if len(values) < 2:
        return
    silent = [name for name, answer in compared.items() if not varies(answer)]
    if silent:
        yield ProbeFinding(
            "missing_vary",
            Severity.WARNING,
            f"{checks.ACAO} depends on Origin, but Vary does not say so {_joined(silent)}: a cache mixes them up",
            "send Vary: Origin with every answer of this URL: granted, refused, and without Origin",
        )


def _last_actual(play: Play) -> Answer | None:
    actual = [exchange.answer for exchange in play.exchanges if exchange.sent.kind == "actual"]
    return actual[-1] if actual else None


def _errors(play: Play, by_variant: Mapping[Variant, FurtherAnswer], origin: str) -> Iterator[ProbeFinding]:
    """Yield findings about errors that a page cannot read."""
    asked = by_variant.get(Variant.NOT_FOUND)
    own = by_variant.get(Variant.ITSELF)
    good = own.answer if own else _last_actual(play)
    if not asked or asked.answer.status < 400 or good is None or not _fits(good, origin) or _fits(asked.answer, origin):
        return
    yield ProbeFinding(
        "error_without_grant",
        Severity.WARNING,
        f"a response with {asked.answer.status} has no grant: the page sees a network error instead of the status",
        "put the CORS fields on every answer, errors too (nginx: add_header ... always)",
    )


def _fits(answer: Answer, origin: str) -> bool:
    return checks.cors_check(answer, origin, include=False).ok


def _ages(play: Play) -> Iterator[ProbeFinding]:
    """Yield findings about preflights that are not cached, or have a max age beyond every browser's limit."""
    passed = [exchange.answer for exchange in play.exchanges if exchange.sent.kind == "preflight"]
    ok = not any(step.outcome is Outcome.FAILED and step.check in _PREFLIGHT_CHECKS for step in play.steps)
    answer = passed[0] if passed and ok else None
    if answer is None:
        return
    lines = answer.lines(checks.ACMA)
    for applies, code, severity, message, fix in _AGE_ROWS:
        if applies(lines):
            yield ProbeFinding(code, severity, message.format(value=", ".join(lines)), fix)
            return


_PREFLIGHT_CHECKS = frozenset(
    {Check.PREFLIGHT_CORS, Check.PREFLIGHT_STATUS, Check.PREFLIGHT_METHOD, Check.PREFLIGHT_HEADERS}
)
_Applies = Callable[[tuple[str, ...]], bool]
_AGE_ROWS: tuple[tuple[_Applies, str, Severity, str, str], ...] = (
    (
        lambda lines: not lines,
        "max_age_missing",
        Severity.NOTE,
        f"{checks.ACMA} is missing: browsers remember the preflight for 5 seconds",
        f"{checks.ACMA}: 600 saves most preflights",
    ),
    (
        lambda lines: len(lines) == 1 and lines[0] == "0",
        "max_age_zero",
        Severity.NOTE,
        f"{checks.ACMA} is 0: every request has its preflight",
        f"{checks.ACMA}: 600 saves most preflights",
    ),
    (
        lambda lines: len(lines) == 1 and not lines[0].isdecimal(),
        "max_age_invalid",
        Severity.WARNING,
        f"{checks.ACMA} is {{value!r}}, which is no number of seconds: browsers take 5",
        "write whole seconds",
    ),
    (
        lambda lines: len(lines) == 1 and int(lines[0][:18]) > max(checks.MAX_AGE_CAPS.values()),
        "max_age_excessive",
        Severity.NOTE,
        f"{checks.ACMA} is {{value}}: no browser remembers longer than 86400 (Chromium 7200, Safari 600)",
        "86400 says the same; a mistake in a preflight stays as long as it is remembered",
    ),
)


def _joined(names: Sequence[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
