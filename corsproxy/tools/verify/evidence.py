"""A response and the one that the file requires, with a browser's verdict on both.

Functions here return evidence as if a reported fault were fixed, so that it is reported only once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from corsproxy.settings import PolicySettings
from corsproxy.tools.browser import Answer, Finding, checks
from corsproxy.tools.own_answers import OwnAnswers
from corsproxy.tools.verify.asking import Answered
from corsproxy.tools.verify.questions import PAIRS, Purpose, RouteQuestion

SINGLE_FIELDS = (checks.ACAO, checks.ACAC, checks.ACMA)
"""Fields that a browser accepts only once."""

_STRANGERS = frozenset({Purpose.LOOK_ALIKE, Purpose.COOKIE, *PAIRS})


@dataclass(frozen=True, slots=True)
class Evidence:
    """One question with both answers."""

    question: RouteQuestion
    answer: Answer
    """The deployment's."""
    own: Answer
    """The file's; for an actual request as if the upstream answered 200."""

    @property
    def origin(self) -> str:
        """The origin of the request; empty for none."""
        return self.question.origin or ""

    @property
    def is_actual(self) -> bool:
        """Return whether it is a GET or HEAD."""
        return not self.question.is_preflight

    @property
    def wants_credentials(self) -> bool:
        """Return whether the file grants credentials."""
        return self.own.combined(checks.ACAC) == "true"

    @property
    def is_asked_as_member(self) -> bool:
        """Return whether the file allows the origin, even if it refuses the request for another reason."""
        return bool(self.origin) and (self.question.purpose not in _STRANGERS or self.wants())

    def wants(self) -> bool:
        """Return whether the file grants this origin, with or without credentials."""
        return checks.cors_check(self.own, self.origin, include=False).ok

    def check(self) -> Finding:
        """Return the result of the CORS check, with credentials if the file grants them."""
        return checks.cors_check(self.answer, self.origin, include=self.wants_credentials)

    def why_refused(self, answer: Answer) -> str | None:
        """Return why a preflight with this answer fails; None if it passes.

        The text begins with `method` or `header` if one of these is the cause.
        """
        include = self.wants_credentials and answer.combined(checks.ACAC) == "true"
        status = checks.status_check(answer)
        if not status.ok:
            return status.why
        allowed = checks.cors_check(answer, self.origin, include=False)
        if not allowed.ok:
            return allowed.why
        method = checks.method_check(answer, self.question.method, include=include)
        if not method.ok:
            return f"method {method.why}"
        unsafe = (self.question.header.lower(),) if self.question.header else ()
        header = checks.headers_check(answer, unsafe, include=include)
        return None if header.ok else f"header {header.why}"

    def gets(self) -> bool:
        """Return whether the answer grants this origin, with or without credentials."""
        return checks.cors_check(self.answer, self.origin, include=False).ok

    def grant(self) -> str | None:
        """Return Access-Control-Allow-Origin."""
        return self.answer.combined(checks.ACAO)


def evidence_of(answered: Iterable[Answered], policies: Sequence[PolicySettings]) -> list[Evidence]:
    """Return the evidence of the questions that were answered."""
    own = OwnAnswers(tuple(policies))
    return [Evidence(one.question, one.answer, own.answer(one.sent)) for one in answered if one.answer is not None]


def doubled_fields(one: Evidence) -> list[str]:
    """Return the fields that occur more than once and must not."""
    found = [name for name in SINGLE_FIELDS if len(one.answer.lines(name)) > 1]
    if checks.ACAO not in found and "," in (one.grant() or ""):
        found.append(checks.ACAO)
    return found


def with_single_lines(one: Evidence) -> Evidence:
    """Return the evidence with each of these fields once, with the value that suits the page."""
    fields = one.answer.headers
    for name in doubled_fields(one):
        values = [part.strip() for line in one.answer.lines(name) for part in line.split(",")]
        best = next((value for value in values if value in {one.origin, "true"}), values[0])
        fields = (*without(fields, name), (name, best))
    return replace(one, answer=replace(one.answer, headers=fields))


def with_own_origin(one: Evidence) -> Evidence:
    """Return the evidence with the star replaced by the origin if the file allows it, or removed."""
    fields = without(one.answer.headers, checks.ACAO)
    if one.is_asked_as_member:
        fields += ((checks.ACAO, one.origin),)
    if one.wants_credentials:
        fields = (*without(fields, checks.ACAC), (checks.ACAC, "true"))
    return replace(one, answer=replace(one.answer, headers=fields))


def without(fields: tuple[tuple[str, str], ...], name: str) -> tuple[tuple[str, str], ...]:
    """Return the fields without those of one name."""
    return tuple(field for field in fields if field[0].lower() != name.lower())


def members(evidence: Iterable[Evidence], *, preflight: bool) -> list[Evidence]:
    """Return the evidence of allowed origins, for preflights or for actual requests."""
    return [
        one for one in evidence if one.question.purpose is Purpose.MEMBER and one.question.is_preflight == preflight
    ]
