"""Differences in which origins are granted: allowed ones, their look-alikes, strangers, credentials."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from corsproxy.tools.browser import checks
from corsproxy.tools.live.look_alikes import Likeness, fewest, look_alikes
from corsproxy.tools.verify.difference import LIKENESS_CODES, Code, Found
from corsproxy.tools.verify.evidence import Evidence, members
from corsproxy.tools.verify.questions import Purpose

_SHOWN = 5
"""The most origins that a message names."""


def origin_differences(evidence: Sequence[Evidence]) -> Iterator[Found]:
    """Yield the differences in which origins are granted."""
    yield from _refused(evidence)
    yield from _let_in(evidence)
    yield from _credentials(evidence)


def refused_members(evidence: Sequence[Evidence]) -> dict[str, Evidence]:
    """Return the allowed origins that are refused, by the answer to a plain GET or, without one, to a preflight.

    An error without a grant does not count, because servers forget CORS on errors; 403 does, unless a preflight of the
    origin is granted.
    """
    preflighted = {one.origin for one in evidence if one.question.is_preflight and one.wants() and one.gets()}
    with_actual = members(evidence, preflight=False)
    refused = {}
    for one in with_actual or members(evidence, preflight=True):
        if not one.wants() or one.gets():
            continue
        is_refusal = one.answer.status < 300 or (one.answer.status == 403 and one.origin not in preflighted)
        if is_refusal or (one.grant() is not None and one.answer.status < 400):
            refused[one.origin] = one
    if not with_actual and len(refused) == len(members(evidence, preflight=True)):
        return {}  # no GET was sent and no preflight passes: reported as a difference of preflights
    return refused


def _refused(evidence: Sequence[Evidence]) -> Iterator[Found]:
    by_rule: dict[int | None, list[Evidence]] = {}
    for one in refused_members(evidence).values():
        by_rule.setdefault(one.question.rule, []).append(one)
    if not by_rule:
        return
    every = [one for ones in by_rule.values() for one in ones]
    rule = every[0].question.rule if len(by_rule) == 1 else None
    shown = ", ".join(one.origin for one in every[:_SHOWN])
    more = f" and {len(every) - _SHOWN} more" if len(every) > _SHOWN else ""
    message = f"{shown}{more}: {every[0].check().why}"
    yield Found(Code.ORIGIN_NOT_GRANTED, message, tuple(one.origin for one in every), rule, every[0].question.policy)


def _let_in(evidence: Sequence[Evidence]) -> Iterator[Found]:
    """Yield a difference for each kind of origin that is granted by mistake."""
    granted = [
        one
        for one in evidence
        if one.origin and not one.wants() and one.gets() and one.question.purpose is Purpose.LOOK_ALIKE
    ]
    strangers = {one.question.likeness for one in granted if one.question.resembles is None} - {None}
    if Likeness.STRANGER in strangers:
        null = ", null too" if Likeness.NULL in strangers else ""
        credentials = _with_credentials(granted)
        message = f"an origin that no policy allows is granted{credentials}{null}"
        yield Found(Code.REFLECTS_ANY_ORIGIN, message, _origins(granted, {Likeness.STRANGER}))
        return
    others = [one for one in granted if one.question.likeness is None]
    if others:
        yield Found(Code.ORIGIN_GRANTED, _granted(others), tuple(dict.fromkeys(one.origin for one in others)))
    by_code: dict[Code, dict[str, Evidence]] = {}
    for kind, ones in _kinds(granted, {kind for kind in strangers if kind is not None}):
        by_code.setdefault(LIKENESS_CODES[kind], {}).update({one.origin: one for one in ones})
    for code, by_origin in by_code.items():
        ones = list(by_origin.values())
        rules = {one.question.rule for one in ones}
        rule = rules.pop() if len(rules) == 1 else None
        yield Found(code, _granted(ones), tuple(by_origin), rule, ones[0].question.policy)


def _kinds(granted: Sequence[Evidence], strangers: set[Likeness]) -> Iterator[tuple[Likeness, list[Evidence]]]:
    """Yield the fewest likenesses that explain all granted origins, with the evidence of each.

    A made-up origin may resemble several allowed ones: it was sent once, and counts for each of them.
    """
    for kind in fewest(strangers):
        yield kind, [one for one in granted if one.question.resembles is None and one.question.likeness is kind]
    for base in dict.fromkeys(one.question.resembles for one in granted if one.question.resembles is not None):
        made = {origin: kind for kind, origins in look_alikes(base).items() for origin in origins}
        made[base] = Likeness.APEX
        found = [(made[one.origin], one) for one in granted if one.origin in made]
        for kind in fewest({kind for kind, _ in found}):
            yield kind, [one for own, one in found if own is kind]


def _granted(ones: Sequence[Evidence]) -> str:
    shown = list(dict.fromkeys(one.origin for one in ones))[:2]
    return f"{' and '.join(shown)} {'is' if len(shown) == 1 else 'are'} granted{_with_credentials(ones)}"


def _origins(granted: Sequence[Evidence], likenesses: set[Likeness]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.origin for one in granted if one.question.likeness in likenesses))


def _with_credentials(ones: Sequence[Evidence]) -> str:
    return ", with credentials" if any(one.answer.combined(checks.ACAC) == "true" for one in ones) else ""


def _credentials(evidence: Sequence[Evidence]) -> Iterator[Found]:
    """Yield differences about credentials of granted origins: missing, or too many."""
    missing, extra = [], []
    for one in evidence:
        if not one.origin or not one.wants() or not one.gets():
            continue
        has = checks.cors_check(one.answer, one.origin, include=True)
        if one.wants_credentials and not has.ok:
            missing.append((one, has.why))
        elif not one.wants_credentials and has.ok:
            extra.append(one)
    if missing:
        where = _where([one for one, _ in missing])
        origins = tuple(dict.fromkeys(one.origin for one, _ in missing))
        yield Found(Code.CREDENTIALS_NOT_GRANTED, f"{missing[0][1]}{where}", origins)
    if extra:
        message = f"{extra[0].origin} is granted credentials{_where(extra)}"
        yield Found(Code.CREDENTIALS_GRANTED, message, tuple(dict.fromkeys(one.origin for one in extra)))


def _where(ones: Sequence[Evidence]) -> str:
    """Return the kind of answers as a note, if it is not every kind."""
    if all(one.question.is_preflight for one in ones):
        return " (preflights)"
    if all(one.question.purpose is Purpose.COOKIE for one in ones):
        return " (if the request has a cookie)"
    return "" if any(one.question.is_preflight for one in ones) else " (answers to GET and HEAD)"
