"""What is wrong with a policy, as data first and text second.

Imports nothing of the project, so that everything here may raise it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

ProblemReason = Literal["missing", "invalid", "prohibited", "forbidden", "duplicate"]
"""`forbidden` is Fetch's word, `prohibited` is ours, `invalid` is a matter of syntax."""

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class PolicyProblem:
    """One thing that is wrong, or doubtful, in a `PolicySpec`."""

    field: str
    """The key of the spec, as `allow_origins`."""
    index: int | None
    """The place in the key's list; None is the key as a whole."""
    reason: ProblemReason
    value: object
    """What stands there."""
    message: str
    """The reason, the value, the rule and the way out, in one line."""
    severity: Severity = "error"

    def __str__(self) -> str:
        place = self.field if self.index is None else f"{self.field}[{self.index}]"
        return f"{place}: {self.message}"


class PolicyErrors(ValueError):  # noqa: N818 - it holds many, and the name is public
    """A policy that cannot be compiled; `problems` holds every error of it, in the order of the spec."""

    def __init__(self, problems: Iterable[PolicyProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


_SHOWN = 80
"""Characters of a value that a message quotes, as in the messages about all other keys."""


def quote(value: object) -> str:
    """Show a value in a message: in single quotes, on one line, backslashes as written."""
    text = str(value)
    text = text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
    return f"'{''.join(char if char.isprintable() else ascii(char)[1:-1] for char in text)}'"
