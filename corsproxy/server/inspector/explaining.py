"""`explain` for the page: a question from its address line, asked of the configuration in force.

The only place where the process knows `corsproxy.tools`.
In quick mode there is no file to point into: the one that the options stand for is written, and what would allow a
request is a command line.
Knows nothing of HTTP but names and values of a query.
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from corsproxy.config import ConfigError, Loaded, load_text, quick, quick_spec
from corsproxy.cors import Reason
from corsproxy.errors import UsageError
from corsproxy.server.configuration import Configuration
from corsproxy.server.options import ServeOptions
from corsproxy.server.terminal import NULL_ORIGIN_FIX
from corsproxy.tools.explain import Question, ask, explain

QUICK_FILE = "(quick mode)"
"""Stands where the file's name would: the page says in words what it is."""

_LONGEST = {"path": 2048, "origin": 512, "method": 64, "host": 300, "header": 256, "credentials": 1}
"""Characters of a value. An origin may have 326 at most (https, 253 of host, a port), the rest is generous."""

_MOST_HEADERS = 64
"""Names a page may set: a browser sends them all in one Access-Control-Request-Headers."""

_FLAGS = {"listen": "--listen", "admin": "--admin", "log_format": "--log-format", "log_level": "--log-level"}


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
    if configuration.loaded is not None:
        return {**explain(configuration.loaded, question, os.environ), "quick": False}
    options = configuration.source.options
    found = explain(_quick_file(options), question, {})
    found["quick"] = True
    if found["change"] is not None or found["no_change"] is not None:
        found["change"], found["no_change"] = None, None
        found.update(_quick_change(options, question, found["reason"]))
    return found


def _quick_file(options: ServeOptions) -> Loaded:
    """Write the file that quick mode stands for."""
    spec = quick_spec(options.allow_origins)
    lines = [
        "upstreams:",
        f"  upstream: {json.dumps(options.upstream)}",
        "policies:",
        "  quick:",
        "    allow_origins:",
        *(f"      - {json.dumps(origin.text)}" for origin in spec.allow_origins),
        f"    allow_methods: {json.dumps(spec.allow_methods)}",
        f"    allow_headers: {json.dumps(spec.allow_headers)}",
        f"    expose_headers: {json.dumps(spec.expose_headers)}",
        f"    allow_credentials: {json.dumps(spec.allow_credentials)}",
        "routes:",
        "  - path: /",
        "    upstream: upstream",
        "    policy: quick",
    ]
    # A dollar sign in the URL is one: nothing here comes from the environment.
    return load_text("\n".join(lines).replace("$", "$$") + "\n", QUICK_FILE, {})


@dataclass(frozen=True, slots=True)
class _Start:
    """A way to start the proxy, as far as it allows origins."""

    origins: tuple[str, ...]
    summary: str
    warning: str | None = None


def _quick_change(options: ServeOptions, question: Question, reason: str | None) -> Mapping[str, Any]:
    """Give the command line that would allow the request, or why there is none."""
    start = _start(options, question.origin or "", reason)
    if isinstance(start, str):
        return {"no_change": start}
    try:
        quick(options.upstream or "", start.origins)
    except ConfigError as error:
        return {"no_change": error.problems[0].message}
    return {"change": {"summary": start.summary, "command": _command(options, start.origins), "warning": start.warning}}


def _start(options: ServeOptions, origin: str, reason: str | None) -> _Start | str:
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


def _command(options: ServeOptions, origins: Sequence[str]) -> str:
    """Write the command line again, with other origins."""
    words = ["corsproxy", "serve", "--upstream", options.upstream or ""]
    for origin in origins:
        words += ["--allow-origin", origin]
    for name, flag in _FLAGS.items():
        value = getattr(options, name)
        if value is not None:
            words += [flag, value]
    if options.workers is not None:
        words += ["--workers", str(options.workers)]
    if options.inspect:
        words.append("--inspect")
    return shlex.join(words)
