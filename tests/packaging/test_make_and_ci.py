"""The Makefile installs when it must and only then; CI installs the programs that the tests start."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.pythons import is_usable, versions
from tests.conftest import PURE, everything_imported, spread
from tests.packaging.files import ROOT, program

CI = ROOT / ".ci/run"
# A test names a program and its Debian package side by side, as `program("promtool", "prometheus")`.
NAMED = re.compile(r'\bprogram\(\s*"([\w-]+)",\s*"([\w.-]+)"')
STAMPS = (".installed", ".installed-test", ".installed-uv")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Make a tree in which everything looks installed: a Python in .venv, and stamps newer than what is installed."""
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    for path in (tmp_path / "pyproject.toml", *tmp_path.glob("requirements/*")):
        os.utime(path, (1000, 1000))
    (tmp_path / ".venv/bin").mkdir(parents=True)
    for name in ("bin/python", *STAMPS):
        (tmp_path / ".venv" / name).touch()
    return tmp_path


def plan(tree: Path, target: str) -> str:
    """Ask make what it would run, without running it; what it would ask of itself is replaced by that."""
    make = program("make", "make")
    command = [make, "--dry-run", "--no-print-directory", target]
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=True, timeout=60)
    lines = [line for line in done.stdout.splitlines(keepends=True) if not line.startswith(make)]
    # Where nothing is made, the one that is asked would make it, too.
    return "".join(dict.fromkeys(lines))


def installations(tree: Path, target: str) -> list[str]:
    """List the commands by which make would install something."""
    steps = re.sub(r"\\\n\s*", "", plan(tree, target)).splitlines()
    return [step for step in steps if re.search(r"\b(pip|uv)\b.* install ", step)]


@pytest.mark.parametrize("target", ["demo", "test", "test-compiled", "lock"])
def test_nothing_is_installed_twice(tree: Path, target: str) -> None:
    """Nothing is installed while pyproject.toml and the lock's exports are as they were."""
    assert installations(tree, target) == []


@pytest.mark.parametrize("changed", ["pyproject.toml", "requirements/dev.txt"])
def test_what_changed_is_installed_again(tree: Path, changed: str) -> None:
    """The installed packages follow the project and its lock."""
    os.utime(tree / changed, (3000, 3000))
    for stamp in STAMPS:
        os.utime(tree / ".venv" / stamp, (2000, 2000))
    assert len(installations(tree, "test")) == 2
    assert bool(installations(tree, "demo")) == (changed == "pyproject.toml")


@pytest.mark.parametrize(
    ("target", "files"),
    [("demo", {"run", "build"}), ("test", {"lock", "dev"}), ("lock", {"lock"}), ("latest", {"lock"})],
)
def test_what_is_installed_is_locked(tree: Path, target: str, files: set[str]) -> None:
    """In a fresh tree everything comes from the lock's exports by its hash, or from the tree without a network."""
    shutil.rmtree(tree / ".venv")
    installs = installations(tree, target)
    assert {name for step in installs for name in re.findall(r"-r requirements/(\w+)\.txt", step)} == files
    for step in installs:
        for command in step.split(" || "):
            needed = {"--no-deps"} | (
                {"--no-build-isolation"} if "--editable" in command else {"--require-hashes", "--only-binary"}
            )
            assert needed <= set(command.split())


def test_a_fresh_tree_gets_its_own_environment(tree: Path) -> None:
    """Without a .venv, one is made first, and nothing is installed outside it."""
    shutil.rmtree(tree / ".venv")
    steps = plan(tree, "demo")
    assert steps.index("-m venv .venv") < steps.index("pip")
    assert steps.rstrip().endswith(".venv/bin/corsproxy demo")


def test_a_reviewer_runs_everything(tree: Path) -> None:
    """`make test` checks the format, the lint rules and the types before it runs the tests."""
    steps = plan(tree, "test").splitlines()
    assert [step.removeprefix(".venv/bin/").strip() for step in steps] == [
        "ruff format --check .",
        "ruff check .",
        "mypy",
        "python -m pytest --numprocesses 4 --dist loadfile --no-loadscope-reorder",
    ]


