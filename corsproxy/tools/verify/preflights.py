"""Differences in preflights: their status, their grant, each method and header name, and max age."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from corsproxy.tools.browser import checks, names
from corsproxy.tools.verify.difference import Code, Found
from corsproxy.tools.verify.evidence import Evidence
from corsproxy.tools.verify.origins import refused_members
from corsproxy.tools.verify.plan import RouteToAsk

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_HARMLESS_NAMES = frozenset({"accept", "accept-language", "content-language", "*"})
"""Safelisted names; a star is judged by what it allows."""
_LONGEST = max(checks.MAX_AGE_CAPS.values())


def preflight_differences(evidence: Sequence[Evidence], plan: RouteToAsk) -> Iterator[Found]:
    """Yield the differences in preflights."""
    refused = refused_members(evidence)
    preflights = [one for one in evidence if one.question.is_preflight and one.origin not in refused]
    wanted = [one for one in preflights if one.why_refused(one.own) is None]
    if not wanted:
        yield from _extra(preflights, plan)
        return
    broken = [one for one in wanted if not checks.status_check(one.answer).ok]
    if len(broken) == len(wanted):
        yield _broken(broken)
        return
    bare = [one for one in wanted if one not in broken and not one.gets()]
    if len(bare) + len(broken) == len(wanted):
        yield Found(Code.PREFLIGHT_WITHOUT_GRANT, bare[0].check().why, _origins(bare))
        return
    yield from _missing(wanted)
    yield from _extra(preflights, plan)
    yield from _max_age(wanted, plan)


def _broken(broken: Sequence[Evidence]) -> Found:
    """Return the one difference for the status of all preflights."""
    one = broken[0]
    status = one.answer.status
    names_ = (str(status),)
    if status in {401, 407}:
        return Found(Code.PREFLIGHT_NEEDS_LOGIN, f"preflights get {status}", _origins(broken), names=names_)
    if status in _REDIRECTS:
        location = one.answer.combined("Location") or "nowhere"
        return Found(
            Code.PREFLIGHT_REDIRECTED, f"preflights get {status} to {location}", _origins(broken), names=names_
        )
    return Found(Code.PREFLIGHT_FAILS, f"preflights get {status}, not 200 to 299", _origins(broken), names=names_)


def _missing(wanted: Sequence[Evidence]) -> Iterator[Found]:
    """Yield differences about methods and header names that the file allows and the deployment refuses."""
    methods: dict[str, str] = {}
    headers: dict[str, str] = {}
    others: list[Evidence] = []
    for one in wanted:
        why = one.why_refused(one.answer)
        if why is None:
            continue
        if one.question.header is not None and not why.startswith("method"):
            headers.setdefault(one.question.header, why.removeprefix("header "))
        elif one.question.method not in names.SAFELISTED_METHODS:
            methods.setdefault(one.question.method, why.removeprefix("method "))
        else:
            others.append(one)
    if others and not methods and not headers:
        yield Found(
            Code.PREFLIGHT_FAILS, f"of some origins: {others[0].why_refused(others[0].answer)}", _origins(others)
        )
    if methods:
        first = next(iter(methods.values()))
        yield Found(Code.METHOD_NOT_GRANTED, f"{', '.join(methods)}: {first}", names=tuple(methods))
    # If the method is refused, too, nothing is known about the headers.
    headers = {name: why for name, why in headers.items() if not methods or "is not allowed" not in why}
    starred = next((name for name, why in headers.items() if name.lower() == "authorization" and "star" in why), None)
    if starred is not None:
        why = headers.pop(starred)
        if not headers:
            yield Found(Code.AUTHORIZATION_NOT_GRANTED, f"Authorization: {why}", names=("Authorization",))
        else:
            headers[starred] = why
    if headers:
        first = next(iter(headers.values()))
        yield Found(Code.HEADER_NOT_GRANTED, f"{', '.join(headers)}: {first}", names=tuple(headers))


def _extra(preflights: Sequence[Evidence], plan: RouteToAsk) -> Iterator[Found]:
    """Yield differences about methods and header names that the deployment allows and the file does not."""
    methods: dict[str, None] = {}
    headers: dict[str, None] = {}
    for one in preflights:
        if not one.is_asked_as_member or not one.gets() or not checks.status_check(one.answer).ok:
            continue  # a stranger's grant is reported as a difference of origins
        spec = plan.policies[one.question.policy].cors.spec
        allowed_methods = set(spec.allow_methods)
        allowed_headers = {name.lower() for name in spec.allow_headers}
        if "*" not in allowed_methods:
            listed = set(checks.members(one.answer, checks.ACAM) or ())
            if _passes_method(one):
                listed.add(one.question.method)
            methods |= dict.fromkeys(sorted(listed - allowed_methods - names.SAFELISTED_METHODS))
        asked = (one.question.header or "").lower()
        if asked and asked not in allowed_headers and _passes_header(one, asked) and one.why_refused(one.own):
            headers[asked] = None
        if "*" not in allowed_headers:
            named = {name.lower() for name in checks.members(one.answer, checks.ACAH) or ()}
            headers |= dict.fromkeys(sorted(name for name in named - allowed_headers if _can_be_set(name)))
    methods.pop("*" if len(methods) > 1 else "", None)
    if methods:
        shown = "any method" if list(methods) == ["*"] else ", ".join(methods)
        yield Found(Code.METHOD_GRANTED, f"the file does not allow {shown}", names=tuple(methods))
    if headers:
        yield Found(Code.HEADER_GRANTED, f"the file does not allow {', '.join(headers)}", names=tuple(headers))


def _passes_method(one: Evidence) -> bool:
    include = one.wants_credentials
    return checks.method_check(one.answer, one.question.method, include=include).ok


def _passes_header(one: Evidence, name: str) -> bool:
    include = one.wants_credentials
    return checks.headers_check(one.answer, (name,), include=include).ok


def _can_be_set(name: str) -> bool:
    """Return whether a script could set a header of this name, and needs permission."""
    return name not in _HARMLESS_NAMES and not names.is_forbidden_header(name, "")


def _max_age(wanted: Sequence[Evidence], plan: RouteToAsk) -> Iterator[Found]:
    passed = [one for one in wanted if one.why_refused(one.answer) is None]
    if not passed or not plan.policies:
        return
    spec = plan.policies[passed[0].question.policy].cors.spec
    answer = passed[0].answer
    if min(checks.max_age(answer), _LONGEST) != min(spec.max_age, _LONGEST):
        value = answer.combined(checks.ACMA)
        seen = f"is {value!r}" if value is not None else "is missing, which is 5 seconds"
        yield Found(
            Code.MAX_AGE_DIFFERS,
            f"{checks.ACMA} {seen}; the file says {spec.max_age}",
            _origins(passed[:1]),
            policy=passed[0].question.policy,
        )


def _origins(ones: Sequence[Evidence]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.origin for one in ones))
