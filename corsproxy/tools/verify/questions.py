"""The questions about one route, each one request, derived from its policies.

Pure: policies in, questions out; the answers are judged elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from corsproxy.cors import Policy
from corsproxy.tools.browser import names
from corsproxy.tools.live.look_alikes import STRANGER, Likeness, look_alikes, strangers
from corsproxy.tools.own_answers import FORWARDED_METHODS
from corsproxy.tools.verify.members import Member, members_of

MAX_MEMBERS = 1000
"""The most allowed origins to send: 20 seconds at the bounded rate."""
MAX_BASES = 25
"""The most allowed origins whose look-alikes are sent."""
_WHOLE_SETS = 3
"""Allowed origins with look-alikes of every kind; the others have only those in `_COMMON_LIKENESSES`."""
_COMMON_LIKENESSES = frozenset(
    {
        Likeness.INSECURE, Likeness.PORT, Likeness.PREFIX, Likeness.SUFFIX, Likeness.SIBLING_SUFFIX, Likeness.SUBDOMAIN,
        Likeness.SIBLING, Likeness.APEX, Likeness.UPPER_CASE,
    }
)  # fmt: skip
_UNWANTED_METHODS = ("PUT", "PATCH", "DELETE")
UNWANTED_HEADER = "X-Corsproxy-Verify"


class Purpose(StrEnum):
    """The purpose of a question."""

    MEMBER = "an allowed origin"
    LOOK_ALIKE = "an origin that is not allowed"
    METHOD = "a method"
    HEADER = "a header"
    NO_ORIGIN = "no Origin"
    COOKIE = "a stranger with a cookie"
    HEAD = "HEAD"
    NOT_FOUND = "where there is nothing"
    NOT_MODIFIED = "the same content again"
    CACHE_FILLED_BY_OTHER = "another origin first, then this one"
    CACHE_FILLED_BY_MEMBER = "this origin first, then another"


PAIRS = frozenset({Purpose.CACHE_FILLED_BY_OTHER, Purpose.CACHE_FILLED_BY_MEMBER})


@dataclass(frozen=True, slots=True)
class RouteQuestion:
    """One request to send."""

    purpose: Purpose
    method: str
    """GET or HEAD; for a preflight, the requested method."""
    origin: str | None
    is_preflight: bool = False
    header: str | None = None
    """The header name that a preflight requests."""
    likeness: Likeness | None = None
    resembles: str | None = None
    """The allowed origin from which a look-alike is made."""
    rule: int | None = None
    """The index in `allow_origins` of the origin, or of the one that it resembles."""
    policy: int = 0
    """The index of the policy that decides, among those of the route."""
    key: int = 0
    """Requests with the same number share a URL; 0 is a unique URL."""

    @property
    def asks_nowhere(self) -> bool:
        """Return whether the path is the one that does not exist."""
        return self.purpose is Purpose.NOT_FOUND


@dataclass(frozen=True, slots=True)
class RouteQuestions:
    """The questions, with notes on what is left out."""

    questions: tuple[RouteQuestion, ...]
    notes: tuple[str, ...] = ()


def questions_of(policies: Sequence[Policy], methods: frozenset[str] | None, others: Sequence[str]) -> RouteQuestions:
    """Return the questions for a route under its policies; without a policy no origin may be granted.

    `methods` are those of the route, or None for all; `others` are origins that other routes of the file allow.
    """
    members: list[Member] = []
    notes: list[str] = []
    for place, policy in enumerate(policies):
        found, without = members_of(policy, place)
        members += found
        notes += (f"no member could be made up of {policy.spec.allow_origins[rule].text!r}" for rule in without)
    kept = _spread(members, MAX_MEMBERS)
    if len(kept) < len(members):
        notes.append(f"{len(kept)} of {len(members)} allowed origins are asked")
    has_get = methods is None or "GET" in methods
    made = [*_actual(kept, policies, others)] if has_get else []
    for place, policy in enumerate(policies):
        made += _preflights([one for one in kept if one.policy == place], policy, methods)
    made += _strangers_preflights(policies, methods)
    seen: dict[tuple[object, ...], RouteQuestion] = {}
    for one in made:
        if methods is None or one.method in methods:
            again = (one.purpose if one.key or one.purpose in _ALONE else "", one.method, one.origin, one.is_preflight)
            seen.setdefault((*again, one.header, one.key), one)
    return RouteQuestions(tuple(seen.values()), tuple(notes))


_ALONE = frozenset({Purpose.NOT_FOUND, Purpose.NOT_MODIFIED, Purpose.COOKIE})
"""Purposes whose questions differ from others with the same method and origin."""


def _actual(members: Sequence[Member], policies: Sequence[Policy], others: Sequence[str]) -> Iterator[RouteQuestion]:
    for member in members:
        yield RouteQuestion(Purpose.MEMBER, "GET", member.origin, rule=member.rule, policy=member.policy)
    yield RouteQuestion(Purpose.NO_ORIGIN, "GET", None)
    if not policies or not all(policy.grants_everyone for policy in policies):
        yield from _look_alikes(members)
        for origin in others:
            yield RouteQuestion(Purpose.LOOK_ALIKE, "GET", origin)
    yield RouteQuestion(Purpose.COOKIE, "GET", STRANGER, likeness=Likeness.STRANGER)
    first = next((one for one in members if one.origin != "null"), None)
    if first is None:
        return
    for purpose, method in ((Purpose.HEAD, "HEAD"), (Purpose.NOT_FOUND, "GET"), (Purpose.NOT_MODIFIED, "GET")):
        yield RouteQuestion(purpose, method, first.origin, rule=first.rule, policy=first.policy)
    if not any(policy.grants_everyone for policy in policies):
        other = next((one.origin for one in members if one.origin not in {first.origin, "null"}), STRANGER)
        for key, pair in ((1, (other, first.origin)), (2, (first.origin, other))):
            purpose = Purpose.CACHE_FILLED_BY_OTHER if key == 1 else Purpose.CACHE_FILLED_BY_MEMBER
            for origin in pair:
                yield RouteQuestion(purpose, "GET", origin, key=key, rule=first.rule, policy=first.policy)


def _look_alikes(members: Sequence[Member]) -> Iterator[RouteQuestion]:
    for likeness, origins in strangers().items():
        for origin in origins:
            yield RouteQuestion(Purpose.LOOK_ALIKE, "GET", origin, likeness=likeness)
    bases: dict[str, Member] = {}
    rules = set()
    for member in members:
        if member.base is None or member.base == "null" or (member.policy, member.rule) in rules:
            continue
        rules.add((member.policy, member.rule))
        bases.setdefault(member.base, member)
        if member.base != member.origin:
            # A pattern does not match its apex, and look-alikes of a whole member matter too.
            yield RouteQuestion(
                Purpose.LOOK_ALIKE, "GET", member.base, likeness=Likeness.APEX, resembles=member.base,
                rule=member.rule, policy=member.policy,
            )  # fmt: skip
            bases.setdefault(member.origin, member)
    for place, (base, member) in enumerate(list(bases.items())[:MAX_BASES]):
        for likeness, origins in look_alikes(base).items():
            for origin in origins if place < _WHOLE_SETS or likeness in _COMMON_LIKENESSES else ():
                yield RouteQuestion(
                    Purpose.LOOK_ALIKE, "GET", origin, likeness=likeness, resembles=base, rule=member.rule,
                    policy=member.policy,
                )  # fmt: skip


def _preflights(members: Sequence[Member], policy: Policy, methods: frozenset[str] | None) -> Iterator[RouteQuestion]:
    """Yield preflights of every allowed origin, then of the first one for each method and header."""
    method, header = _typical(policy, methods)
    for one in members:
        yield RouteQuestion(
            Purpose.MEMBER, method, one.origin, is_preflight=True, header=header, rule=one.rule, policy=one.policy
        )
    first = next((one for one in members if one.origin != "null"), None)
    if first is None:
        return
    plain = _plain(methods)
    for wanted in (plain, *_methods(policy.spec.allow_methods, methods, with_others=True)):
        yield RouteQuestion(
            Purpose.METHOD, wanted, first.origin, is_preflight=True, rule=first.rule, policy=first.policy
        )
    for name in dict.fromkeys((*policy.spec.allow_headers, "Authorization", UNWANTED_HEADER)):
        if name != "*":
            yield RouteQuestion(
                Purpose.HEADER, plain, first.origin, is_preflight=True, header=name, rule=first.rule,
                policy=first.policy,
            )  # fmt: skip


def _strangers_preflights(policies: Sequence[Policy], methods: frozenset[str] | None) -> Iterator[RouteQuestion]:
    method, header = _typical(policies[0], methods) if policies else (_plain(methods), None)
    for origin, likeness in ((STRANGER, Likeness.STRANGER), ("null", Likeness.NULL)):
        yield RouteQuestion(Purpose.LOOK_ALIKE, method, origin, is_preflight=True, header=header, likeness=likeness)


def _typical(policy: Policy, methods: frozenset[str] | None) -> tuple[str, str | None]:
    """Return a method and a header name that the policy allows and that need a preflight, if there are any."""
    named = next((name for name in policy.spec.allow_headers if name != "*"), None)
    if named is not None:
        return _plain(methods), named
    return next(_methods(policy.spec.allow_methods, methods, with_others=False), _plain(methods)), None


def _plain(methods: frozenset[str] | None) -> str:
    """Return a method of the route that needs no permission, if it has one."""
    if methods is None or "GET" in methods:
        return "GET"
    return next((method for method in sorted(names.SAFELISTED_METHODS & methods)), min(methods))


def _methods(allowed: Sequence[str], methods: frozenset[str] | None, *, with_others: bool) -> Iterator[str]:
    """Yield methods that need permission: the allowed ones and, `with_others`, others."""
    others = _UNWANTED_METHODS if with_others else ()
    for method in dict.fromkeys((*allowed, *others)):
        fits = methods is None or method in methods
        if method != "*" and fits and method in FORWARDED_METHODS - names.SAFELISTED_METHODS:
            yield method


def _spread(members: Sequence[Member], most: int) -> list[Member]:
    """Return at most `most` members, spread evenly over the list."""
    if len(members) <= most:
        return list(members)
    return [members[index * len(members) // most] for index in range(most)]
