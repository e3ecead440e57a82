"""The result of a verification as data: the requests of each route, and each difference with its line in the file."""

from __future__ import annotations

from dataclasses import dataclass

from corsproxy.config import Loaded, Options, option_of
from corsproxy.tools.verify.difference import MEANINGS, Found, Meaning
from corsproxy.tools.verify.plan import RouteToAsk, VerifyPlan


@dataclass(frozen=True, slots=True)
class FilePlace:
    """The line of the file from which the deployment differs."""

    file: str
    line: int
    column: int
    path: str
    """The key path, such as `policies.app.allow_origins[2]`."""
    text: str
    option: str = ""
    """In quick mode, the option that generated the line; empty with a file."""

    def __str__(self) -> str:
        """Return one line for people."""
        return self.option or f"{self.file}:{self.line}: {self.text}"


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference, with its route and its line in the file."""

    found: Found
    route: RouteToAsk
    place: FilePlace

    @property
    def meaning(self) -> Meaning:
        """The meaning of its code."""
        return MEANINGS[self.found.code]


@dataclass(frozen=True, slots=True)
class RouteOutcome:
    """The result for one route."""

    plan: RouteToAsk
    requests: int
    """The number of requests that were sent."""
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class VerifyOutcome:
    """The result of a verification."""

    plan: VerifyPlan
    file: str
    routes: tuple[RouteOutcome, ...]
    error: str | None = None
    """Why the deployment cannot be reached; None if it can."""

    @property
    def differences(self) -> tuple[Difference, ...]:
        """Every difference, route by route."""
        return tuple(one for route in self.routes for one in route.differences)

    @property
    def requests(self) -> int:
        """The number of requests that were sent."""
        return sum(route.requests for route in self.routes)


def placed(found: Found, route: RouteToAsk, loaded: Loaded, options: Options) -> Difference:
    """Return the difference with the line of the file, or the option of quick mode, that it contradicts."""
    key = MEANINGS[found.code].key
    paths = [f"routes[{route.index}].policy", f"routes[{route.index}]", "routes"]
    option = ""
    if route.policies:
        policy = route.policies[found.policy]
        paths = [f"policies.{policy.name}.{key}", f"policies.{policy.name}", *paths]
        if loaded.is_quick:
            option = option_of(paths[0], options)
        if found.rule is not None and key == "allow_origins":
            written = loaded.rules[policy.name].of(found.rule)
            if written.file is not None and written.place is not None:
                line = FilePlace(written.file, written.place.line, written.place.column, written.path, written.text)
                return Difference(found, route, line)
            paths = [written.path, *paths]
    path = next((path for path in paths if path in loaded.places), "")
    place = loaded.places[path]
    text = loaded.shown_text.splitlines()[place.line - 1].strip()
    return Difference(found, route, FilePlace(loaded.file, place.line, place.column, path, text, option))
