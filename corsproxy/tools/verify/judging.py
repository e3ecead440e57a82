"""The front door of the judgement: every difference between the answers of one route and what the file says.

Pure: questions with their answers in, differences out.
The order matters: faults of whole answers are reported first, and then treated as fixed, so that each is reported once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from corsproxy.tools.browser import checks
from corsproxy.tools.live.caches import REMEDY, cache_of, is_from_cache, varies
from corsproxy.tools.verify.asking import Answered
from corsproxy.tools.verify.content import content_differences
from corsproxy.tools.verify.difference import Code, Found
from corsproxy.tools.verify.evidence import (
    Evidence,
    doubled_fields,
    evidence_of,
    with_own_origin,
    with_single_lines,
)
from corsproxy.tools.verify.origins import origin_differences
from corsproxy.tools.verify.plan import RouteToAsk
from corsproxy.tools.verify.preflights import preflight_differences
from corsproxy.tools.verify.questions import PAIRS, Purpose


def differences_of(plan: RouteToAsk, answered: Sequence[Answered]) -> list[Found]:
    """Return the differences of one route, in the order of `Code`."""
    evidence = evidence_of(answered, plan.policies)
    found = [*_unanswered(answered), *_doubled(evidence)]
    evidence = [with_single_lines(one) for one in evidence]
    found += _vary(evidence)
    if not any(policy.cors.grants_everyone for policy in plan.policies):
        found += _stars(evidence)
        evidence = [with_own_origin(one) if one.grant() == "*" else one for one in evidence]
    mixed = _mixed(evidence)
    found += _caches(evidence, mixed)
    evidence = [one for one in evidence if one not in mixed and one.question.purpose not in PAIRS]
    found += origin_differences(evidence)
    found += preflight_differences(evidence, plan)
    found += content_differences(evidence, plan)
    order = list(Code)
    return sorted(found, key=lambda one: order.index(one.code))


def _unanswered(answered: Sequence[Answered]) -> Iterator[Found]:
    silent = [one for one in answered if one.error is not None]
    if silent:
        more = f" ({len(silent)} of {len(answered)} requests)" if len(silent) > 1 else ""
        origins = tuple(dict.fromkeys(one.question.origin for one in silent if one.question.origin))
        yield Found(Code.NO_ANSWER, f"{silent[0].sent.method}: {silent[0].error}{more}", origins)


def _doubled(evidence: Sequence[Evidence]) -> Iterator[Found]:
    """Yield the difference if fields occur more than once, because two layers write CORS."""
    seen: dict[str, Evidence] = {}
    for one in evidence:
        for name in doubled_fields(one):
            seen.setdefault(name, one)
    if seen:
        shown = "; ".join(f"{name}: {one.answer.combined(name)}" for name, one in seen.items())
        first = next(iter(seen.values()))
        message = f"{' and '.join(seen)} must appear once, with one value, and is read as {shown!r}"
        yield Found(Code.DUPLICATE_LINES, message, (first.origin,) if first.origin else (), names=tuple(seen))


def _stars(evidence: Sequence[Evidence]) -> Iterator[Found]:
    """Yield the difference if there is a star although the file names origins."""
    stars = [one for one in evidence if one.grant() == "*"]
    if not stars:
        return
    origins = tuple(dict.fromkeys(one.origin for one in stars if one.origin and not one.is_asked_as_member))
    beside = next((one for one in stars if one.answer.combined(checks.ACAC) == "true"), None)
    if beside is not None:
        message = f"{checks.ACAO}: * with {checks.ACAC}: true"
        yield Found(Code.WILDCARD_WITH_CREDENTIALS, message, origins)
    else:
        needs = any(one.wants_credentials for one in stars)
        more = ", and with credentials no origin" if needs else ""
        yield Found(Code.WILDCARD_ORIGIN, f"{checks.ACAO} is *: every origin is granted{more}", origins)


def _mixed(evidence: Sequence[Evidence]) -> list[Evidence]:
    """Return the answers that a cache stored for another origin."""
    alone = {
        one.origin: one for one in reversed(evidence) if one.is_actual and one.question.method == "GET"
        and one.question.key == 0 and one.question.purpose in {Purpose.MEMBER, Purpose.LOOK_ALIKE, Purpose.COOKIE}
    }  # fmt: skip
    preflighted = {one.origin for one in evidence if one.question.is_preflight and one.wants() and one.gets()}
    asked = {one.origin for one in evidence if one.wants()}
    mixed = []
    for one in evidence:
        if (
            not one.is_actual
            or not one.origin
            or (one.wants() == one.gets() and one.grant() in {None, one.origin, "*"})
        ):
            continue
        own = alone.get(one.origin)
        is_pair = one.question.purpose in PAIRS and own is not None and own.grant() != one.grant()
        others = one.grant() in asked - {one.origin}
        if is_pair or (is_from_cache(one.answer) and (others or one.wants())) or (others and one.origin in preflighted):
            mixed.append(one)
    return mixed


def _caches(evidence: Sequence[Evidence], mixed: Sequence[Evidence]) -> Iterator[Found]:
    if not mixed:
        return
    # The worst first: an allowed page that is blocked.
    one = next((one for one in mixed if one.wants()), mixed[0])
    seen = one.grant()
    got = f"an answer for {seen}" if seen else "an answer without a grant, which another origin got"
    has_vary = any(varies(other.answer) for other in (*mixed, *evidence) if other.is_actual)
    remedy = REMEDY if has_vary else "send Vary: Origin with every answer, so that caches can tell them apart"
    message = f"for {one.origin}, {cache_of(one.answer)} serves {got}; {remedy}"
    yield Found(Code.CACHE_MIXES_ORIGINS, message, (one.origin,), one.question.rule)


def _vary(evidence: Sequence[Evidence]) -> Iterator[Found]:
    """Yield the difference if answers depend on Origin without `Vary: Origin`."""
    plain = [
        one for one in evidence
        if one.is_actual and one.question.method == "GET" and one.question.purpose not in PAIRS
        and one.question.purpose not in {Purpose.NOT_FOUND, Purpose.NOT_MODIFIED, Purpose.COOKIE}
    ]  # fmt: skip
    if len({one.grant() for one in plain}) < 2:
        return
    silent = [one for one in plain if not varies(one.answer)]
    if silent:
        which = [
            name
            for name, is_of in (
                ("granted", lambda one: one.origin and one.gets()),
                ("refused", lambda one: one.origin and not one.gets()),
                ("without Origin", lambda one: not one.origin),
            )
            if any(map(is_of, silent))
        ]
        message = f"{checks.ACAO} depends on Origin, and Vary does not name it: answers {', '.join(which)}"
        yield Found(Code.VARY_MISSING, message, tuple(one.origin for one in silent[:1] if one.origin))
