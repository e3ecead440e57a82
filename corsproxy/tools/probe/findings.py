"""The front door: all findings from the responses of one URL, the worst first.

Pure: plays and answers in, findings out; it must not know how requests are sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from corsproxy.tools.browser import Check, Play, checks
from corsproxy.tools.probe.answers import answer_findings
from corsproxy.tools.probe.caches import cache_findings, mixed_answer
from corsproxy.tools.probe.finding import ProbeFinding, Severity
from corsproxy.tools.probe.further import FurtherAnswer, Variant
from corsproxy.tools.probe.own import Explained, explain_answer
from corsproxy.tools.probe.strangers import stranger_findings


def findings_of(play: Play, further: Sequence[FurtherAnswer], origin: str) -> tuple[ProbeFinding, ...]:
    """Return all findings."""
    by_variant = {one.asks: one for one in further if isinstance(one.asks, Variant)}
    is_mixed = mixed_answer(play, by_variant, further, origin) is not None
    found = [
        *_blocked(play, is_mixed=is_mixed),
        *cache_findings(play, by_variant, further, origin),
        *stranger_findings(further),
        *answer_findings(play, further, origin),
    ]
    order = list(Severity)
    return tuple(sorted(found, key=lambda finding: order.index(finding.severity)))


_CORS_CHECKS = frozenset({Check.CORS, Check.PREFLIGHT_CORS, Check.PREFLIGHT_STATUS})


def explained_failure(play: Play) -> Explained | None:
    """Return an explanation of the answer that fails, if the cause is not CORS; None otherwise."""
    failure = play.failure
    answer = play.exchanges[-1].answer if play.exchanges else None
    if failure is None or answer is None or failure.check not in _CORS_CHECKS:
        return None
    return explain_answer(answer)


def _blocked(play: Play, *, is_mixed: bool) -> Iterator[ProbeFinding]:
    failure = play.failure
    if failure is None:
        return
    code = failure.reason or f"blocked_{failure.check.value.replace('-', '_')}"
    explained = explained_failure(play)
    if explained is not None:
        message = f"a browser blocks it: {explained.message}; {failure.why}"
        yield ProbeFinding(explained.code or code, Severity.ERROR, message, explained.fix)
    else:
        fix = "see cache_mixes_origins: the server itself grants it" if is_mixed else _FIXES.get(code, _FIX_BLOCKED)
        yield ProbeFinding(code, Severity.ERROR, f"a browser blocks it: {failure.why}", fix)


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
