"""The plan: the routes to test, their URLs and their requests, derived from the file alone.

Pure: settings and options of the command line in, a plan out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from corsproxy.config import quote as quoted
from corsproxy.cors import Policy
from corsproxy.errors import UsageError
from corsproxy.proxy import AmbiguousPath, RouteTable
from corsproxy.settings import PolicySettings, Route, Settings
from corsproxy.tools.browser import urls
from corsproxy.tools.own_answers import FORWARDED_METHODS
from corsproxy.tools.verify.questions import RouteQuestion, questions_of

MADE_UP_SEGMENT = "corsproxy-verify"
_NOWHERE = "corsproxy-verify-not-found"
_MOST_OTHERS = 3
_SAFE = "/%:@!$&'()*+,;=~-._[]|{}^\"<>\\`"


@dataclass(frozen=True, slots=True)
class RouteToAsk:
    """One route to test."""

    index: int
    """Its index in the file's list of routes."""
    route: Route
    policies: tuple[PolicySettings, ...]
    url: str
    nowhere: str | None
    """A URL of the same route that does not exist; None if the route has none, such as an exact one."""
    questions: tuple[RouteQuestion, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NotAsked:
    """One route that cannot be tested."""

    route: Route
    why: str


@dataclass(frozen=True, slots=True)
class VerifyPlan:
    """All requests to one deployment."""

    url: str
    host: str
    """The Host to send; empty for the URL's own."""
    routes: tuple[RouteToAsk, ...]
    not_asked: tuple[NotAsked, ...]

    @property
    def requests(self) -> int:
        """The most requests that are sent."""
        return sum(len(route.questions) for route in self.routes)


def make_plan(settings: Settings, url: str, *, host: str, only: Sequence[str]) -> VerifyPlan:
    """Return the plan; raises `UsageError` if a path in `only` has no route, or no route can be tested."""
    base = url.rstrip("/")
    asked_host = host or urlsplit(url).netloc.rpartition("@")[2]
    table = _RoutesByIndex(settings, asked_host, 443 if url.startswith("https:") else 80)
    chosen = _chosen(settings, table, only)
    others = _some_origins(settings)
    routes: list[RouteToAsk] = []
    not_asked: list[NotAsked] = []
    for index, route in enumerate(settings.routes):
        if only and index not in chosen:
            continue
        paths = chosen.get(index) or (_made_up_path(route),)
        if why := _why_not(table, index, route, paths[0], asked_host):
            not_asked.append(NotAsked(route, why))
            continue
        routes += (_plan_route(table, index, route, base, path, others) for path in paths)
    if not routes:
        reasons = "; ".join(f"{one.route.path}: {one.why}" for one in not_asked)
        raise UsageError(f"there is nothing to ask: {reasons}")
    return VerifyPlan(url, host, tuple(routes), tuple(not_asked))


class _RoutesByIndex:
    """The data path's own route table, by index in the file."""

    def __init__(self, settings: Settings, host: str, default_port: int) -> None:
        self._table = RouteTable([(route, index) for index, route in enumerate(settings.routes)], default_port)
        self._host = host.encode("ascii", "replace")

    def find(self, path: str, method: str = "GET") -> int | None:
        """Return the index of the route for a path and a method."""
        try:
            return self._table.match(self._host, path.encode(), method)
        except AmbiguousPath:
            return None

    def methods(self, path: str, index: int) -> frozenset[str]:
        """Return the methods for which a path leads to a route."""
        return frozenset(method for method in FORWARDED_METHODS if self.find(path, method) == index)


def _plan_route(
    table: _RoutesByIndex, index: int, route: Route, base: str, path: str, others: Sequence[str]
) -> RouteToAsk:
    compiled: tuple[Policy, ...] = tuple(policy.cors for policy in route.policies)
    methods = table.methods(path, index)
    asked = questions_of(compiled, methods if methods != FORWARDED_METHODS else None, others)
    below = f"{path.rstrip('/')}/{_NOWHERE}"
    nowhere = f"{base}{below}" if table.find(below) == index else None
    questions = tuple(one for one in asked.questions if nowhere is not None or not one.asks_nowhere)
    return RouteToAsk(index, route, route.policies, base + path, nowhere, questions, asked.notes)


def _chosen(settings: Settings, table: _RoutesByIndex, only: Sequence[str]) -> dict[int, tuple[str, ...]]:
    """Return the paths in `only`, by the index of their route."""
    chosen: dict[int, tuple[str, ...]] = {}
    for text in only:
        as_written = [index for index, route in enumerate(settings.routes) if route.path == text]
        if as_written and "{" in text:
            for index in as_written:
                chosen[index] = (*chosen.get(index, ()), _made_up_path(settings.routes[index]))
            continue
        if not text.startswith("/"):
            raise UsageError(f"--only: invalid path {quoted(text)}: a path begins with '/'")
        path = quote(text.partition("?")[0].partition("#")[0], safe=_SAFE, errors="surrogateescape")
        # A route of another host is kept, to be listed as one that is not tested.
        taking = [index for index in range(len(settings.routes)) if table.methods(path, index)] or as_written[:1]
        if not taking:
            raise UsageError(f"--only: no route of the file takes the path {quoted(text)}")
        for index in taking:
            chosen[index] = (*chosen.get(index, ()), path)
    return chosen


def _made_up_path(route: Route) -> str:
    """Return a path that the route matches: as written, with each `{name}` filled in."""
    segments = [MADE_UP_SEGMENT if segment is None else segment for segment in route.segments]
    return quote("/" + "/".join(segments), safe=_SAFE, errors="surrogateescape")


def _why_not(table: _RoutesByIndex, index: int, route: Route, path: str, host: str) -> str | None:
    """Return why a route cannot be tested; None if it can."""
    if any(policy.mode == "shadow" for policy in route.policies):
        return "its policy is in shadow mode: the upstream's own CORS headers are what clients see"
    if table.methods(path, index):
        return None
    if route.host is not None:
        port = f":{route.host_port}" if route.host_port else ""
        return f"it is for the host {route.host}{port}, not {host}: name it with --host"
    return "a more specific route takes the path that was made up for it: name one with --only"


def _some_origins(settings: Settings) -> tuple[str, ...]:
    """Return a few origins that the file allows on some route."""
    found: dict[str, None] = {}
    for route in settings.routes:
        for policy in route.policies:
            for item in policy.cors.spec.allow_origins:
                if not item.is_regex and urls.origin_of(item.text) == item.text and "*" not in item.text:
                    found.setdefault(item.text)
                    break
    return tuple(found)[:_MOST_OTHERS]
