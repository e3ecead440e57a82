"""Compiles the `policies` section; the core judges what may be granted, and this module adds the place in the file."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from corsproxy.config.declaration import OriginItem, PolicyValues
from corsproxy.config.files import Files
from corsproxy.config.inheritance import WholePolicy, whole_policies
from corsproxy.config.origin_files import OriginLine, why_not_in_file
from corsproxy.config.problems import Place, Reason, Report, Severity, join
from corsproxy.config.shape import Bad, Items
from corsproxy.cors import OriginSpec, PolicyProblem, PolicySpec, check_policy
from corsproxy.settings import PolicySettings

_MOST_OF_A_FILE = 20
"""The most problems of one file of origins to report: the rest is mostly of the same kind."""


@dataclass(frozen=True, slots=True)
class RulePlace:
    """Where one rule of a policy's origins is written."""

    path: str
    """The key path of the item, such as `policies.app.allow_origins[2]`."""
    file: str | None = None
    """The file of origins; None for the configuration itself."""
    place: Place | None = None
    """The place in that file."""
    text: str = ""
    """The line's origin."""


class RulePlaces:
    """Where each rule of a policy's origins is written: in an item of the list, or in a line of its file."""

    def __init__(self) -> None:
        self._first: list[int] = []
        self._items: list[tuple[str, str | None, Sequence[OriginLine], str]] = []

    def add(
        self, first: int, path: str, file: str | None = None, lines: Sequence[OriginLine] = (), name: str = ""
    ) -> None:
        """Record that the rules from `first` on belong to an item, or to the lines of a file that it calls `name`."""
        self._first.append(first)
        self._items.append((path, file, lines, name))

    def files(self) -> Iterator[tuple[int, str]]:
        """Yield the first rule of each file of origins, and the file's name as written."""
        yield from ((first, item[3]) for first, item in zip(self._first, self._items, strict=True) if item[3])

    def of(self, rule: int) -> RulePlace:
        """Return the place of the rule with this number."""
        at = bisect_right(self._first, rule) - 1
        path, file, lines, _ = self._items[at]
        if file is None:
            return RulePlace(path)
        line = lines[rule - self._first[at]]
        return RulePlace(path, file, Place(line.line, line.column), line.text)


@dataclass(frozen=True, slots=True)
class CompiledPolicy:
    """A policy as written and as compiled."""

    spec: PolicySpec
    settings: PolicySettings
    rules: RulePlaces
    homes: Mapping[str, str]
    """By key, if it is written: the policy in which it is, the same or one that it extends."""


@dataclass(frozen=True, slots=True)
class CompiledPolicies:
    """The valid part of the section."""

    by_name: Mapping[str, CompiledPolicy]
    bases: frozenset[str]
    """Names that other policies extend."""
    without_origins: frozenset[str]
    """Bases without origins of their own, which no route may use."""


def compile_policies(section: Mapping[str, PolicyValues | Bad], report: Report, files: Files) -> CompiledPolicies:
    """Return the valid policies, compiled; problems are reported."""
    whole, bases = whole_policies(section, report)
    compiled = {}
    without_origins = set()
    reported: set[tuple[str, str]] = set()
    for name, policy in whole.items():
        if "allow_origins" in policy.homes:
            if (found := _Compiler(policy, report, files, reported).compile()) is not None:
                compiled[name] = found
        elif name in bases:
            without_origins.add(name)
            _Compiler(policy, report, files, reported).check()
        elif (
            join("policies", name) not in report.merged
            and f"{join('policies', name)}.allow_origins" not in report.slips
        ):
            message = "missing key 'allow_origins': who may read; only a policy that others extend may omit it"
            report.error(f"{join('policies', name)}.allow_origins", "missing", message)
    return CompiledPolicies(compiled, bases, frozenset(without_origins))


