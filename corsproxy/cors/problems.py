"""Problems of a policy: data first, text second.

It imports nothing of the project, so that every module of the core can raise them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

ProblemReason = Literal["missing", "invalid", "prohibited", "forbidden", "duplicate"]
"""`forbidden`: Fetch never permits it; `prohibited`: corsproxy refuses it; `invalid`: the syntax is wrong."""

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class PolicyProblem:
    """One error or warning about a `PolicySpec`."""

    field: str
    """The key of the spec, such as `allow_origins`."""
    index: int | None
    """The index in the key's list; None is the whole key."""
    reason: ProblemReason
    value: object
    """The value there."""
    message: str
    """The reason, the value, the rule and the remedy, on one line."""
    severity: Severity = "error"

    def __str__(self) -> str:
        place = self.field if self.index is None else f"{self.field}[{self.index}]"
        return f"{place}: {self.message}"


class PolicyErrors(ValueError):  # noqa: N818 - it holds many, and the name is public
    """A policy that cannot be compiled; `problems` has all its errors, in the order of the spec."""

    def __init__(self, problems: Iterable[PolicyProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


_SHOWN = 80
"""The most characters of a value that a message quotes, as for all other keys of the file."""


def quote(value: object) -> str:
    """Return a value for a message: in single quotes, on one line, backslashes as written."""
    text = str(value)
    text = text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
    return f"'{''.join(char if char.isprintable() else ascii(char)[1:-1] for char in text)}'"
