"""A play as data for JSON and as lines for people, both without secrets.

It must not know how anything was decided.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from corsproxy.escape import printable
from corsproxy.tools.browser.steps import Answer, Exchange, Outcome, Play, Step

_SECRET = frozenset({"authorization", "cookie", "proxy-authorization", "set-cookie", "x-api-key"})
_SHOWN = frozenset({"location", "timing-allow-origin", "vary", "www-authenticate"})
"""Fields of an answer, besides those of CORS, on which a browser or a cache acts here."""


def play_data(play: Play) -> dict[str, object]:
    """Return a whole play."""
    return {
        "preflight_needed": list(play.preflight_because),
        "exchanges": [exchange_data(exchange) for exchange in play.exchanges],
        "steps": [step_data(step) for step in play.steps],
        "verdict": verdict_data(play),
    }


def verdict_data(play: Play) -> dict[str, object]:
    """Return the outcome for the page."""
    failure = play.failure
    return {
        "allowed": play.allowed,
        "reason": play.reason,
        "step": failure.check.value if failure else None,
        "why": failure.why if failure else None,
        "section": failure.section if failure else None,
        "exposed_headers": sorted(play.exposed),
    }


def step_data(step: Step) -> dict[str, object]:
    """Return one step."""
    return {
        "check": step.check.value,
        "outcome": step.outcome.value,
        "why": step.why,
        "hop": step.hop,
        "reason": step.reason,
        "section": step.section,
    }


def exchange_data(exchange: Exchange) -> dict[str, object]:
    """Return one request with its answer."""
    sent, answer = exchange.sent, exchange.answer
    shown = None
    if answer is not None:
        shown = {"status": answer.status, "headers": [list(pair) for pair in visible(answer.headers)]}
    request = {"method": sent.method, "url": sent.url, "headers": [list(pair) for pair in visible(sent.headers)]}
    return {"kind": sent.kind, "request": request, "response": shown}


def exchange_lines(exchange: Exchange) -> Iterator[str]:
    """Yield one request (`>`) and its answer (`<`), with the fields that matter to CORS."""
    parts = urlsplit(exchange.sent.url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    yield f"{exchange.sent.kind}: {exchange.sent.method} {target or '/'}"
    for name, value in visible(exchange.sent.headers):
        yield f"  > {name}: {value}"
    if exchange.answer is None:
        yield "  < no answer"
        return
    yield f"  < {exchange.answer.status}"
    for name, value in visible(shown_fields(exchange.answer)):
        yield f"  < {name}: {value}"


def step_lines(steps: Iterable[Step]) -> Iterator[str]:
    """Yield the lines of steps, each failure with its link."""
    for step in steps:
        yield f"  {step}"
        if step.outcome is Outcome.FAILED:
            yield f"        {step.section}"


def shown_fields(answer: Answer) -> Iterator[tuple[str, str]]:
    """Yield the fields of an answer on which a browser or a cache acts here."""
    for name, value in answer.headers:
        if name.lower() in _SHOWN or name.lower().startswith("access-control-"):
            yield name, value


def visible(headers: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield headers with secrets hidden and control characters escaped, because strangers' text reaches a terminal."""
    for name, value in headers:
        shown = "(hidden)" if name.lower() in _SECRET and value else value
        yield printable(name), printable(shown)
