"""Names that one section of the file defines and another refers to."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from corsproxy.config.problems import Report, join, listed, nearest, quote


@dataclass(slots=True)
class Names:
    """The names of one section, and which of them are referred to."""

    noun: str
    section: str
    defined: Collection[str] | None
    """None if the section could not be read, so that references cannot be checked."""
    used: set[str] = field(default_factory=set)
    has_unread_references: bool = False
    """True if a place that refers to a name could not be read, so that nobody knows which names are unused."""

    def look_up(self, name: str, path: str, report: Report) -> None:
        """Record a reference, and report an undefined one."""
        self.used.add(name)
        if self.defined is None or name in self.defined:
            return
        near = nearest(name, self.defined)
        if near:
            self.used.add(near)  # one mistake, one message: the intended name is not also unused
            hint = f"did you mean {near!r}?"
        elif self.defined:
            hint = f"expected {listed(map(repr, self.defined))}, or define it under {self.section}"
        else:
            hint = f"define it under {self.section}"
        report.error(path, "undefined", f"undefined {self.noun} {quote(name)}: {hint}")

    def report_unused(self, report: Report) -> None:
        """Warn of every name that no route refers to, unless it has a problem of its own."""
        if self.has_unread_references:
            return
        for name in self.defined or ():
            path = join(self.section, name)
            if name not in self.used and not report.has_errors_in(path):
                report.warning(path, "unused", f"unused {self.noun} {quote(name)}: no route refers to it")
