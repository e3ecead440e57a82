"""Play the request, then send the further ones, each once, one after the other."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass

from corsproxy.tools.browser import Answer, PageRequest, Play, Send, Sent, names, play
from corsproxy.tools.live.look_alikes import Likeness
from corsproxy.tools.live.wire import UnreachableError, Wire
from corsproxy.tools.probe.findings import findings_of
from corsproxy.tools.probe.further import (
    FurtherAnswer,
    MadeUp,
    Variant,
    asking,
    asking_first,
    in_turn,
    made_up_origins,
    not_found_url,
    with_own_query,
)
from corsproxy.tools.probe.report import ProbeReport
from corsproxy.tools.probe.strangers import grants

_OTHERS = 10
"""The most requests besides those of made-up origins: two of the play, and eight further ones."""


def most_requests(request: PageRequest) -> int:
    """Return how many requests are sent at most, without redirects."""
    return _OTHERS + len(made_up_origins(request.origin, request.url))


def probe(request: PageRequest, wire: Wire, *, is_presumed: bool = False) -> ProbeReport:
    """Play the request, send the further ones, and judge the answers; never raises, whatever the server does.

    `is_presumed` is true if the page's origin was not given.
    """
    problems: list[str] = []

    def send(sent: Sent) -> Answer | None:
        try:
            return wire.send(sent)
        except UnreachableError as error:
            problems.append(str(error))
            return None

    played = play(request, send)
    error = problems[0] if problems else None
    further = () if error or not played.exchanges else tuple(_ask_further(request, played, send))
    findings = () if error else findings_of(played, further, request.origin)
    return ProbeReport(request, played, further, findings, error, is_presumed)


@dataclass(frozen=True, slots=True)
class _Terms:
    """The common part of all further requests."""

    url: str
    method: str
    headers: tuple[tuple[str, str], ...]
    unsafe: tuple[str, ...]


def _ask_further(request: PageRequest, played: Play, send: Send) -> Iterator[FurtherAnswer]:
    """Send the further requests and yield their answers: GETs, or preflights if only those are granted."""
    last = played.exchanges[-1].sent
    headers = tuple((name, value) for name, value in request.headers if not names.is_forbidden_header(name, value))
    headers = tuple((name, value) for name, value in headers if name.lower() != "content-type")
    unsafe = tuple(names.unsafe_names(request.headers))
    terms = _Terms(last.url, names.normalized(request.method), headers, unsafe)
    own = played.exchanges[-1].answer if last.kind == "actual" and last.method == "GET" else None
    for asks, sent in _planned(request, played, terms):
        answer = send(sent)
        if answer is None:
            continue
        if asks is Variant.ITSELF:
            own = answer
        yield FurtherAnswer(asks, sent, answer)
    by_preflight = played.needs_preflight and not (own and grants(own, request.origin)) and _preflight_grants(played)
    word = secrets.token_hex(4)
    for number, made_up in enumerate(made_up_origins(request.origin, terms.url)):
        if made_up.likeness is Likeness.STRANGER and not by_preflight:
            continue  # asked in turn with the page
        if by_preflight:
            sent = asking_first(terms.url, made_up.origin, terms.method, unsafe)
        else:
            sent = asking(with_own_query(terms.url, f"{word}{number}"), made_up.origin, headers)
        answer = send(sent)
        if answer is not None:
            yield FurtherAnswer(made_up, sent, answer)


def _planned(request: PageRequest, played: Play, terms: _Terms) -> Iterator[tuple[Variant | MadeUp, Sent]]:
    """Yield the requests that do not depend on earlier answers."""
    word = secrets.token_hex(4)
    yield Variant.ITSELF, asking(with_own_query(terms.url, word), request.origin, terms.headers)
    if not played.needs_preflight:
        wanted = terms.unsafe or ("authorization",)
        yield Variant.PREFLIGHT, asking_first(terms.url, request.origin, terms.method, wanted)
    yield Variant.NO_ORIGIN, asking(with_own_query(terms.url, f"{word}n"), None, terms.headers)
    yield from in_turn(terms.url, request.origin, terms.headers, word)
    yield Variant.NOT_FOUND, asking(not_found_url(terms.url), request.origin, terms.headers)


def _preflight_grants(played: Play) -> bool:
    first = played.exchanges[0]
    return first.sent.kind == "preflight" and first.answer is not None and grants(first.answer, first.sent.origin or "")
