"""The build backend: pure unless it is asked to compile, and plain words where it cannot or must not."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import build_backend
from build_backend import COMPILED, VARIABLE

from .files import ROOT, program

# What a checkout has that a build could need; everything else of it stays out of the tree that is built here.
SOURCES = ["build_backend.py", "setup.py", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE"]


def build(folder: Path, hook: str) -> Path:
    """Call a hook of the backend as a frontend does, in a process of its own, and return what it has built."""
    script = f"import build_backend, sys; print(build_backend.{hook}(sys.argv[1]))"
    command = [sys.executable, "-c", script, str(folder / "out")]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return folder / "out" / done.stdout.splitlines()[-1]


def test_pure_wheel_by_way_of_the_source_distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The source distribution holds what a build needs, and without the variable that is a wheel for every platform."""
    monkeypatch.delenv(VARIABLE, raising=False)
    for name in SOURCES:
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "corsproxy", tmp_path / "corsproxy", ignore=shutil.ignore_patterns("__pycache__"))
    package = {str(path.relative_to(tmp_path)) for path in (tmp_path / "corsproxy").rglob("*") if path.is_file()}
    source = build(tmp_path, "build_sdist")
    subprocess.run(["tar", "-xzf", source, "-C", tmp_path], check=True)
    unpacked = tmp_path / source.name.removesuffix(".tar.gz")
    wheel = build(unpacked, "build_wheel")
    assert wheel.name.endswith("-py3-none-any.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert {name for name in archive.namelist() if ".dist-info/" not in name} == package


def test_compiled_modules_are_there() -> None:
    """Every module that is to be compiled is one of the package, named once and in order."""
    assert all((ROOT / name).is_file() for name in COMPILED)
    assert list(COMPILED) == sorted(set(COMPILED))


def test_requirements(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pure build needs nothing further; a compiled one the compiler, and the packages whose types it reads."""
    monkeypatch.chdir(ROOT)
    for value in ("", "0"):
        monkeypatch.setenv(VARIABLE, value)
        assert build_backend.get_requires_for_build_wheel() == []
    program("gcc", "gcc")
    monkeypatch.setenv(VARIABLE, "1")
    compiler, *others = build_backend.get_requires_for_build_wheel()
    assert re.fullmatch(r"mypy==[\d.]+", compiler)
    assert others == tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]


@pytest.mark.parametrize("compiler", ["no-such-compiler", "false"])
def test_no_c_compiler(compiler: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without a working compiler the build ends with what failed and the two ways out, before anything is fetched."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv(VARIABLE, "1")
    monkeypatch.setenv("CC", compiler)
    for hook in (build_backend.get_requires_for_build_wheel, lambda: build_backend.build_wheel(str(tmp_path))):
        with pytest.raises(SystemExit) as refused:
            hook()
        text = str(refused.value)
        assert f"\n  {compiler} -I" in text
        assert "apt-get install gcc libc6-dev python3-dev" in text
        assert f"leave {VARIABLE} out" in text


def test_editable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An editable install is never compiled, as its sources would be changed in vain."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv(VARIABLE, "1")
    for hook in (build_backend.get_requires_for_build_editable, lambda: build_backend.build_editable(str(tmp_path))):
        with pytest.raises(SystemExit, match="not for an editable install: a compiled module would hide the changes"):
            hook()


@pytest.mark.parametrize("value", ["true", "2", " "])
def test_unknown_value(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is neither yes nor no is refused, not guessed."""
    monkeypatch.setenv(VARIABLE, value)
    with pytest.raises(SystemExit, match=f"invalid {VARIABLE}={value}"):
        build_backend.get_requires_for_build_wheel()
