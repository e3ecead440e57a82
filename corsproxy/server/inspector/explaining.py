"""`explain` for the page: a question from a query string, answered by the configuration in force.

The only module of the server that imports `corsproxy.tools`.
In quick mode there is no file: the explanation shows the one that the options are equivalent to, and the change that
would allow a request is a command line.
Knows nothing about HTTP except the names and values of a query.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from corsproxy.config import Configuration
from corsproxy.errors import UsageError
from corsproxy.tools.explain import Question, ask, explain

_LONGEST = {"path": 2048, "origin": 512, "method": 64, "host": 300, "header": 256, "credentials": 1}
"""The most characters of each value; a valid origin has at most some 270 (https, 253 of the host, a port)."""

_MOST_HEADERS = 64
"""The most header names of a question; a browser sends all of them in one Access-Control-Request-Headers."""


def question_of(query: Sequence[tuple[str, str]]) -> Question:
    """Return the question in the pairs of a query; raises `UsageError` for an unknown parameter or a long value."""
    values: dict[str, str] = {}
    headers: list[str] = []
    for name, value in query:
        if name not in _LONGEST:
            raise UsageError(f"unknown parameter {name[:40]!r}: one of {', '.join(_LONGEST)}")
        if len(value) > _LONGEST[name]:
            raise UsageError(f"{name}: more than {_LONGEST[name]} characters")
        if name == "header":
            headers.append(value)
        else:
            values[name] = value
    if len(headers) > _MOST_HEADERS:
        raise UsageError(f"header: more than {_MOST_HEADERS} names")
    return ask(
        values.get("path", "/"),
        origin=values.get("origin") or None,
        method=values.get("method") or "GET",
        headers=tuple(headers),
        credentials=values.get("credentials") == "1",
        host=values.get("host") or None,
    )


def explain_in_force(configuration: Configuration, question: Question) -> dict[str, object]:
    """Return the explanation of one request, as `corsproxy explain --format json` writes it.

    With `quick`, the file is not one of the user's, and `change` may have a `command` in place of a `patch`.
    """
    loaded = configuration.loaded
    if not loaded.is_quick:
        return {**explain(loaded, question, os.environ), "quick": False}
    return {**explain(loaded, question, {}, configuration.source.options), "quick": True}