class _Compiler:
    """Compile one policy, and report its problems."""

    def __init__(self, policy: WholePolicy, report: Report, files: Files, reported: set[tuple[str, str]]) -> None:
        self._name, self._values, self._homes = policy.name, policy.values, policy.homes
        self._report = report
        self._files = files
        self._reported = reported
        """Path and message of each problem so far: those of a base are not repeated for the policies that extend it."""
        self._rules = RulePlaces()
        self._origins: list[OriginSpec] = []
        self._in_file: dict[tuple[str, str, Severity], list[Place]] = {}
        """The places of problems by file, key path and severity."""

    def check(self) -> None:
        """Report the errors of a base without origins, even in keys that all policies that extend it replace."""
        for problem in check_policy(self._spec(allows_nobody=True))[1]:
            if problem.severity == "error":
                self._report_once(problem)

    def compile(self) -> CompiledPolicy | None:
        items = self._values.allow_origins or ()
        read = [self._add_item(self._item_path("allow_origins", at), item) for at, item in items]
        if not items or not (self._origins or any(read)):
            return None  # the list is empty or all items are bad, which is reported
        spec = self._spec(allows_nobody=not self._origins)
        policy, problems = check_policy(spec)
        for problem in problems:
            self._report_once(problem)
        self._report_rest()
        if policy is None:
            return None
        values = self._values
        settings = PolicySettings(
            self._name,
            policy,
            values.on_refused,
            values.websockets,
            values.mode,
            int(values.preflight_status),
        )
        return CompiledPolicy(spec, settings, self._rules, self._homes)

    def _path(self, key: str) -> str:
        return f"{join('policies', self._homes.get(key, self._name))}.{key}"

    def _item_path(self, key: str, at: int) -> str:
        """Return the path of an item, or of the list if it is one text."""
        path = self._path(key)
        return inner if (inner := f"{path}[{at}]") in self._report.places else path

    def _add_item(self, path: str, item: OriginItem) -> bool:
        """Add the origins of an item; return whether it is a file that could be read."""
        regex, file = item.regex, item.file
        if item.origin is not None:
            self._add(OriginSpec(item.origin), path)
        elif regex is not None and file is None:
            self._add(OriginSpec(regex, is_regex=True), path)
        elif file is not None and regex is None:
            return self._add_file(path, file)
        elif not self._report.has_errors_in(path):
            self._report.error(path, "invalid", "invalid origin: write an origin, or one of 'regex: …' and 'file: …'")
        return False

    def _add(self, origin: OriginSpec, path: str) -> None:
        self._rules.add(len(self._origins), path)
        self._origins.append(origin)

    def _add_file(self, path: str, name: str) -> bool:
        found = self._files.read_origins(f"{path}.file", name)
        if found is None:
            return False
        file, lines = found
        good = []
        for line in lines:
            if refused := why_not_in_file(line.text):
                self._report_line(file, line, f"{path}.file", "error", "prohibited", refused)
            else:
                good.append(line)
        if not good:
            message = "missing origins: the file lists none, so it allows no page"
            if self._once(f"{path}.file", message):
                self._report.warning(f"{path}.file", "missing", message)
        self._rules.add(len(self._origins), path, file, good, name)
        self._origins += [OriginSpec(line.text, in_file=True) for line in good]
        return True

    def _spec(self, *, allows_nobody: bool) -> PolicySpec:
        """Return the policy as written, without the list items that were reported already."""
        values = self._values
        return PolicySpec(
            allow_origins=tuple(self._origins),
            allow_methods=_words(values.allow_methods),
            allow_headers=_words(values.allow_headers),
            expose_headers=_words(values.expose_headers),
            allow_credentials=values.allow_credentials,
            max_age=values.max_age,
            timing=values.timing if isinstance(values.timing, bool) else _words(values.timing),
            diagnostics=values.diagnostics,
            dangerously_allow=_words(values.dangerously_allow),
            allows_nobody=allows_nobody,
        )

    def _report_once(self, problem: PolicyProblem) -> None:
        where, message = self._path(problem.field), problem.message
        home = self._homes.get(problem.field, self._name)
        if problem.index is not None and problem.field == "allow_origins":
            rule = self._rules.of(problem.index)
            if rule.file is not None and rule.place is not None:
                line = OriginLine(rule.text, rule.place.line, rule.place.column)
                self._report_line(rule.file, line, f"{rule.path}.file", problem.severity, problem.reason, message)
                return
            where = rule.path
        elif problem.index is not None:
            where = self._item_path(problem.field, _list_of(self._values, problem.field)[problem.index][0])
        if not self._once(where, message):
            return
        if home != self._name:
            message = f"{message} (in {self._name}, which extends {home})"
        if problem.severity == "error":
            self._report.error(where, problem.reason, message)
        else:
            self._report.warning(where, problem.reason, message)

    def _report_line(
        self, file: str, line: OriginLine, path: str, severity: Severity, reason: Reason, message: str
    ) -> None:
        place = Place(line.line, line.column)
        if not self._once(f"{file}:{line.line}", message):
            return
        reported = self._in_file.setdefault((file, path, severity), [])
        reported.append(place)
        if len(reported) <= _MOST_OF_A_FILE:
            self._report.in_file(file, place, path, severity, reason, message)

    def _report_rest(self) -> None:
        for (file, path, severity), reported in self._in_file.items():
            if more := reported[_MOST_OF_A_FILE:]:
                noun = "problem" if severity == "error" else "warning"
                message = f"{len(more)} more {noun}{'s' if len(more) > 1 else ''} from this line on"
                self._report.in_file(file, more[0], path, severity, "invalid", message)

    def _once(self, where: str, message: str) -> bool:
        """Return whether this has not been reported yet."""
        if (where, message) in self._reported:
            return False
        self._reported.add((where, message))
        return True


def _words(items: Items[str]) -> tuple[str, ...]:
    return tuple(item for _, item in items)


def _list_of(values: PolicyValues, field: str) -> Items[object]:
    """Return the list with this key."""
    found: Items[object] = getattr(values, field)
    return found
