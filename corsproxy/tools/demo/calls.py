"""The calls of the demo: one table for the page, for the terminal and for the tests.

The texts explain what a browser does with each answer, and why, to readers who are new to CORS.
This module must not know how a call is made.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a script, and its lesson."""

    id: str
    title: str
    method: str
    path: str
    direct: str
    """What happens if the page calls the API directly."""
    proxied: str
    """What happens if it calls the proxy."""
    headers: tuple[tuple[str, str], ...] = ()
    body: str | None = None
    credentials: bool = False
    reads: tuple[str, ...] = ()
    """Response headers that the script wants to read; they need `expose_headers`."""


CALLS = (
    Call(
        id="get",
        title="A plain GET",
        method="GET",
        path="/orders",
        reads=("X-Total-Count",),
        direct=(
            "The request reached the API and the API answered: CORS does not stop a plain GET. "
            "But the answer names another origin, and names it twice, so the browser throws it away "
            "and the script gets an error that says nothing."
        ),
        proxied=(
            "The proxy removed both wrong lines, whatever their letter case, "
            "and wrote one that names this page's origin. X-Total-Count is readable because the policy exposes it."
        ),
    ),
    Call(
        id="put",
        title="A PUT, which needs a preflight",
        method="PUT",
        path="/orders/7",
        headers=(("Content-Type", "application/json"), ("X-Request-Id", "demo-1")),
        body='{"quantity": 3}',
        direct=(
            "A page may not send a PUT, JSON, or a header of its own to another origin without asking first. "
            "The browser sent OPTIONS, a preflight, and the API answered 405. "
            "The PUT itself was never sent."
        ),
        proxied=(
            "The proxy answered the preflight itself, from the policy, and the API never saw it. "
            "Then the browser sent the PUT, and the proxy handed it on unchanged."
        ),
    ),
    Call(
        id="cookies",
        title="A call with cookies",
        method="GET",
        path="/account",
        credentials=True,
        direct=(
            "The API allows everyone with a star, and credentials too: browsers refuse that pair, "
            "since any website could then read this user's account. "
            "The cookie was sent all the same and the API counted the visit; only the answer is withheld."
        ),
        proxied=(
            "The proxy names this one origin and allows credentials for it. "
            "The count went on from the visit that the direct call made unseen."
        ),
    ),
    Call(
        id="error",
        title="An error answer",
        method="GET",
        path="/reports/2019",
        reads=("X-Error-Reference",),
        direct=(
            "The API forgets CORS when it fails, as many servers do. "
            "The script cannot even learn that the status was 500: "
            "it sees the same empty error as for a server that is down."
        ),
        proxied=(
            "The grant is on every answer, errors included. "
            "The script reads the status, the message and the reference to give to support."
        ),
    ),
)
