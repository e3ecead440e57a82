"""Tests rules, configuration and data path on every other Python that pyproject.toml names and this machine has.

    python scripts/pythons.py [PYTEST-ARGUMENTS...]

Each has an environment in `build/pythons`, installed from the lock with its hashes.
Missing ones are listed as not run, so that nobody takes silence for a pass.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOMES = ROOT / "build/pythons"
# The pure tests, and one file that starts the proxy itself.
SELECTIONS = [
    ["-m", "not process and not browser", "tests/cors", "tests/config", "tests/proxy"],
    ["tests/proxy/test_cors_on_the_wire.py"],
]


def main(arguments: list[str]) -> int:
    """Run the tests on each Python, one after the other; return 1 if any failed."""
    outcomes: dict[str, str] = {}
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    for version in versions((ROOT / "pyproject.toml").read_text(encoding="utf-8")):
        if version == own:
            outcomes[version] = "that of .venv, on which `make test` runs everything"
            continue
        python = next(filter(is_usable, candidates(version)), None)
        if python is None:
            outcomes[version] = f"not run: no python{version} here"
            continue
        print(f"Python {version}: {python}", flush=True)
        outcomes[version] = "passed" if passes(version, python, arguments) else "FAILED"
    print("\n".join(f"Python {version}: {outcome}" for version, outcome in outcomes.items()))
    return 1 if "FAILED" in outcomes.values() else 0


def versions(project: str) -> list[str]:
    """Return the versions in the classifiers."""
    return re.findall(r'"Programming Language :: Python :: (3\.\d+)"', project)


def candidates(version: str) -> Iterator[Path]:
    """Yield the interpreter on PATH, then those that pyenv has installed."""
    found = shutil.which(f"python{version}")
    if found is not None:
        yield Path(found)
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from sorted(pyenv.glob(f"versions/{version}.*/bin/python{version}"))


def is_usable(python: Path) -> bool:
    """Return whether it starts: pyenv has shims for versions that are not installed."""
    if not python.exists():
        return False
    command = [str(python), "-c", "import ssl, ctypes"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0  # noqa: S603


def passes(version: str, python: Path, arguments: list[str]) -> bool:
    """Install the locked packages for one Python, run the tests on it, and return whether they passed."""
    home, uv = HOMES / version, str(Path(sys.executable).with_name("uv"))
    own = str(home / "bin/python")
    into = ["--quiet", "--no-deps", "--python", own]
    steps = [
        [uv, "venv", "--quiet", "--clear", "--python", str(python), str(home)],
        [uv, "pip", "install", *into, "--only-binary", ":all:", "--require-hashes", "-r", "requirements/dev.txt"],
        [uv, "pip", "install", *into, "--no-build-isolation", "--editable", "."],
    ]
    steps += [[own, "-m", "pytest", "-q", *arguments, *selection] for selection in SELECTIONS]
    return all(subprocess.run(step, cwd=ROOT, check=False).returncode == 0 for step in steps)  # noqa: S603


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
