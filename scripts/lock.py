"""Write requirements.lock and requirements-build.lock: what the image installs, each file by its hash.

The first holds what the package needs to run, the second what else builds it, compiled; both are read from
pyproject.toml.
Resolved for every platform and for every Python the package supports at once, so one file serves amd64 and arm64.
The lock names no package index: where packages come from is the business of whoever builds the image.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OLDEST_PYTHON = "3.11"
HEADER = "# Made by `make lock` from pyproject.toml; not for editing.\n"


def main() -> int:
    """Resolve both sets and write them, or write nothing."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = {
        "requirements.lock": project["project"]["dependencies"],
        "requirements-build.lock": project["build-system"]["requires"] + project["dependency-groups"]["compile"],
    }
    resolved = {name: resolve(requirements) for name, requirements in wanted.items()}
    for name, text in resolved.items():
        (ROOT / name).write_text(HEADER + text, encoding="utf-8")
        pins = [line for line in text.splitlines() if not line.startswith((" ", "#"))]
        print(f"{name}: {len(pins)} packages")
    return 0


def resolve(requirements: list[str]) -> str:
    """Pin `requirements` and everything they need, with the hashes of all their files."""
    uv = Path(sys.executable).with_name("uv")
    options = ["--universal", "--python-version", OLDEST_PYTHON, "--generate-hashes", "--no-header", "--no-config"]
    done = subprocess.run(  # noqa: S603 - our own program with our own list
        [uv, "pip", "compile", "--quiet", *options, "-"],
        input="\n".join(requirements),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
