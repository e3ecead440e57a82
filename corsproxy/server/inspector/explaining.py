"""`explain` for the page: a question from its address line, asked of the configuration in force.

The only place where the process knows `corsproxy.tools`.
In quick mode there is no file to point into: the one that the options stand for is written, and what would allow a
request is a command line.
Knows nothing of HTTP but names and values of a query.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from corsproxy.config import ConfigError, load_quick
from corsproxy.config.configuration import Configuration
from corsproxy.config.options import Options
from corsproxy.cors import Reason
from corsproxy.errors import UsageError
from corsproxy.server.terminal import NULL_ORIGIN_FIX
from corsproxy.tools.explain import Question, ask, explain

_LONGEST = {"path": 2048, "origin": 512, "method": 64, "host": 300, "header": 256, "credentials": 1}
"""Characters of a value. An origin may have 326 at most (https, 253 of host, a port), the rest is generous."""

_MOST_HEADERS = 64
"""Names a page may set: a browser sends them all in one Access-Control-Request-Headers."""


def question_of(query: Sequence[tuple[str, str]]) -> Question:
    """Read the question from the pairs of a query; raises `UsageError` where it is none, or is too long."""
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


def explain_in_force(configuration: Configuration, question: Question) -> dict[str, Any]:
    """Explain one request as `corsproxy explain --format json` does.

    `change` may have a `command` in place of a `patch`; `quick` says that the file is not one of the user's.
    """
    loaded = configuration.loaded
    if not loaded.is_quick:
        return {**explain(loaded, question, os.environ), "quick": False}
    options = configuration.source.options
    found = explain(loaded, question, {})
    found["quick"] = True
    if found["change"] is not None or found["no_change"] is not None:
        found["change"], found["no_change"] = None, None
        found.update(_quick_change(options, question, found["reason"]))
    return found


@dataclass(frozen=True, slots=True)
class _Start:
    """A way to start the proxy, as far as it allows origins."""

    origins: tuple[str, ...]
    summary: str
    warning: str | None = None


def _quick_change(options: Options, question: Question, reason: str | None) -> Mapping[str, Any]:
    """Give the command line that would allow the request, or why there is none."""
    start = _start(options, question.origin or "", reason)
    if isinstance(start, str):
        return {"no_change": start}
    changed = replace(options, allow_origins=start.origins)
    try:
        load_quick(changed)
    except ConfigError as error:
        return {"no_change": error.problems[0].message}
    return {"change": {"summary": start.summary, "command": changed.command_line(), "warning": start.warning}}


def _start(options: Options, origin: str, reason: str | None) -> _Start | str:
    if origin == "null":
        return NULL_ORIGIN_FIX
    if reason == Reason.ORIGIN_NOT_ALLOWED:
        warning = None
        if not options.allow_origins:
            warning = "With --allow-origin, pages of this machine are allowed only where they are named too."
        return _Start((*options.allow_origins, origin), f"start corsproxy with the origin {origin} allowed", warning)
    if reason == Reason.CREDENTIALS_NOT_ALLOWED:
        named = tuple(one for one in options.allow_origins if one != "*")
        warning = f"Every origin but {origin} loses its access: name those that need it, too."
        return _Start((*named, origin), f"start corsproxy with {origin} in place of *", warning)
    if reason == Reason.ORIGIN_MALFORMED:
        return f"{origin!r} is not what any browser sends, and no option lets it in"
    return "no option of quick mode allows it: 'corsproxy init' writes a file in which more can be said"
