"""The result of a probe, as one JSON object and as text for people.

It must not know how anything was found.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from corsproxy.tools.browser import Exchange, PageRequest, Play
from corsproxy.tools.browser.shown import exchange_data, exchange_lines, play_data, step_lines, verdict_data, visible
from corsproxy.tools.live.look_alikes import Likeness
from corsproxy.tools.probe.finding import ProbeFinding, Severity
from corsproxy.tools.probe.findings import explained_failure
from corsproxy.tools.probe.further import FurtherAnswer, MadeUp, bases
from corsproxy.tools.probe.strangers import grants, grants_everyone, ruled_out


@dataclass(frozen=True, slots=True)
class ProbeReport:
    """One whole probe."""

    request: PageRequest
    play: Play
    further: tuple[FurtherAnswer, ...]
    findings: tuple[ProbeFinding, ...]
    error: str | None = None
    """Why the server could not be reached; None if it could."""
    is_presumed: bool = False
    """True if the page's origin was not given."""

    @property
    def is_clean(self) -> bool:
        """Return whether the page gets its answer, and nothing worse than a note was found."""
        return self.play.allowed and not any(finding.severity is not Severity.NOTE for finding in self.findings)


def report_data(report: ProbeReport) -> dict[str, object]:
    """Return the report as data that JSON can hold."""
    request = report.request
    return {
        "url": request.url,
        "origin": request.origin,
        "method": request.method,
        "headers": [list(pair) for pair in visible(request.headers)],
        "credentials": request.include,
        "error": report.error,
        **_play_data(report.play),
        "further": [_further_data(one) for one in report.further],
        "ruled_out": [
            {"resembles": base, "likenesses": [one.value for one in likenesses]}
            for base, likenesses in ruled_out(report.further).items()
        ],
        "notes": list(_notes(report)),
        "findings": [
            {
                "code": finding.code,
                "severity": finding.severity.value,
                "message": finding.message,
                "fix": finding.fix,
                "origin": finding.origin,
            }
            for finding in report.findings
        ],
    }


def _play_data(play: Play) -> dict[str, object]:
    explained = explained_failure(play)
    if explained is None:
        return play_data(play)
    verdict = verdict_data(play)
    reason = explained.reason if explained.code else verdict["reason"]
    return play_data(play) | {"verdict": verdict | {"reason": reason, "why": f"{explained.message}; {verdict['why']}"}}


def _further_data(one: FurtherAnswer) -> dict[str, object]:
    resembles = one.asks.resembles if isinstance(one.asks, MadeUp) else None
    exchange = exchange_data(Exchange(one.sent, one.answer))
    return {"asks": one.label, "origin": one.origin, "resembles": resembles, **exchange}


def report_lines(report: ProbeReport) -> Iterator[str]:
    """Yield the report for people: the requests and answers, each step, the verdict, the findings."""
    request, play = report.request, report.play
    mode = "with credentials" if request.include else "without credentials"
    yield f"{request.method} {request.url}, from a page of {request.origin}, {mode}"
    for exchange in play.exchanges:
        yield ""
        yield from exchange_lines(exchange)
    yield ""
    yield "steps of the browser"
    yield from step_lines(play.steps)
    yield ""
    yield _verdict(play)
    yield ""
    yield from _made_up_lines(report)
    if not report.findings:
        yield f"no findings ({len(report.further)} further requests)"
        return
    yield f"findings ({len(report.further)} further requests)"
    for finding in report.findings:
        yield f"  {finding.severity}  {finding.code}: {finding.message}"
        if finding.origin is not None:
            yield f"           asked with Origin: {finding.origin}"
        yield f"           fix: {finding.fix}"


def _verdict(play: Play) -> str:
    if play.failure is None:
        return "verdict: allowed"
    explained = explained_failure(play)
    reason = explained.reason if explained and explained.code else play.failure.reason
    why = f"{explained.message}; {play.failure.why}" if explained else play.failure.why
    return f"verdict: blocked{f' ({reason})' if reason else ''} at {play.failure.check}: {why}"


def _made_up_lines(report: ProbeReport) -> Iterator[str]:
    """Yield the results with made-up origins: the mistakes that their refusal rules out."""
    refused = ruled_out(report.further)
    if not refused:
        return
    answers = [one.answer for one in report.further if isinstance(one.asks, MadeUp)]
    # A star lets every page read without credentials, but names none.
    how = "granted as every page is, by *, and not by name" if any(map(grants_everyone, answers)) else "refused"
    yield "made-up origins"
    for base, likenesses in refused.items():
        of = f"resembling {base}" if base else "strangers"
        yield f"  {of}: {f'{how}, so ruled out: {_words(likenesses)}' if likenesses else 'none is refused'}"
    for note in _notes(report):
        yield f"  note: {note}"
    yield ""


def _words(likenesses: list[Likeness]) -> str:
    return ", ".join(_RULED_OUT[one] for one in likenesses)


_RULED_OUT = {
    Likeness.STRANGER: "reflection of any origin",
    Likeness.NULL: "null",
    Likeness.SHARED_HOST: "pages on shared hosts (those that were asked)",
    Likeness.LOCALHOST: "names that begin with localhost",
    Likeness.SUBSTRING: "'contains'",
    Likeness.PREFIX: "'begins with'",
    Likeness.GLUED: "letters behind the host",
    Likeness.CHARACTER: "underscore and backtick behind the host",
    Likeness.SUFFIX: "'ends with' of the domain",
    Likeness.SIBLING_SUFFIX: "'ends with' of the host",
    Likeness.TOP_LEVEL_DOMAIN: "any top-level domain",
    Likeness.REVERSED: "the test turned round",
    Likeness.DOT: "an unescaped dot before the domain",
    Likeness.LAST_DOT: "an unescaped last dot",
    Likeness.INSECURE: "plain http",
}


def _notes(report: ProbeReport) -> Iterator[str]:
    """Yield notes on what the made-up origins cannot show."""
    page = report.request.origin
    is_granted = any(grants(one.answer, page) for one in report.further if one.origin == page) or any(
        one.answer is not None and grants(one.answer, page) for one in report.play.exchanges
    )
    if not report.further or is_granted:
        return
    which = "no --origin was given, and the one presumed" if report.is_presumed else "the page's origin"
    own = ", ".join(base for base in bases(page, report.request.url) if base != page)
    yield (
        f"{which} is not granted by name: what resembles {page} shows nothing of the origins that are allowed"
        f"{f' (what resembles {own} does)' if own else ''}; name an allowed one with --origin"
    )
