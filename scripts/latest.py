"""Runs the tests on the newest versions that pyproject.toml allows, and lists what is newer than the lock.

    python scripts/latest.py [PYTEST-ARGUMENTS...]

A failure is news, not a verdict on this tree: `make test` may still pass.
The environment is `build/latest`, which is new each time; uv.lock does not change.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / "build/latest"
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;]+)", re.MULTILINE)


def main(arguments: list[str]) -> int:
    """Install, print the differences, and return pytest's exit status."""
    uv = Path(sys.executable).with_name("uv")
    shutil.rmtree(HOME, ignore_errors=True)
    run(uv, "venv", "--quiet", "--python", sys.executable, str(HOME))
    python = HOME / "bin/python"
    # Not `uv sync`, which would use the lock; `--refresh` ignores uv's cache of the index.
    wanted = ["--requirements", "pyproject.toml", "--all-extras", "--group", "dev", "--editable", "."]
    run(uv, "pip", "install", "--quiet", "--refresh", "--python", python, *wanted)
    locked = pins((ROOT / "requirements/dev.txt").read_text(encoding="utf-8"))
    print("\n".join(changes(locked, pins(run(uv, "pip", "freeze", "--python", python)))), flush=True)
    return subprocess.run([python, "-m", "pytest", *arguments], cwd=ROOT, check=False).returncode  # noqa: S603


def run(*command: str | Path) -> str:
    """Run a program and return what it prints; raises if it fails."""
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout  # noqa: S603


def pins(text: str) -> dict[str, list[str]]:
    """Return the versions in a requirements file; a package has several if they depend on the version of Python."""
    found: dict[str, list[str]] = {}
    for name, version in PIN.findall(text):
        found.setdefault(name, []).append(version)
    return found


def changes(locked: dict[str, list[str]], found: dict[str, list[str]]) -> list[str]:
    """Return a line for each package installed in another version than the locked ones, or not locked at all."""
    lines = [
        f"{name}: {' or '.join(locked.get(name, ['not locked']))} -> {version}"
        for name, versions in sorted(found.items())
        for version in versions
        if version not in locked.get(name, [])
    ]
    return lines or ["every version is that of uv.lock"]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
