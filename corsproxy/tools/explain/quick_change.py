"""In quick mode: the smallest change of the command line that would allow a refused request.

As with a file, it changes the options for one reason at a time and judges again: every proposal has been tried.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from corsproxy.config import LOOPBACK_ORIGINS, ConfigError, Loaded, Options, load_quick
from corsproxy.tools.browser import names, urls
from corsproxy.tools.explain.change import Change, why_impossible
from corsproxy.tools.explain.file_edits import NoChangeError, missing_headers
from corsproxy.tools.explain.judgement import Judgement, judge
from corsproxy.tools.explain.question import Question
from corsproxy.tools.own_answers import FORWARDED_METHODS

_MOST_OPTION_EDITS = 6


@dataclass(frozen=True, slots=True)
class _OptionEdit:
    options: Options
    summary: str
    warning: str | None = None


def quick_change(options: Options, question: Question) -> Change:
    """Return the change; raises `NoChangeError` if no option of quick mode helps."""
    current = options
    summaries: list[str] = []
    warnings: list[str] = []
    for _ in range(_MOST_OPTION_EDITS):
        loaded = _loaded(current)
        judgement = judge(loaded, question)
        if judgement.is_allowed:
            warnings += [problem.message for problem in loaded.warnings if problem not in _loaded(options).warnings]
            warning = " ".join(dict.fromkeys(warnings)) or None
            return Change("", f"start corsproxy with {' and '.join(summaries)}", warning, "", current.command_line())
        if judgement.refusal is not None:
            raise NoChangeError(_NO_OPTION if judgement.refusal.key else judgement.refusal.remedy)
        if judgement.is_impossible:
            raise NoChangeError(why_impossible(judgement))
        step = _OPTION_EDITS.get(judgement.reason or "", _nothing)(current, judgement)
        summaries.append(step.summary)
        warnings += [step.warning] if step.warning else []
        current = step.options
    raise NoChangeError(_NO_OPTION)


_NO_OPTION = "no option of quick mode allows it: 'corsproxy init' writes a file, which can express more"


def _loaded(options: Options) -> Loaded:
    try:
        return load_quick(options)
    except ConfigError as error:
        raise NoChangeError(error.problems[0].message) from None


def _nothing(_options: Options, _judgement: Judgement) -> _OptionEdit:
    raise NoChangeError(_NO_OPTION)


def _origin_malformed(_options: Options, judgement: Judgement) -> _OptionEdit:
    origin = judgement.question.origin or ""
    right = urls.origin_of(origin)
    hint = f": a browser sends {right}" if right and right != origin else ""
    raise NoChangeError(f"{origin!r} is not what any browser sends, and no option lets it in{hint}")


def _origin(options: Options, judgement: Judgement) -> _OptionEdit:
    origin = judgement.question.origin or ""
    if origin == "null":
        raise NoChangeError(
            "the page has no origin of its own (opened from a file, or in a sandboxed frame): "
            "serve it over HTTP, for example with python -m http.server"
        )
    warning = None
    if not options.allow_origins:
        warning = (
            "With --allow-origin, pages of this machine are allowed only if they are named too, "
            f"as in --allow-origin '{LOOPBACK_ORIGINS[0]}'."
        )
    changed = replace(options, allow_origins=(*options.allow_origins, origin))
    return _OptionEdit(changed, f"the origin {origin} allowed", warning)


def _method(options: Options, judgement: Judgement) -> _OptionEdit:
    method = names.normalized(judgement.question.method)
    if method not in FORWARDED_METHODS:
        hint = f": have the page write {method.upper()!r}" if method.upper() in FORWARDED_METHODS else ""
        raise NoChangeError(f"the proxy answers 501 to the method {method!r}, whatever is allowed{hint}")
    changed = replace(options, allow_methods=(*options.allow_methods, method))
    return _OptionEdit(changed, f"the method {method} allowed")


def _headers(options: Options, judgement: Judgement) -> _OptionEdit:
    missing = missing_headers(judgement, options.allow_headers)
    changed = replace(options, allow_headers=(*options.allow_headers, *missing))
    return _OptionEdit(changed, f"{', '.join(missing)} allowed")


def _credentials(options: Options, judgement: Judgement) -> _OptionEdit:
    origin = judgement.question.origin or ""
    if "*" not in options.allow_origins:
        changed = replace(options, allow_credentials=True)
        return _OptionEdit(changed, "credentials allowed", "Every allowed page may then send cookies.")
    named = tuple(one for one in options.allow_origins if one != "*")
    changed = replace(options, allow_origins=(*named, origin), allow_credentials=None)
    warning = f"Every origin but {origin} loses its access: name those that need it, too."
    return _OptionEdit(changed, f"{origin} in place of *", warning)


def _no_route(options: Options, judgement: Judgement) -> _OptionEdit:
    if judgement.choice.is_ambiguous:
        raise NoChangeError(
            "the path has two readings that lead to different routes; the page must ask for a plain one"
        )
    url = options.routes[0].partition("=")[2]
    changed = replace(options, routes=(*options.routes, f"{judgement.question.path}={url}"))
    return _OptionEdit(changed, f"a route for {judgement.question.path}", f"The upstream {url} is a guess.")


_OPTION_EDITS: dict[str, Callable[[Options, Judgement], _OptionEdit]] = {
    "origin_malformed": _origin_malformed,
    "origin_not_allowed": _origin,
    "method_not_allowed": _method,
    "headers_not_allowed": _headers,
    "credentials_not_allowed": _credentials,
    "no_route": _no_route,
}
