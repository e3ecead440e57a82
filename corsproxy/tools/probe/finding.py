"""The shape of a finding: code, severity, observation and remedy.

Imports nothing of the project, so that everything here may make one.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """The severity of a finding: an `ERROR` blocks pages or lets strangers in, a `NOTE` alone is harmless."""

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
    """The origin that was asked with, if only a foreign one shows it."""
