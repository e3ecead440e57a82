"""Differences in responses to GET and HEAD: errors, 304, HEAD, and the header names that a page may read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from corsproxy.tools.browser import checks, names
from corsproxy.tools.verify.difference import Code, Found
from corsproxy.tools.verify.evidence import Evidence, members
from corsproxy.tools.verify.origins import refused_members
from corsproxy.tools.verify.plan import RouteToAsk
from corsproxy.tools.verify.questions import Purpose

_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "upgrade", "trailer"})
"""Fields of one hop, which may differ on another hop or with HTTP/2."""


def content_differences(evidence: Sequence[Evidence], plan: RouteToAsk) -> Iterator[Found]:
    """Yield the differences in answers to GET and HEAD."""
    refused = refused_members(evidence)
    actual = [one for one in evidence if one.is_actual and one.wants() and one.origin and one.origin not in refused]
    yield from _errors(actual)
    yield from _exposed(actual, plan)


def _errors(actual: Sequence[Evidence]) -> Iterator[Found]:
    """Yield differences about errors, 304 and HEAD without a grant."""
    plain = [one for one in members(actual, preflight=False) if not one.gets()]
    nowhere = [one for one in actual if one.question.purpose is Purpose.NOT_FOUND and not one.gets()]
    again = [one for one in actual if one.question.purpose is Purpose.NOT_MODIFIED and not one.gets()]
    head = [one for one in actual if one.question.purpose is Purpose.HEAD and not one.gets()]
    errors = [*plain, *nowhere, *(one for one in again if one.answer.status != 304)]
    if errors:
        statuses = tuple(dict.fromkeys(str(one.answer.status) for one in errors))
        message = f"answers of {', '.join(statuses)} have no grant"
        yield Found(Code.ERROR_WITHOUT_GRANT, message, (errors[0].origin,), names=statuses)
    if not plain and any(one.answer.status == 304 for one in again):
        yield Found(Code.NOT_MODIFIED_WITHOUT_GRANT, "304 has no grant", (again[0].origin,), names=("304",))
    if not plain and head:
        message = f"HEAD gets {head[0].answer.status}, without a grant; GET gets one"
        yield Found(Code.HEAD_WITHOUT_GRANT, message, (head[0].origin,), names=(str(head[0].answer.status),))


def _exposed(actual: Sequence[Evidence], plan: RouteToAsk) -> Iterator[Found]:
    """Yield differences in the response headers that a page may read."""
    one = next((one for one in members(actual, preflight=False) if one.gets()), None)
    if one is None or not plan.policies:
        return
    include = one.wants_credentials
    written = {name.lower(): name for name in plan.policies[one.question.policy].cors.spec.expose_headers}
    listed = {name.lower(): name for name in checks.members(one.answer, checks.ACEH) or ()}
    readable = checks.readable_names(one.answer, include=include)
    free = names.SAFELISTED_RESPONSE_NAMES | names.FORBIDDEN_RESPONSE_NAMES
    if "*" in written:
        present = {name.lower() for name, _ in one.answer.headers if not name.lower().startswith("access-control-")}
        hidden = sorted(present - free - readable - _HOP_BY_HOP)
        if "*" in listed and include:
            hidden = hidden or ["*"]
    else:
        star = "*" in listed and not include
        hidden = [] if star else [name for low, name in written.items() if low not in listed and low not in free]
        extra = [name for low, name in listed.items() if low not in written and low not in free]
        if "*" in extra and include:
            extra.remove("*")  # with credentials it is a name like any other
        if extra:
            shown = "any header" if extra == ["*"] else ", ".join(extra)
            yield Found(
                Code.NAME_EXPOSED,
                f"the file does not expose {shown}",
                (one.origin,),
                policy=one.question.policy,
                names=tuple(extra),
            )
    if hidden:
        value = one.answer.combined(checks.ACEH)
        seen = f"{checks.ACEH} is {value!r}" if value is not None else f"{checks.ACEH} is missing"
        yield Found(Code.NAME_NOT_EXPOSED, f"{', '.join(hidden)}: {seen}", (one.origin,), names=tuple(hidden))
