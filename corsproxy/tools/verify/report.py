"""A verification, and its plan, as text for people and as data that JSON can hold.

It must not know how anything was found.
"""

from __future__ import annotations

from collections.abc import Iterator

from corsproxy.tools.verify.outcome import Difference, VerifyOutcome
from corsproxy.tools.verify.plan import RouteToAsk, VerifyPlan
from corsproxy.tools.verify.questions import RouteQuestion

_SHOWN = 3
"""The most origins of a difference in the text; JSON has them all."""


def outcome_data(outcome: VerifyOutcome) -> dict[str, object]:
    """Return the outcome as data."""
    return {
        "url": outcome.plan.url,
        "host": outcome.plan.host or None,
        "file": outcome.file,
        "error": outcome.error,
        "requests": outcome.requests,
        "routes": [
            {
                "route": route.plan.route.path,
                "url": route.plan.url,
                "policies": [policy.name for policy in route.plan.policies],
                "requests": route.requests,
                "differences": len(route.differences),
                "notes": list(route.plan.notes),
            }
            for route in outcome.routes
        ],
        "not_asked": [{"route": one.route.path, "why": one.why} for one in outcome.plan.not_asked],
        "differences": [_difference_data(one) for one in outcome.differences],
    }


def _difference_data(difference: Difference) -> dict[str, object]:
    found, meaning, place = difference.found, difference.meaning, difference.place
    return {
        "code": found.code.value,
        "route": difference.route.route.path,
        "url": difference.route.url,
        "origins": list(found.origins),
        "names": list(found.names),
        "message": found.message,
        "browser": meaning.browser,
        "rule": meaning.rule,
        "file": place.file,
        "line": place.line,
        "column": place.column,
        "path": place.path,
        "option": place.option or None,
    }


def outcome_lines(outcome: VerifyOutcome) -> Iterator[str]:
    """Yield the outcome for people: a table of the routes, then each difference."""
    rows = [
        (one.plan.route.path, one.plan.url, str(one.requests), str(len(one.differences) or "none"))
        for one in outcome.routes
    ]
    yield from _table([("route", "asked at", "requests", "differences"), *rows])
    for route in outcome.routes:
        for note in route.plan.notes:
            yield f"note: {route.plan.route.path}: {note}"
    yield from _not_asked(outcome.plan)
    for difference in outcome.differences:
        yield ""
        yield from _difference_lines(difference)
    yield ""
    count = len(outcome.differences)
    summary = "no difference" if not count else f"{count} difference{'s' if count > 1 else ''}"
    yield f"{summary} ({outcome.requests} requests)"


def _difference_lines(difference: Difference) -> Iterator[str]:
    found, meaning, place = difference.found, difference.meaning, difference.place
    yield f"{difference.route.route.path}: {found.code}: {found.message}"
    if found.origins:
        more = f" and {len(found.origins) - _SHOWN} more" if len(found.origins) > _SHOWN else ""
        yield f"    asked as   {', '.join(found.origins[:_SHOWN])}{more}"
    yield f"    a browser  {meaning.browser}"
    yield f"    the file   {place}"
    yield f"    the rule   {meaning.rule}"


def plan_data(plan: VerifyPlan) -> dict[str, object]:
    """Return the plan as data."""
    return {
        "url": plan.url,
        "host": plan.host or None,
        "requests": plan.requests,
        "routes": [
            {
                "route": route.route.path,
                "policies": [policy.name for policy in route.policies],
                "notes": list(route.notes),
                "requests": [
                    {"method": method, "url": url, "fields": list(map(list, fields)), "asks": question.purpose.value}
                    for question, method, url, fields in (_request(route, one) for one in route.questions)
                ],
            }
            for route in plan.routes
        ],
        "not_asked": [{"route": one.route.path, "why": one.why} for one in plan.not_asked],
    }


def plan_lines(plan: VerifyPlan) -> Iterator[str]:
    """Yield the plan for people."""
    for route in plan.routes:
        policies = ", ".join(policy.name for policy in route.policies) or "no policy"
        yield f"{route.route.path} ({policies}): {len(route.questions)} requests to {route.url}"
        for note in route.notes:
            yield f"  note: {note}"
        for question in route.questions:
            _, method, url, fields = _request(route, question)
            shown = "; ".join(f"{name}: {value}" for name, value in fields) or "no Origin"
            below = " (a path below it)" if url != route.url else ""
            yield f"  {method}{below}  {shown}"
    yield from _not_asked(plan)
    yield f"{plan.requests} requests at most"


def _request(route: RouteToAsk, question: RouteQuestion) -> tuple[RouteQuestion, str, str, tuple[tuple[str, str], ...]]:
    """Return the question, the method, the URL without a unique query, and the fields that matter to CORS."""
    fields: tuple[tuple[str, str], ...] = (("Origin", question.origin),) if question.origin is not None else ()
    if question.is_preflight:
        fields += (("Access-Control-Request-Method", question.method),)
        if question.header:
            fields += (("Access-Control-Request-Headers", question.header.lower()),)
    is_nowhere = question.asks_nowhere and route.nowhere
    url = (route.nowhere or "") if is_nowhere else route.url
    return question, "OPTIONS" if question.is_preflight else question.method, url, fields


def _not_asked(plan: VerifyPlan) -> Iterator[str]:
    for one in plan.not_asked:
        yield f"not asked: {one.route.path}: {one.why}"


def _table(rows: list[tuple[str, str, str, str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
