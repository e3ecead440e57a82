"""Sends the requests of a plan: one after the other at a bounded rate, only OPTIONS, GET and HEAD.

It must not know what the answers mean.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass

from corsproxy.tools.browser import Answer, Sent
from corsproxy.tools.live.wire import UnreachableError, Wire
from corsproxy.tools.verify.plan import RouteToAsk
from corsproxy.tools.verify.questions import Purpose, RouteQuestion

RATE = 50
"""The most requests per second, far below the load that harms a server for browsers."""
_QUERY = "corsproxy-verify"
_COOKIE = "corsproxy-verify=1"


@dataclass(frozen=True, slots=True)
class Answered:
    """One question, with its request and answer."""

    question: RouteQuestion
    sent: Sent
    answer: Answer | None
    error: str | None = None
    """Why there is no answer; None if and only if there is one."""


class PacedAsker:
    """Sends requests at the bounded rate."""

    def __init__(self, wire: Wire, fields: tuple[tuple[str, str], ...], *, shared_keys: bool) -> None:
        self._wire = wire
        self._fields = fields
        """Sent with every GET and HEAD, never with a preflight."""
        self._shared_keys = shared_keys
        self._next = 0.0
        self._word = secrets.token_hex(4)
        """Distinguishes the cache keys of different runs."""
        self._number = 0

    def ask(self, plan: RouteToAsk) -> Iterator[Answered]:
        """Send the requests for one route, and yield the answers; without validators, the one for a 304 is left out."""
        validators: tuple[tuple[str, str], ...] = ()
        keys: dict[int, str] = {}
        for question in plan.questions:
            if question.purpose is Purpose.NOT_MODIFIED and not validators:
                continue
            answered = self._send(question, self._request(plan, question, keys, validators))
            if question.purpose is Purpose.MEMBER and not question.is_preflight and not validators:
                validators = _validators(answered.answer)
            yield answered

    def _send(self, question: RouteQuestion, sent: Sent) -> Answered:
        time.sleep(max(0.0, self._next - time.monotonic()))
        self._next = time.monotonic() + 1 / RATE
        try:
            return Answered(question, sent, self._wire.send(sent))
        except UnreachableError as error:
            return Answered(question, sent, None, str(error))

    def _request(
        self, plan: RouteToAsk, question: RouteQuestion, keys: dict[int, str], validators: tuple[tuple[str, str], ...]
    ) -> Sent:
        origin = (("Origin", question.origin),) if question.origin is not None else ()
        if question.is_preflight:
            wanted = (("Access-Control-Request-Headers", question.header.lower()),) if question.header else ()
            asked = (("Accept", "*/*"), ("Access-Control-Request-Method", question.method), *wanted, *origin)
            return Sent("preflight", "OPTIONS", plan.url, asked)
        url = plan.nowhere if question.asks_nowhere and plan.nowhere else plan.url
        if not self._shared_keys:
            key = keys.setdefault(question.key, self._new_key()) if question.key else self._new_key()
            url = f"{url}{'&' if '?' in url else '?'}{_QUERY}={key}"
        more = validators if question.purpose is Purpose.NOT_MODIFIED else ()
        if question.purpose is Purpose.COOKIE and not any(name.lower() == "cookie" for name, _ in self._fields):
            more = (("Cookie", _COOKIE),)
        return Sent("actual", question.method, url, (("Accept", "*/*"), *self._fields, *more, *origin))

    def _new_key(self) -> str:
        self._number += 1
        return f"{self._word}{self._number}"


def _validators(answer: Answer | None) -> tuple[tuple[str, str], ...]:
    """Return the conditional fields that request the same content again (RFC 9110 section 13.1)."""
    if answer is None or answer.status != 200:
        return ()
    tag, date = answer.combined("ETag"), answer.combined("Last-Modified")
    return tuple(
        (name, value) for name, value in (("If-None-Match", tag), ("If-Modified-Since", date)) if value is not None
    )
