"""The build: pure unless it is asked to compile, and plain words where it must not."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

from corsproxy import __version__
from tests.packaging.files import ROOT

# What a checkout has that a build could need; everything else of it stays out of the tree that is built here.
SOURCES = ["setup.py", "MANIFEST.in", "pyproject.toml", "README.md", "LICENSE"]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def call(folder: Path, hook: str, compiled: str = "", *arguments: str) -> subprocess.CompletedProcess[str]:
    """Call a hook of the backend in a separate process, as a frontend does."""
    script = f"import sys; from setuptools import build_meta; print(build_meta.{hook}(*sys.argv[1:]))"
    compile_it, _, level = compiled.partition(" at ")
    environment = os.environ | {"CORSPROXY_COMPILE": compile_it, "CORSPROXY_OPT_LEVEL": level}
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=100
    )


def said(done: subprocess.CompletedProcess[str]) -> str:
    """Return the last line of what a hook that went well has printed."""
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


def test_pure_wheel_by_way_of_the_source_distribution(tmp_path: Path) -> None:
    """The source distribution holds what a build needs, and without the variable that is a wheel for every platform."""
    for name in SOURCES:
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "corsproxy", tmp_path / "corsproxy", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/test_docs.py").touch()
    package = {str(path.relative_to(tmp_path)) for path in (tmp_path / "corsproxy").rglob("*") if path.is_file()}
    source = said(call(tmp_path, "build_sdist", "", "out"))
    assert source == f"corsproxy-{__version__}.tar.gz"
    subprocess.run(["tar", "-xzf", tmp_path / "out" / source, "-C", tmp_path], check=True)
    unpacked = tmp_path / source.removesuffix(".tar.gz")
    assert not (unpacked / "tests").exists(), "half of the tests would be there, and none could run"
    wheel = said(call(unpacked, "build_wheel", "", "out"))
    assert wheel == f"corsproxy-{__version__}-py3-none-any.whl"
    with zipfile.ZipFile(unpacked / "out" / wheel) as archive:
        assert {name for name in archive.namelist() if ".dist-info/" not in name} == package


def test_compiled_modules_are_there() -> None:
    """Every module that is to be compiled is one of the package, named once and in order."""
    names = PROJECT["tool"]["corsproxy"]["compiled"]
    assert all((ROOT / name).is_file() for name in names)
    assert names == sorted(set(names))


def test_requirements() -> None:
    """A pure build needs nothing further; a compiled one the compiler, and the packages whose types it reads."""
    assert said(call(ROOT, "get_requires_for_build_wheel", "0")) == "[]"
    wanted = said(call(ROOT, "get_requires_for_build_wheel", "1"))
    [compiler] = PROJECT["dependency-groups"]["compile"]
    assert re.fullmatch(r"mypy==[\d.]+", compiler)
    for requirement in [compiler, *PROJECT["project"]["dependencies"]]:
        assert repr(requirement) in wanted or f'"{requirement}"' in wanted


@pytest.mark.parametrize(
    ("hook", "compiled", "text"),
    [
        ("build_editable", "1", "CORSPROXY_COMPILE=1 is not for an editable install"),
        ("get_requires_for_build_wheel", "true", "invalid CORSPROXY_COMPILE=true"),
        ("get_requires_for_build_wheel", "2", "invalid CORSPROXY_COMPILE=2"),
        ("get_requires_for_build_wheel", "1 at fast", "invalid CORSPROXY_OPT_LEVEL=fast"),
    ],
)
def test_a_build_that_cannot_be(hook: str, compiled: str, text: str, tmp_path: Path) -> None:
    """A value that is neither yes nor no is refused, and an editable install is never compiled."""
    done = call(ROOT, hook, compiled, *([str(tmp_path)] if hook == "build_editable" else []))
    assert done.returncode == 1
    assert f"corsproxy: error: {text}" in done.stderr


def test_the_version_has_one_source() -> None:
    """Examples that name a version name that of the package."""
    assert "version" in PROJECT["project"]["dynamic"]
    assert "version" not in PROJECT["project"]
    for path in sorted((ROOT / "deploy").rglob("*.yaml")):
        for named in re.findall(r"\bcorsproxy:(\d[\w.]*)", path.read_text(encoding="utf-8")):
            assert named == __version__, path
