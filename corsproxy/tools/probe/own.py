"""Explains responses that refuse a request for another reason than CORS: corsproxy's own, and any server's errors.

A browser only sees that the grant is missing, but the remedy is a different one.
Pure functions of an answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from corsproxy.tools.browser import Answer, checks


@dataclass(frozen=True, slots=True)
class Explained:
    """The explanation of an answer."""

    code: str | None
    """A code for the finding, if possible from the closed list of reasons; None to keep that of the failed step."""
    message: str
    fix: str

    @property
    def reason(self) -> str | None:
        """The reason; None if the closed list has none."""
        return self.code if self.code is not None and not self.code.startswith("blocked_") else None


_EXPLAIN = (
    "ask 'corsproxy explain' with the path, the origin, the method and the headers: it names the line that refuses"
)
_REFUSED = re.compile(r"(?:preflight|request) refused: ([a-z_]+): ")

_OWN_TEXTS = (
    (404, "no route leads to", Explained("no_route", "corsproxy has no route for this host and path", "add a route")),
    (
        431,
        "the head of the request is larger",
        Explained(
            "blocked_head_too_large",
            "corsproxy takes no request head as large as this one",
            "send fewer or shorter headers and cookies, or raise limits.max_header_bytes and limits.max_header_lines",
        ),
    ),
    (
        501,
        "this method is not known",
        Explained(
            "method_not_allowed",
            "corsproxy cannot carry this method, whatever a policy allows",
            "have the page use a method of HTTP in capitals: PATCH, not patch",
        ),
    ),
    (
        400,
        "two ways that lead to different routes",
        Explained(
            "blocked_path", "corsproxy refuses a path that two servers could read differently", "ask a plain path"
        ),
    ),
    (
        400,
        "this is not a valid HTTP/1.1 request",
        Explained(
            "blocked_request", "corsproxy takes this for no valid request", "look for control bytes in header values"
        ),
    ),
)
"""The status, a part of corsproxy's text, and its explanation."""

_ANY_SERVERS = {
    400: ("the server takes the request for invalid", "see what it says in its log"),
    401: ("the server wants a login first", "answer with the grant on 401 too; have the page send its login"),
    404: (
        "there is nothing at this path",
        "look at the path; errors need the grant, too, for a page to see the status",
    ),
    405: ("the server does not know this method here", "have it answer OPTIONS with the grant"),
    413: ("the request is too large for the server", "raise its limit; errors need the grant, too"),
    429: ("the server wants fewer requests", "wait; errors need the grant, too, for a page to see the status"),
    431: ("the request's head is too large for the server", "send fewer or shorter headers and cookies"),
    501: ("the server does not know this method", "have the page use another"),
}


def explain_answer(answer: Answer) -> Explained | None:
    """Return the explanation of an error without a grant; None if CORS is the only cause."""
    if answer.lines(checks.ACAO) or answer.status < 400:
        return None
    if answer.media_type == "text/plain":
        for status, begins, explained in _OWN_TEXTS:
            if answer.status == status and begins in answer.text:
                return explained
        refused = _REFUSED.match(answer.text)
        if refused is not None:
            text = answer.text.strip().splitlines()[0]
            return Explained(refused[1], f"corsproxy says: {text}", _EXPLAIN)
    if answer.status >= 500 and answer.status not in _ANY_SERVERS:
        return Explained(
            None,
            f"the server, or one before it, failed with {answer.status} and without a grant",
            "see its log; errors need the grant, too, for a page to see the status",
        )
    known = _ANY_SERVERS.get(answer.status)
    return Explained(None, f"{known[0]} ({answer.status})", known[1]) if known else None
