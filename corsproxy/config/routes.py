"""The `routes` section, read, to `settings.Route`: names looked up, prefixes checked, routes told apart."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from corsproxy.config import paths
from corsproxy.config.problems import Report, join, listed, nearest, quote
from corsproxy.config.reader import Values
from corsproxy.settings import PolicySettings, Route, Upstream

_Likeness = tuple[str | None, int | None, paths.Segments, bool]
"""What of a route a request can be told apart by: host, port, segments, exact."""


@dataclass(slots=True)
class Names:
    """The names of one section, and which of them are referred to."""

    noun: str
    section: str
    defined: Collection[str] | None
    """None where the section could not be read, so that no reference can be judged."""
    used: set[str] = field(default_factory=set)

    def look_up(self, name: str, path: str, report: Report) -> None:
        """Note a reference, and report one that leads nowhere."""
        self.used.add(name)
        if self.defined is None or name in self.defined:
            return
        near = nearest(name, self.defined)
        if near:
            self.used.add(near)  # one mistake, one message: the name that was meant is not also unused
            hint = f"did you mean {near!r}?"
        elif self.defined:
            hint = f"expected {listed(map(repr, self.defined))}, or write it under {self.section}"
        else:
            hint = f"write it under {self.section}"
        report.error(path, "undefined", f"undefined {self.noun} {quote(name)}: {hint}")

    def report_unused(self, report: Report) -> None:
        """Warn of every name that no route refers to."""
        for name in self.defined or ():
            if name not in self.used:
                report.warning(
                    join(self.section, name), "unused", f"unused {self.noun} {quote(name)}: no route refers to it"
                )


def check_routes(section: tuple[tuple[int, Values], ...], upstreams: Names, policies: Names, report: Report) -> None:
    """Report names that lead nowhere, prefixes that are not the route's own, and routes that cannot be told apart."""
    seen: dict[_Likeness, int] = {}
    for index, values in section:
        path = f"routes[{index}]"
        if values["upstream"] is not None:
            upstreams.look_up(values["upstream"], f"{path}.upstream", report)
        if values["policy"] is not None:
            policies.look_up(values["policy"], f"{path}.policy", report)
        if values["path"] is None:
            continue
        _check_prefix(values, path, report)
        if any(report.has_errors_in(f"{path}.{key}") for key in ("host", "exact")):
            continue  # what it matches is not known
        first = seen.setdefault(_likeness(values), index)
        if first != index:
            other = f"routes[{first}]"
            report.error(
                f"{path}.path",
                "unreachable",
                f"unreachable route: {other} in line {report.places[other].line} matches the very same requests; "
                "change the path, the host or 'exact', or remove one",
            )


def compile_routes(
    section: tuple[tuple[int, Values], ...], upstreams: Mapping[str, Upstream], policies: Mapping[str, PolicySettings]
) -> tuple[Route, ...]:
    """Compile routes in which nothing is wrong."""
    return tuple(_compile(values, upstreams, policies) for _, values in section)


def _compile(values: Values, upstreams: Mapping[str, Upstream], policies: Mapping[str, PolicySettings]) -> Route:
    host, port = values["host"] or (None, None)
    return Route(
        values["path"],
        paths.segments(values["path"], exact=values["exact"]),
        upstreams[values["upstream"]],
        policies[values["policy"]] if values["policy"] is not None else None,
        values["exact"],
        host,
        port,
        _prefix(values),
    )


def _prefix(values: Values) -> str:
    match values["strip_prefix"]:
        case True:
            return paths.literal_prefix(values["path"])
        case False | "/":
            return ""
        case prefix:
            return str(prefix)


def _check_prefix(values: Values, path: str, report: Report) -> None:
    prefix = values["strip_prefix"]
    if isinstance(prefix, str) and not paths.is_whole_prefix(prefix, values["path"]):
        own = paths.literal_prefix(values["path"]) or "/"
        report.error(
            f"{path}.strip_prefix",
            "invalid",
            f"invalid prefix {quote(prefix)}: it must be whole leading segments of the route's path, without {{name}}: "
            f"{own} or a part of it",
        )


def _likeness(values: Values) -> _Likeness:
    host, port = values["host"] or (None, None)
    return host, port, paths.segments(values["path"], exact=values["exact"]), values["exact"]
