"""The front door: reads a log and the current configuration, and writes a new file that loads."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TextIO

from corsproxy.config import ConfigError, Loaded, Options, load_options, load_text
from corsproxy.errors import UsageError
from corsproxy.settings import Route
from corsproxy.tools.learn.proposal import Proposal, propose
from corsproxy.tools.learn.traffic import Traffic, read_traffic
from corsproxy.tools.learn.writing import Named, write

_MAX_LINE = 4 * 1024 * 1024
"""Characters of a line: 20 times a head of the default `max_header_bytes` with each byte escaped."""


@dataclass(frozen=True, slots=True)
class LearnOptions:
    """The options of the command line."""

    log: str | None
    """None and `-` are standard input."""
    configuration: Options


def learn_command(options: LearnOptions, *, environ: Mapping[str, str], stdin: TextIO, out: TextIO, err: TextIO) -> int:
    """Read a log, write the proposed file to `out`, and return the exit status 0.

    The number of requests and skipped lines goes to `err`.
    Raises `ConfigError` for an invalid configuration, `UsageError` for a log that cannot be read or has no request.
    """
    loaded = load_options(options.configuration, environ)
    traffic = _read(options.log, stdin)
    skipped = f", {_count(traffic.skipped, 'line')} skipped: not of the JSON access log" if traffic.skipped else ""
    print(f"learn: {_count(traffic.requests, 'request')} read{skipped}", file=err)
    if not traffic.requests:
        raise UsageError("no request in the log: it must be the JSON access log (log: {format: json}), one line each")
    out.write(learn(loaded, traffic, environ))
    return 0


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def learn(loaded: Loaded, traffic: Traffic, environ: Mapping[str, str]) -> str:
    """Return the text of the proposed file; raises `UsageError` if the current text cannot be edited."""
    named: Named = {}
    empty: dict[str, Proposal] = {}
    assigned: dict[int, str] = {}
    settled: dict[tuple[str, str | None], tuple[str | None, Proposal]] = {}
    routes = loaded.settings.routes
    for index, route in enumerate(routes):
        found = traffic.routes.get(route.path)
        if found is None or route.policies_before:
            continue  # a log does not show the purpose of each policy
        key = (route.path, route.policy.name if route.policy else None)
        if key not in settled:
            proposal = propose(found, route.policy)
            settled[key] = (_name(route, named, loaded) if proposal.spec else None, proposal)
        name, proposal = settled[key]
        if name is not None:
            named[name] = (route.policy, proposal, route.path)
            assigned[index] = name
        else:
            empty[route.path] = proposal
    staying = {policy.name for at, route in enumerate(routes) if at not in assigned for policy in route.policies}
    kept = [name for name in loaded.policies if name in staying and name not in named]
    text = write(loaded, traffic, named, assigned, kept, empty)
    return _checked(text, loaded, environ)


def _checked(text: str, loaded: Loaded, environ: Mapping[str, str]) -> str:
    try:
        load_text(text, loaded.file, environ)
    except ConfigError as error:
        raise UsageError(
            f"{loaded.file} cannot be rewritten line by line ({error.problems[0].message}): "
            "write out what its anchors share, or put each key on a line of its own"
        ) from None
    return text


def _name(route: Route, taken: Mapping[str, object], loaded: Loaded) -> str:
    """Return the current policy's name if only this path uses it, else a name made from the path."""
    old = route.policy.name if route.policy else None
    if old and {one.path for one in loaded.settings.routes if one.policy and one.policy.name == old} == {route.path}:
        return old
    slug = re.sub(r"[^A-Za-z0-9]+", "-", route.path).strip("-").lower()[:40].strip("-") or "root"
    used = {*taken, *loaded.policies}
    names = (slug, *(f"{slug}-{number}" for number in range(2, len(used) + 3)))
    return next(name for name in names if name not in used)


def _read(log: str | None, stdin: TextIO) -> Traffic:
    if log is None or log == "-":
        return read_traffic(_lines(stdin))
    try:
        with open(log, encoding="utf-8", errors="replace") as opened:
            return read_traffic(_lines(opened))
    except OSError as error:
        raise UsageError(f"cannot read {log}: {(error.strerror or str(error)).lower()}") from None


def _lines(log: TextIO) -> Iterator[str]:
    """Yield each line; of one that is too long only the beginning, which is not an entry."""
    while line := log.readline(_MAX_LINE):
        yield line
        while len(line) == _MAX_LINE and not line.endswith("\n"):
            line = log.readline(_MAX_LINE)
