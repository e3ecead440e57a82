"""The smallest change of the file that would allow a refused request, as a patch, with a warning if it is dangerous.

It edits for one reason at a time, loads the result and judges again, until the request is allowed: every proposal has
been tried. If no change of the file helps, it says what does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from corsproxy.config import Loaded
from corsproxy.tools.explain.file_edits import FILE_EDITS, NoChangeError, loaded_with
from corsproxy.tools.explain.judgement import Judgement, judge
from corsproxy.tools.explain.question import Question
from corsproxy.tools.patch import unified

_MOST_EDITS = 6
"""A route or a policy, the origin, the method, the headers and the credentials at most once each, then the verdict."""


@dataclass(frozen=True, slots=True)
class Change:
    """A change that makes a refused request allowed."""

    patch: str
    """A unified diff of the file; empty in quick mode, which has no file."""
    summary: str
    """What the change does, in words."""
    warning: str | None
    """The danger; None if there is none."""
    text: str
    """The whole file after it; empty in quick mode."""
    command: str = ""
    """In quick mode the command line of `serve` that allows it."""


def smallest_change(loaded: Loaded, question: Question, environ: Mapping[str, str]) -> Change:
    """Return the change; raises `NoChangeError` if no change of the file helps."""
    current = loaded
    summaries: list[str] = []
    warnings: list[str] = []
    for _ in range(_MOST_EDITS):
        judgement = judge(current, question)
        if judgement.is_allowed:
            patch = _shown_patch(loaded, current)
            warning = " ".join(dict.fromkeys(warnings)) or None
            return Change(patch, "; ".join(summaries), warning, current.text)
        if judgement.refusal is not None:
            raise NoChangeError(judgement.refusal.remedy)
        if judgement.is_impossible:
            raise NoChangeError(why_impossible(judgement))
        edit = FILE_EDITS[judgement.reason or ""](current, judgement, environ)
        summaries.append(edit.summary)
        warnings += edit.warnings
        current = loaded_with(current, edit, environ)
    raise NoChangeError("no change of the file was found that allows it")


def _shown_patch(old: Loaded, new: Loaded) -> str:
    """Return the diff with the most context that shows no credential; one in a changed line is masked."""
    for context in (3, 2, 1, 0):
        shown = unified(old.shown_text, new.shown_text, old.file, context)
        if shown == unified(old.text, new.text, old.file, context):
            break
    return shown


def why_impossible(judgement: Judgement) -> str:
    """Return why no configuration can allow the request."""
    failure = judgement.play.failure if judgement.play else None
    return f"no configuration can: {failure.why}" if failure else "no configuration can"
