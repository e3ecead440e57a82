"""The result of `explain`, as one JSON object and as text for people.

It must not know how anything was decided.
"""

from __future__ import annotations

from collections.abc import Iterator

from corsproxy.tools.browser import Answer, Check, Play, Step
from corsproxy.tools.browser.shown import step_data, step_lines, verdict_data, visible
from corsproxy.tools.explain.change import Change
from corsproxy.tools.explain.judgement import Judgement


def explanation_data(judgement: Judgement, change: Change | None, no_change: str | None) -> dict[str, object]:
    """Return the explanation as data that JSON can hold."""
    question, route, where = judgement.question, judgement.route, judgement.decided_by
    return {
        "path": question.path,
        "host": question.host or None,
        "origin": question.origin,
        "method": question.method,
        "headers": [name for name, _ in question.headers],
        "credentials": question.credentials,
        "browser": question.browser.value,
        "route": route.path if route else None,
        "near_routes": [{"route": miss.route.path, "why": miss.why} for miss in judgement.choice.near],
        "upstream": route.upstream.name if route else None,
        "policy": judgement.policy.name if judgement.policy else None,
        "mode": judgement.policy.mode if judgement.policy else None,
        "decided_by": {
            "file": where.file,
            "line": where.line,
            "column": where.column,
            "path": where.path,
            "text": where.text,
            "option": where.option or None,
        },
        "kind": _kind(judgement),
        "reason": judgement.reason,
        "verdict": _verdict_data(judgement, judgement.play),
        "verdicts": {
            "include" if include else "omit": _verdict_data(judgement, one) for include, one in judgement.plays.items()
        },
        "preflight_needed": list(judgement.play.preflight_because) if judgement.play else [],
        "preflight": _answer_data(judgement.preflight),
        "response": _answer_data(judgement.response),
        "steps": [step_data(step) for step in _steps(judgement)],
        "remarks": list(_remarks(judgement)),
        "change": _change_data(change),
        "no_change": no_change,
    }


def _change_data(change: Change | None) -> dict[str, object] | None:
    if change is None:
        return None
    how = {"command": change.command} if change.command else {"patch": change.patch}
    return {"summary": change.summary, **how, "warning": change.warning}


def explanation_lines(judgement: Judgement, change: Change | None, no_change: str | None) -> Iterator[str]:
    """Yield the explanation for people: the verdict, then the reasons, then the change."""
    question, where = judgement.question, judgement.decided_by
    verdict = "allowed" if judgement.is_allowed else f"refused: {judgement.reason or 'blocked'}: {judgement.because}"
    yield f"{_asked(judgement)}: {verdict}"
    yield ""
    yield f"route     {_route(judgement)}"
    for miss in judgement.choice.near:
        yield f"          not {miss.route.path}: {miss.why}"
    if judgement.route:
        yield f"upstream  {judgement.route.upstream.name}"
        yield f"policy    {judgement.policy.name if judgement.policy else 'none: it grants nothing'}"
    yield f"decided   {where.file}:{where.line}: {where.text}" if not where.option else f"decided   {where.option}"
    if question.origin is not None:
        yield ""
        yield "browser"
        yield from step_lines(_steps(judgement))
        for include, one in judgement.plays.items():
            verdict = "allowed" if one.allowed else f"refused: {one.failure.why if one.failure else ''}"
            yield f"  credentials {'included' if include else 'omitted'}: {verdict}"
    if judgement.preflight is not None:
        yield from _answer_lines("preflight as the client sees it", judgement.preflight)
    yield from _answer_lines("response as the client sees it (CORS alone)", judgement.response)
    for remark in _remarks(judgement):
        yield f"note: {remark}"
    if change is not None:
        yield ""
        yield f"to allow it: {change.summary}"
        if change.warning:
            yield f"WARNING: {change.warning}"
        yield ""
        yield change.command or change.patch.rstrip("\n")
    elif no_change is not None:
        yield ""
        yield f"to allow it: {no_change}"


def _steps(judgement: Judgement) -> list[Step]:
    """Return the browser's steps, without exposed headers, because the upstream's headers are unknown."""
    steps = judgement.play.steps if judgement.play else ()
    return [step for step in steps if step.check is not Check.EXPOSED]


def _asked(judgement: Judgement) -> str:
    question = judgement.question
    host = f" at {question.host}" if question.host else ""
    page = f" asked by {question.origin}" if question.origin is not None else " without Origin"
    return f"{question.method} {question.path}{host}{page}{' with credentials' if question.credentials else ''}"


def _route(judgement: Judgement) -> str:
    route = judgement.route
    if route is None:
        return f"none: the proxy answers {judgement.response.status}"
    host = f" of {route.host}" if route.host else ""
    return f"{route.path}{host} ({'exact' if route.exact else 'and below'})"


def _kind(judgement: Judgement) -> str:
    """Return `preflight` if the browser sends one first, `actual` if it does not, `none` without Origin."""
    if judgement.play is None:
        return "none"
    return "preflight" if judgement.play.needs_preflight else "actual"


_WHATEVER_THE_MODE = frozenset({"no_policy", "no_route"})
"""Reasons for both credentials modes; the browser only sees that the grant is missing."""


def _verdict_data(judgement: Judgement, play: Play | None) -> dict[str, object]:
    if play is None:
        allowed = judgement.is_allowed
        why = "without Origin it is no CORS request: no browser judges it" if allowed else "there is no route"
        if judgement.refusal is not None:
            why = judgement.refusal.why
        return {"allowed": allowed, "reason": judgement.reason, "why": why}
    verdict = verdict_data(play)
    if play is judgement.play or (not play.allowed and judgement.reason in _WHATEVER_THE_MODE):
        verdict |= {"reason": judgement.reason, "why": judgement.because}
    return verdict


def _answer_data(answer: Answer | None) -> dict[str, object] | None:
    if answer is None:
        return None
    return {"status": answer.status, "headers": [list(pair) for pair in visible(answer.headers)]}


def _answer_lines(title: str, answer: Answer) -> Iterator[str]:
    yield ""
    yield title
    yield f"  {answer.status}"
    for name, value in visible(answer.headers):
        yield f"  {name}: {value}"
    if not answer.headers:
        yield "  (no CORS header)"


def _remarks(judgement: Judgement) -> Iterator[str]:
    """Yield notes beyond the verdict."""
    policy = judgement.policy
    if judgement.choice.is_ambiguous:
        yield "the path has two readings that lead to different routes: the proxy answers 400"
    if policy is not None and policy.mode == "shadow":
        yield "the policy is in shadow mode: it only counts and logs; the client sees the upstream's own CORS headers"
    if policy is not None and policy.on_refused == "reject" and judgement.response.status == 403:
        key = "with --public-origin" if judgement.by_options else "under public_origins"
        yield (
            "the policy rejects: the upstream gets no request; "
            f"if the page is the proxy's own, name its origin {key}: then it passes"
        )
    if policy is not None and policy.cors.allow_any_origin and policy.websockets == "policy":
        remedy = (
            "start corsproxy with --allow-origin ORIGIN, or with --websockets any"
            if judgement.by_options
            else "name the origin under allow_origins, or write 'websockets: any'"
        )
        yield f"'*' allows no page to open a WebSocket, which always carries cookies: {remedy}"
    if judgement.route is not None and judgement.response.status == 200:
        yield "200 represents any status from the upstream"
