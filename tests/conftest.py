"""What holds for every test: its marks, its place in the order, and how many examples a property is tried on.

`process` and `browser` are set here, by what a test module imports, so that none is forgotten: `make check` leaves
those tests out, since it is for every save of a file.
"""

from __future__ import annotations

import functools
import os
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, is_hypothesis_test, settings
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from tests.support.examples import PROFILE, examples

ROOT = Path(__file__).resolve().parent.parent

# A machine that is busy makes any example slow; how long one takes is no property of the code.
_PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=examples(100))
# The same tree gets the same answer each time; `make fuzz` looks for examples that nobody has seen.
settings.register_profile("check", _PATIENT, derandomize=True)
settings.register_profile("default", _PATIENT, derandomize=True)
settings.register_profile("thorough", _PATIENT)
settings.load_profile(PROFILE)

pytest_plugins = ["tests.support.mutants"] if os.environ.get("CORSPROXY_MUTANTS") else []

# What a test module that starts processes imports, itself or by way of another module of the tests.
_STARTS_PROCESSES = {"subprocess", "multiprocessing"}
_DRIVES_A_BROWSER = {"playwright.sync_api", "playwright.async_api", "tests.browser.chromium"}

_DRIVE_FIREFOX = ("_in_browsers.py", "_in_firefox.py")
"""The ends of the names of files that drive Firefox; the scheduler knows only the names."""

PURE = "not process and not browser"
"""The expression by which `make check` selects its tests."""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Skip the files without a test for `make check`: to import them takes a third of its collection."""
    if config.getoption("markexpr") != PURE or collection_path.suffix != ".py":
        return None
    module = ".".join(collection_path.relative_to(ROOT).with_suffix("").parts)
    return bool(everything_imported(module) & (_STARTS_PROCESSES | _DRIVES_A_BROWSER)) or None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test, and run the files that start processes first, in an order that mixes the directories.

    They are few and long: run last, one of them keeps a worker busy for minutes while the others have nothing left.
    The tests of a directory are alike: those with browsers use every processor, those of limits in time use none.
    """
    slow: set[Path] = set()
    for item in items:
        if not isinstance(item, pytest.Function):
            continue
        known = set(everything_imported(item.module.__name__))
        for definitions in item._fixtureinfo.name2fixturedefs.values():
            known |= everything_imported(definitions[-1].func.__module__)
        if known & _STARTS_PROCESSES:
            item.add_marker("process")
            slow.add(item.path)
        if known & _DRIVES_A_BROWSER:
            item.add_marker("browser")
        if {"firefox", "tab"} & set(item.fixturenames) and not item.path.name.endswith(_DRIVE_FIREFOX):
            raise pytest.UsageError(
                f"{item.path}: rename it: what drives Firefox ends in {' or '.join(_DRIVE_FIREFOX)}"
            )
        if is_hypothesis_test(item.function):
            item.add_marker("property")
    places = {path: place for place, path in enumerate(spread(slow))}
    items.sort(key=lambda item: places.get(item.path, len(places)))


def spread(files: set[Path]) -> list[Path]:
    """Return the files in an order in which those of each directory of the tests are evenly spaced."""
    directories: dict[tuple[str, ...], list[Path]] = {}
    for file in sorted(files):
        directories.setdefault(file.relative_to(ROOT / "tests").parts[:-1][:1], []).append(file)
    position = {file: at / len(of_one) for of_one in directories.values() for at, file in enumerate(of_one)}
    return sorted(files, key=lambda file: (position[file], file))


class _OneFirefox(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
    """Gives each file to one worker, and all files that drive Firefox to the same: a Firefox costs seven seconds."""

    def _split_scope(self, nodeid: str) -> str:
        path = super()._split_scope(nodeid)
        return "Firefox" if path.endswith(_DRIVE_FIREFOX) else path


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling | None:
    """Keep the tests of a file in one worker, and those of Firefox."""
    return _OneFirefox(config, log) if config.getoption("dist") == "loadfile" else None


@functools.cache
def everything_imported(module: str) -> frozenset[str]:
    """Return what a module of the tests imports, directly or through other modules of the tests."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        for name in imported(waiting.pop()):
            if name not in found:
                found.add(name)
                waiting.append(name)
    return frozenset(found)


# A pattern, because `ast` takes seconds for all tests, in each worker.
_IMPORT = re.compile(
    r"^ *(?:import (?P<module>[\w.]+)|from (?P<base>[\w.]+) import (?P<names>\([^)]*\)|.+))", re.MULTILINE
)
_COMMENT = re.compile(r"#.*")


@functools.cache
def imported(module: str) -> frozenset[str]:
    """Return what a module of the tests or scripts imports; nothing for other modules."""
    path = ROOT / module.replace(".", "/")
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    if module.partition(".")[0] not in {"tests", "scripts"} or not path.is_file():
        return frozenset()
    names: set[str] = set()
    for found in _IMPORT.finditer(path.read_text(encoding="utf-8")):
        base = found["module"] or found["base"]
        names.add(base)
        for taken in _COMMENT.sub("", found["names"] or "").strip("( )\n").split(","):
            if taken.strip():
                names.add(f"{base}.{taken.split()[0]}")
    return frozenset(names)
