"""`corsproxy explain`: what the configuration does with one request, and why; offline.

`question` checks the command line, `routing` finds the route, `judgement` applies the proxy's rules and the browser's
model, `change` (with `file_edits`) and `quick_change` find the smallest edit that would allow the request, `report`
formats the result; `command` is the front door.
"""

from corsproxy.tools.explain.change import Change, smallest_change
from corsproxy.tools.explain.command import ExplainOptions, explain, explain_command
from corsproxy.tools.explain.file_edits import NoChangeError
from corsproxy.tools.explain.judgement import Judgement, judge
from corsproxy.tools.explain.question import Question, ask

__all__ = [
    "Change",
    "ExplainOptions",
    "Judgement",
    "NoChangeError",
    "Question",
    "ask",
    "explain",
    "explain_command",
    "judge",
    "smallest_change",
]
