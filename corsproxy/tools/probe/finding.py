"""The shape of a finding: code, severity, observation and remedy.

It imports nothing of the project, so that every module of `probe` can make findings.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """The severity of a finding: an `ERROR` blocks pages or lets strangers in; only a `NOTE` is harmless."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class ProbeFinding:
    """One mistake of a server."""

    code: str
    severity: Severity
    message: str
    fix: str
    origin: str | None = None
    """The origin that shows it, if the page's own does not."""