def test_what_is_imported_is_compiled_once(tree: Path) -> None:
    """Images of Python tell it to keep no bytecode, with which each process the tests start takes twice as long."""
    command = [program("make", "make"), "--eval", "show: ; @env", "show"]
    environ = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "SHOWN": "yes"}
    shown = subprocess.run(
        command, cwd=tree, env=environ, capture_output=True, text=True, check=True, timeout=60
    ).stdout
    assert "SHOWN=yes" in shown
    assert "PYTHONDONTWRITEBYTECODE" not in shown


def test_what_is_run_before_a_commit_starts_no_process(tree: Path) -> None:
    """`make check` does what `make test` does, on fewer examples and without what starts a process or a browser."""
    *lint, tests = plan(tree, "check").splitlines()
    assert lint == plan(tree, "lint").splitlines()
    assert tests.startswith("HYPOTHESIS_PROFILE=check ")
    assert f"-m '{PURE}'" in tests


def test_tests_are_marked_by_what_they_import(request: pytest.FixtureRequest) -> None:
    """A test that starts processes, itself or by another module, has the mark, and no other has."""
    assert request.node.get_closest_marker("process") is not None
    assert "subprocess" in everything_imported("tests.proxy.test_cors_on_the_wire")
    assert "subprocess" not in everything_imported("tests.cors.test_decisions")
    assert "subprocess" not in everything_imported("tests.proxy.fields.test_redirects")


def test_the_files_of_a_directory_are_run_among_those_of_others() -> None:
    """However many it has; a subdirectory belongs to its parent."""
    names = ["test_x", "a/test_1", "a/b/test_2", "c/test_1", "c/test_2", "c/test_3", "c/test_4"]
    in_order = [str(file.relative_to(ROOT / "tests"))[:-3] for file in spread({ROOT / f"tests/{n}.py" for n in names})]
    assert in_order == ["a/b/test_2", "c/test_1", "test_x", "c/test_2", "a/test_1", "c/test_3", "c/test_4"]


def test_the_pythons_are_those_that_the_project_names() -> None:
    """Every Python of the classifiers is looked for, the oldest one being what the project requires."""
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert versions(project) == ["3.11", "3.12", "3.13", "3.14"]
    assert 'requires-python = ">=3.11"' in project
    assert all(is_usable(python) == python.exists() for python in (Path(sys.executable), Path("/no/python3.99")))


def test_the_compiled_form_is_built_and_tested(tree: Path) -> None:
    """`make test-compiled` builds the wheel unoptimized, and runs pytest on the compiled form."""
    build, lay_out, test = plan(tree, "test-compiled").replace("\\\n", "").splitlines()[1:]
    assert build.startswith("CORSPROXY_COMPILE=1 CORSPROXY_OPT_LEVEL=0 ")
    assert build.endswith(
        "pip --disable-pip-version-check wheel --quiet --no-deps --no-build-isolation --wheel-dir build/compiled ."
    )
    assert lay_out.endswith("scripts/compiled_tree.py build/compiled")
    assert test.startswith("cd build/compiled/tree && FORM_UNDER_TEST=compiled ")
    places = re.findall(r" (tests/\S+)", test.partition(" -m pytest --numprocesses 4 ")[2])
    assert "tests/server/test_form.py" in places, "it fails where what runs is not compiled"
    assert all((ROOT / place).exists() for place in places)


def test_ci_runs_what_people_run() -> None:
    """CI ends with a target that ends with pytest, so that its closing line is the last one; each may fail once."""
    lines = CI.read_text(encoding="utf-8").rstrip().splitlines()
    make, again = "make --no-print-directory", 'PYTEST_ARGS="$once_more" </dev/null'
    assert lines[-2] == f"{make} test </dev/null || {make} test {again}"
    assert lines[-1] == f"{make} test-compiled </dev/null || {make} test-built {again}"
    assert os.access(CI, os.X_OK)


def test_ci_installs_every_program_that_a_test_names() -> None:
    """A program that a test would skip without is one that CI installs, from the package the test names."""
    installed = set(re.findall(r'^  "([\w-]+) ([\w.-]+)"', CI.read_text(encoding="utf-8"), flags=re.MULTILINE))
    named = {
        pair for path in (ROOT / "tests").rglob("*.py") for pair in NAMED.findall(path.read_text(encoding="utf-8"))
    }
    assert named
    assert named <= installed
