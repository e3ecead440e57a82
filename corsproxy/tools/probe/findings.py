"""The front door: everything that the answers to one URL show, the worst first.

Pure: plays and answers in, findings out; how they were sent is not known here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from corsproxy.tools.browser import Play, checks
from corsproxy.tools.probe.answers import answer_findings
from corsproxy.tools.probe.finding import ProbeFinding, Severity
from corsproxy.tools.probe.strangers import stranger_findings
from corsproxy.tools.probe.variants import Asked


def findings_of(play: Play, further: Sequence[Asked], origin: str) -> tuple[ProbeFinding, ...]:
    """Find everything the answers show."""
    by_variant = {asked.variant: asked for asked in further}
    found = [*_blocked(play), *stranger_findings(by_variant), *answer_findings(play, by_variant, origin)]
    order = list(Severity)
    return tuple(sorted(found, key=lambda finding: order.index(finding.severity)))


def _blocked(play: Play) -> Iterator[ProbeFinding]:
    failure = play.failure
    if failure is not None:
        code = failure.reason or f"blocked_{failure.check.value.replace('-', '_')}"
        yield ProbeFinding(code, Severity.ERROR, f"a browser blocks it: {failure.why}", _FIXES.get(code, _FIX_BLOCKED))


_FIX_BLOCKED = "see the failed step and the section of the standard it links to"
_FIXES = {
    "origin_not_allowed": f"answer with {checks.ACAO}: the page's own origin (or * without credentials), in one line",
    "method_not_allowed": f"name the method in the preflight's {checks.ACAM}",
    "headers_not_allowed": f"name the headers in the preflight's {checks.ACAH}; Authorization always by its name",
    "credentials_not_allowed": f"answer with the origin itself, never *, and {checks.ACAC}: true; "
    "or have the page send no credentials",
    "blocked_preflight_status": "answer preflights with 204 and the grant, before authentication and redirects",
    "blocked_answer": "see whether the server is up, and whether it closes connections",
}
