"""`corsproxy explain`: what the configuration does with one request, and why; offline, from a file.

`question` checks the asking, `routing` finds the route, `judgement` asks the proxy's rules and the browser's model,
`change` finds the smallest edit that would allow it, `report` writes it down.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TextIO

from corsproxy.config import Loaded, Options, load_options
from corsproxy.tools.explain.change import Change, NoChangeError, smallest_change
from corsproxy.tools.explain.judgement import Judgement, judge
from corsproxy.tools.explain.question import Question, ask
from corsproxy.tools.explain.report import explanation_data, explanation_lines

__all__ = [
    "Change",
    "Judgement",
    "NoChangeError",
    "Question",
    "ask",
    "explain",
    "explain_command",
    "judge",
    "smallest_change",
]

_EXIT_ALLOWED = 0
_EXIT_REFUSED = 1


def explain_command(
    path: str,
    *,
    options: Options,
    origin: str | None,
    method: str,
    headers: tuple[str, ...],
    credentials: bool,
    host: str | None,
    format: str,  # noqa: A002 - the option's name
    environ: Mapping[str, str],
    out: TextIO,
) -> int:
    """Explain one request to `out`, as text or JSON, and give the exit status: 0 allowed, 1 refused or no route.

    Raises `ConfigError` for a file that cannot be used, `UsageError` for a request that none can make.
    """
    question = ask(path, origin=origin, method=method, headers=headers, credentials=credentials, host=host)
    loaded = load_options(options, environ)
    judgement, change, no_change = _explained(loaded, question, environ)
    if format == "json":
        json.dump(explanation_data(judgement, change, no_change), out, indent=2)
        out.write("\n")
    else:
        for line in explanation_lines(judgement, change, no_change):
            print(line, file=out)
    return _EXIT_ALLOWED if judgement.is_allowed else _EXIT_REFUSED


def explain(loaded: Loaded, question: Question, environ: Mapping[str, str]) -> dict[str, Any]:
    """Explain one request as data, the same that `--format json` prints."""
    return explanation_data(*_explained(loaded, question, environ))


def _explained(
    loaded: Loaded, question: Question, environ: Mapping[str, str]
) -> tuple[Judgement, Change | None, str | None]:
    judgement = judge(loaded, question)
    if judgement.is_allowed:
        return judgement, None, None
    try:
        return judgement, smallest_change(loaded, question, environ), None
    except NoChangeError as error:
        return judgement, None, str(error)
