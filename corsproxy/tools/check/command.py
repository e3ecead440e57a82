"""`corsproxy check`: all problems of a file, as lines for people or as JSON for tools.

It only formats what `corsproxy.config` finds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal, TextIO

from corsproxy.config import ConfigError, Loaded, Options, Problem, load_options
from corsproxy.errors import UsageError

EXIT_FINE = 0
EXIT_WARNINGS = 1
"""Only with `--strict`."""
EXIT_PROBLEMS = 2

Format = Literal["text", "json"]


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """The options of the command line."""

    configuration: Options
    format: Format = "text"
    strict: bool = False


def check_command(options: CheckOptions, *, environ: Mapping[str, str], out: TextIO, err: TextIO) -> int:
    """Check a configuration and the files that it names, write the problems to `out`, and return the exit status.

    Text has one problem per line, `file:line:column: key.path: message`, like compilers and linters, and a summary if
    the file is valid; problems without a line, such as an unreadable file, go to `err`.
    JSON is always a list of problems, which may be empty.
    """
    loaded: Loaded | None = None
    try:
        loaded = load_options(options.configuration, environ, tries_certificates=True)
        problems: Sequence[Problem] = loaded.warnings
    except ConfigError as error:
        problems = error.problems
    except UsageError as error:
        if options.format != "json":
            raise
        problems = (Problem("", 0, 0, "", "error", "invalid", str(error)),)
    if options.format == "json":
        json.dump([asdict(problem) for problem in problems], out, indent=2)
        out.write("\n")
    else:
        for problem in problems:
            print(problem, file=out if problem.line else err)
        if loaded is not None:
            print(_summary(loaded), file=out)
    if loaded is None:
        return EXIT_PROBLEMS
    return EXIT_WARNINGS if options.strict and problems else EXIT_FINE


def _summary(loaded: Loaded) -> str:
    counts = (
        _count(len(loaded.upstreams), "upstream", "upstreams"),
        _count(len(loaded.policies), "policy", "policies"),
        _count(len(loaded.settings.routes), "route", "routes"),
    )
    return f"{loaded.file}: valid: {', '.join(counts)}"


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
