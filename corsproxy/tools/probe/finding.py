"""The shape of what a probe finds: a code, how bad it is, what was seen, and what to do.

Imports nothing of the project, so that everything here may make one.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad a finding is: an `ERROR` blocks pages or lets strangers in, a `NOTE` alone is no reason to worry."""

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
    """The origin that was asked with, where it takes a foreign one to see it."""
