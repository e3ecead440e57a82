"""What a probe found, as one JSON object and as text for people.

Knows nothing of how anything was found.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from corsproxy.tools.browser import Exchange, PageRequest, Play
from corsproxy.tools.browser.shown import exchange_data, exchange_lines, play_data, step_lines, visible
from corsproxy.tools.probe.finding import ProbeFinding, Severity
from corsproxy.tools.probe.variants import Asked


@dataclass(frozen=True, slots=True)
class Report:
    """One whole probe."""

    request: PageRequest
    play: Play
    further: tuple[Asked, ...]
    findings: tuple[ProbeFinding, ...]
    error: str | None = None
    """Why the server could not be asked, None where it could."""

    @property
    def is_clean(self) -> bool:
        """Whether the page gets its answer and nothing worse than a note was found."""
        return self.play.allowed and not any(finding.severity is not Severity.NOTE for finding in self.findings)


def report_data(report: Report) -> dict[str, Any]:
    """Give the report as data that JSON can hold."""
    request = report.request
    return {
        "url": request.url,
        "origin": request.origin,
        "method": request.method,
        "headers": [list(pair) for pair in visible(request.headers)],
        "credentials": request.include,
        "error": report.error,
        **play_data(report.play),
        "further": [
            {"asks": asked.variant.value, "origin": asked.origin, **exchange_data(Exchange(asked.sent, asked.answer))}
            for asked in report.further
        ],
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


def report_lines(report: Report) -> Iterator[str]:
    """Write the report for people: what was sent, what came back, each step, the verdict, the findings."""
    request, play = report.request, report.play
    mode = "with credentials" if request.include else "without credentials"
    yield f"{request.method} {request.url}, asked by a page of {request.origin}, {mode}"
    for exchange in play.exchanges:
        yield ""
        yield from exchange_lines(exchange)
    yield ""
    yield "steps of the browser"
    yield from step_lines(play.steps)
    yield ""
    yield _verdict(play)
    yield ""
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
    reason = f" ({play.failure.reason})" if play.failure.reason else ""
    return f"verdict: blocked{reason} at {play.failure.check}: {play.failure.why}"
