"""A cache between the page and the server that serves one origin's response to another.

Pure: a play and the further requests with their answers in, a finding out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from corsproxy.tools.browser import Answer, Play, checks
from corsproxy.tools.live.caches import REMEDY, cache_of, is_from_cache, varies
from corsproxy.tools.live.look_alikes import STRANGER
from corsproxy.tools.probe.finding import ProbeFinding, Severity
from corsproxy.tools.probe.further import FurtherAnswer, Variant
from corsproxy.tools.probe.strangers import grants


def mixed_answer(
    play: Play, by_variant: Mapping[Variant, FurtherAnswer], further: Sequence[FurtherAnswer], page: str
) -> Answer | None:
    """Return an answer that was made for another origin; None if there is none.

    The answers of the page and of a stranger to one URL are compared with those that each gets to a separate URL.
    """
    own = by_variant.get(Variant.ITSELF)
    played = [one.answer for one in play.exchanges if one.answer and one.sent.kind == "actual"]
    if own is not None and grants(own.answer, page):
        after = by_variant.get(Variant.AFTER_STRANGER)
        for answer in (*([after.answer] if after else []), *played[-1:]):
            if not grants(answer, page) and answer.combined(checks.ACAO) != "*" and answer.status == own.answer.status:
                return answer
    others = by_variant.get(Variant.STRANGER_AFTER)
    alone = next((one.answer for one in further if one.origin == STRANGER and one.sent.kind == "actual"), None)
    if (
        others
        and alone
        and grants(others.answer, page)
        and others.answer.lines(checks.ACAO) != alone.lines(checks.ACAO)
    ):
        return others.answer
    # A cache that ignores the query in its key gives all of them the answer to another request.
    for answer in (*played, *(one.answer for one in further if one.sent.kind == "actual")):
        if is_from_cache(answer) and varies(answer) and _is_of_another(answer, further, play, page):
            return answer
    return _without_grant_from_cache(played, play, further, page)


def _without_grant_from_cache(
    played: Sequence[Answer], play: Play, further: Sequence[FurtherAnswer], page: str
) -> Answer | None:
    """Return a cached answer without a grant, if the page's preflight, which no cache keeps, is granted."""
    preflights = [one.answer for one in play.exchanges if one.answer and one.sent.kind == "preflight"]
    preflights += [one.answer for one in further if one.asks is Variant.PREFLIGHT]
    if not any(grants(answer, page) for answer in preflights):
        return None
    return next((one for one in played if is_from_cache(one) and not one.lines(checks.ACAO)), None)


def _is_of_another(answer: Answer, further: Sequence[FurtherAnswer], play: Play, page: str) -> bool:
    asked = [(one.answer, one.origin) for one in further]
    asked += [(one.answer, one.sent.origin) for one in play.exchanges if one.answer]
    origin = next(origin for found, origin in asked if found is answer)
    acao = answer.combined(checks.ACAO)
    return acao is not None and acao not in {"*", origin} and (origin is None or origin == page or acao == page)


def cache_findings(
    play: Play, by_variant: Mapping[Variant, FurtherAnswer], further: Sequence[FurtherAnswer], page: str
) -> Iterator[ProbeFinding]:
    """Yield the finding, with the remedy for the operator of the cache."""
    answer = mixed_answer(play, by_variant, further, page)
    if answer is None:
        return
    acao = answer.combined(checks.ACAO)
    got = f"the response for {acao}" if acao else "a response without a grant, which another origin got"
    vary_note = ", though its Vary says Origin" if varies(answer) else ""
    fix = REMEDY if vary_note else "send Vary: Origin with every answer of this URL, so that caches can tell them apart"
    yield ProbeFinding(
        "cache_mixes_origins",
        Severity.ERROR,
        f"{cache_of(answer)} serves one origin's response to another: {got}{vary_note}",
        fix,
        page,
    )
