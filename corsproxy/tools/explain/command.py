"""The front door: one request explained, from a file or from the options of quick mode.

Exit status: 0 allowed; 1 refused, or no route.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, TextIO

from corsproxy.config import Loaded, Options, load_options, option_of
from corsproxy.tools.browser import Browser
from corsproxy.tools.explain.change import Change, smallest_change
from corsproxy.tools.explain.file_edits import NoChangeError
from corsproxy.tools.explain.judgement import Judgement, judge
from corsproxy.tools.explain.question import Question, ask
from corsproxy.tools.explain.quick_change import quick_change
from corsproxy.tools.explain.report import explanation_data, explanation_lines

_EXIT_ALLOWED = 0
_EXIT_REFUSED = 1


@dataclass(frozen=True, slots=True)
class ExplainOptions:
    """The options of the command line."""

    path: str
    configuration: Options
    """What `serve` would run: the file, or quick mode."""
    origin: str | None = None
    method: str = "GET"
    headers: tuple[str, ...] = ()
    credentials: bool = False
    host: str | None = None
    browser: Browser = Browser.STANDARD
    format: Literal["text", "json"] = "text"


def explain_command(options: ExplainOptions, *, environ: Mapping[str, str], out: TextIO) -> int:
    """Explain one request to `out`, as text or JSON, and return the exit status.

    Raises `ConfigError` for an invalid configuration, `UsageError` for an impossible request.
    """
    question = ask(
        options.path,
        origin=options.origin,
        method=options.method,
        headers=options.headers,
        credentials=options.credentials,
        host=options.host,
        browser=options.browser,
    )
    loaded = load_options(options.configuration, environ)
    explained = _explained(loaded, question, environ, options.configuration)
    if options.format == "json":
        json.dump(explanation_data(*explained), out, indent=2)
        out.write("\n")
    else:
        for line in explanation_lines(*explained):
            print(line, file=out)
    return _EXIT_ALLOWED if explained[0].is_allowed else _EXIT_REFUSED


def explain(
    loaded: Loaded, question: Question, environ: Mapping[str, str], options: Options | None = None
) -> dict[str, object]:
    """Return one explanation as data, as `--format json` prints it; `options` are needed in quick mode."""
    return explanation_data(*_explained(loaded, question, environ, options))


def _explained(
    loaded: Loaded, question: Question, environ: Mapping[str, str], options: Options | None
) -> tuple[Judgement, Change | None, str | None]:
    judgement = judge(loaded, question)
    if loaded.is_quick and options is not None:
        # There is no file to show: the option decided.
        where = judgement.decided_by
        judgement = replace(judgement, decided_by=replace(where, option=_option_text(where.path, options)))
    if judgement.is_allowed:
        return judgement, None, None
    try:
        if loaded.is_quick and options is not None:
            return judgement, quick_change(options, question), None
        return judgement, smallest_change(loaded, question, environ), None
    except NoChangeError as error:
        return judgement, None, str(error)


def _option_text(path: str, options: Options) -> str:
    option = option_of(path, options)
    if option == "--allow-origin" and not options.allow_origins:
        return "no --allow-origin: pages served from this machine"
    return option
