"""What is tested is what was meant to be, in every process: the sources, or the compiled modules."""

from __future__ import annotations

import importlib
import tomllib
from importlib.machinery import ExtensionFileLoader, SourceFileLoader
from pathlib import Path

import pytest

from tests.server.setup import ask, children, config
from tests.support.form import IS_COMPILED
from tests.support.process import started
from tests.support.upstream import Upstream

ROOT = Path(__file__).resolve().parents[2]
COMPILED: list[str] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["corsproxy"][
    "compiled"
]
# mypyc puts the code of all modules into one library; what has a module's name only leads to it.
LIBRARY = "corsproxy__mypyc"


def libraries(pid: int) -> set[Path]:
    """List the compiled code of ours that a process has mapped."""
    mapped = Path(f"/proc/{pid}/maps").read_text(encoding="utf-8").splitlines()
    return {Path(line.split(maxsplit=5)[5]) for line in mapped if LIBRARY in line}


@pytest.mark.parametrize("path", COMPILED)
def test_the_tests_import_the_form_under_test(path: str) -> None:
    """A module that a compiled build compiles comes from this tree, and is compiled exactly where it should be."""
    module = importlib.import_module(path.removesuffix(".py").replace("/", "."))
    assert module.__spec__ is not None
    assert isinstance(module.__spec__.loader, ExtensionFileLoader if IS_COMPILED else SourceFileLoader)
    assert module.__file__ is not None
    assert Path(module.__file__).parent == (ROOT / path).parent


@pytest.mark.parametrize(("workers", "fresh"), [(1, False), (1, True), (2, False)])
def test_processes_run_the_form_under_test(workers: int, *, fresh: bool) -> None:
    """A process that the tests start, and each of its workers, runs this tree's compiled code or none at all."""
    with Upstream() as upstream, started(config(upstream, f"workers: {workers}"), fresh=fresh) as proxy:
        assert ask(proxy.address).status == 200
        processes = [proxy.pid, *children(proxy.pid)]
        assert len(processes) == (1 if workers == 1 else 1 + workers)
        for pid in processes:
            assert {library.parent for library in libraries(pid)} == ({ROOT} if IS_COMPILED else set())
