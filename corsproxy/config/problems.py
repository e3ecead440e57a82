"""Problems of a configuration as data: place, severity, reason, and a message for people.

Tests and tools compare the fields; only `Problem.__str__` makes the line.
It must not know YAML, nor what the keys mean.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from corsproxy.escape import printable

Severity = Literal["error", "warning"]

Reason = Literal[
    "missing",  # a key, a value, a file or an environment variable that is not there
    "unknown",  # a key or a word without a meaning here
    "invalid",  # wrong syntax, type or range
    "prohibited",  # corsproxy refuses it, for a reason of safety
    "forbidden",  # the Fetch standard never permits it
    "duplicate",  # written twice
    "undefined",  # a name that the file does not define
    "unused",  # a name that nothing in the file refers to
    "unreachable",  # a route that no request can reach
    "unreadable",  # a file that is there and cannot be read
]

_SHOWN = 80
"""Characters of a value that a message quotes: enough to recognize it, short enough for one line."""

_SHORTEST_PART = 3
"""The fewest letters from which a name is guessed, if only one name has them."""


class Place(NamedTuple):
    """A position in the file; lines and columns count from 1, as editors do."""

    line: int
    column: int


class Span(NamedTuple):
    """Where a value begins and ends; the end is the place after its last character."""

    start: Place
    end: Place
    flow: bool
    """True if it is a `[...]` or `{...}`; a block collection starts at its first `-` or key."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One error, or a warning if `severity` is `warning`."""

    file: str
    line: int
    """0 if there is no line: for a command line option, or a file that cannot be read."""
    column: int
    path: str
    """The key path, as in `policies.app.allow_origins[2]`; empty for the file as a whole."""
    severity: Severity
    reason: Reason
    message: str

    def __str__(self) -> str:
        """Return the line `file:line:column: key.path: message`."""
        file = printable(self.file)
        where = f"{file}:{self.line}:{self.column}" if self.line else file
        mark = "warning: " if self.severity == "warning" else ""
        return ": ".join(part for part in (where, self.path, mark + self.message) if part)


class ConfigError(Exception):
    """A configuration that cannot be used; `problems` has all problems, in file order, warnings included."""

    def __init__(self, problems: Iterable[Problem], watched: Iterable[str] = ()) -> None:
        self.problems = tuple(problems)
        self.watched = tuple(watched)
        """The files that the configuration names, as in `Loaded`: a change to one of them may fix it."""
        super().__init__("\n".join(map(str, self.problems)))


class RefusedError(Exception):
    """One refused value: the reason and the message, without the place, which the caller knows."""

    def __init__(self, message: str, reason: Reason = "invalid") -> None:
        self.reason = reason
        self.message = printable(message)  # a suggestion may hold whatever was written
        super().__init__(self.message)


class Report:
    """Problems as they are found, and the places of what was read so far."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.places: dict[str, Place] = {}
        self.spans: dict[str, Span] = {}
        self.secrets: list[Span] = []
        """The places of values that may be credentials."""
        self.interpolated: set[str] = set()
        """Key paths of such values that contain a variable."""
        self.merged: set[str] = set()
        """Paths of mappings with a merge key, which may have the keys that seem to be missing."""
        self.slips: set[str] = set()
        """Paths of keys that are present under a wrong name, and so are not reported as missing."""
        self._problems: list[tuple[Place, Problem]] = []
        """Each with its place in the configuration; the problem itself may be in a file that is named there."""
        self._faulty: set[str] = set()
        """Key paths with an error at them or below them."""

    def error(self, path: str, reason: Reason, message: str, place: Place | None = None) -> None:
        """Add an error at `place`, or where `path` or its nearest parent stands."""
        self._add(path, "error", reason, message, place)

    def warning(self, path: str, reason: Reason, message: str, place: Place | None = None) -> None:
        """Add a warning, placed as an error is."""
        self._add(path, "warning", reason, message, place)

    @property
    def has_errors(self) -> bool:
        """Return whether anything but warnings was found."""
        return any(problem.severity == "error" for _, problem in self._problems)

    def problems(self) -> tuple[Problem, ...]:
        """Return all problems, in file order."""
        found = sorted(self._problems, key=lambda one: (one[0].line, one[0].column, one[1].line, one[1].column))
        return tuple(problem for _, problem in found)

    def in_file(self, file: str, place: Place, path: str, severity: Severity, reason: Reason, message: str) -> None:
        """Add a problem in a file that the value at `path` names."""
        if severity == "error":
            self._faulty.update(_lineage(path))
        problem = Problem(file, place.line, place.column, path, severity, reason, message)
        self._problems.append((self._nearest(path), problem))

    def has_errors_in(self, path: str) -> bool:
        """Return whether there is an error at this key path or below it."""
        return path in self._faulty

    def is_unread(self, path: str) -> bool:
        """Return whether the value at this key path is there, or meant to be there, and could not be read."""
        return path in self._faulty or path in self.slips

    def _add(self, path: str, severity: Severity, reason: Reason, message: str, place: Place | None) -> None:
        at = place or self._nearest(path)
        if severity == "error":
            self._faulty.update(_lineage(path))
        self._problems.append((at, Problem(self.file, at.line, at.column, path, severity, reason, message)))

    def _nearest(self, path: str) -> Place:
        return next((self.places[nearer] for nearer in _lineage(path) if nearer in self.places), Place(1, 1))


def _lineage(path: str) -> Iterator[str]:
    """Yield a key path and those above it: `a.b[1]`, `a.b`, `a`."""
    while path:
        yield path
        path = path[: max(path.rfind("."), path.rfind("["), 0)]


def quote(text: str) -> str:
    """Return a value for a message: on one line, backslashes as written, truncated if long."""
    shown = text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
    return f"'{printable(shown)}'"


def join(path: str, name: str) -> str:
    """Return the key path of `name` below `path`, on one line whatever the name."""
    return f"{path}.{printable(name)}" if path else printable(name)


def did_you_mean(text: str, known: Iterable[str]) -> str:
    """Return `: did you mean 'x'?` for the nearest known name, or nothing."""
    near = nearest(text, known)
    return f": did you mean {near!r}?" if near else ""


def nearest(text: str, known: Iterable[str]) -> str | None:
    """Return the known name of which `text` is most likely a misspelling, ignoring case and `-` for `_`.

    Otherwise return the only name that begins with `text` or has a word that does: `cert` is `certificate`, `key` is
    `private_key`.
    """
    plain: Mapping[str, str] = {name.lower().replace("-", "_"): name for name in known}
    text = text[:_SHOWN].lower().replace("-", "_")
    found = difflib.get_close_matches(text, plain, n=1)
    if not found and len(text) >= _SHORTEST_PART:
        parts = [name for name in plain if any(part.startswith(text) for part in (name, *name.split("_")))]
        found = parts if len(parts) == 1 else []
    return plain[found[0]] if found else None


def listed(names: Iterable[str]) -> str:
    """Return names as `a, b or c`."""
    *most, last = names
    return f"{', '.join(most)} or {last}" if most else last
