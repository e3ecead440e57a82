"""Resolve pyproject.toml into uv.lock, and export from it what pip installs, each file by its hash.

    python scripts/lock.py             keep every version that still satisfies pyproject.toml
    python scripts/lock.py --upgrade   take the newest versions

uv.lock is the one truth; the files in `requirements/` follow from it, so that make, CI and the image need pip alone.
It is resolved for every platform and every Python the package supports at once: one file serves amd64 and arm64.
The exports name no package index: where packages come from is the business of whoever installs them.
uv.lock names the public one, whatever index this machine is set up with, as the next person has another.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "requirements"
HEADER = "# Exported from uv.lock by `make lock`; not for editing.\n"

EXPORTS: dict[str, list[str]] = {
    # What the package runs with: `make demo` and the image.
    "run.txt": ["--no-default-groups"],
    # What else the compiled build needs: the image's first stage.
    "compile.txt": ["--only-group", "build", "--only-group", "compile"],
    # What builds an editable install: `make demo`.
    "build.txt": ["--only-group", "build"],
    # Everything but uv: `make test`.
    "dev.txt": ["--all-extras", "--group", "dev"],
    # What breaks the sources: `make mutants`.
    "mutants.txt": ["--only-group", "mutants"],
    # uv itself: `make lock`.
    "lock.txt": ["--only-group", "lock"],
}


def main(arguments: list[str]) -> int:
    """Lock, then write every export."""
    if arguments not in ([], ["--upgrade"]):
        print("usage: lock.py [--upgrade]", file=sys.stderr)
        return 2
    uv("lock", *arguments)
    texts = {
        name: uv("export", "--frozen", "--no-emit-project", "--no-annotate", "--no-header", *options)
        for name, options in EXPORTS.items()
    }
    FOLDER.mkdir(exist_ok=True)
    for name, text in texts.items():
        (FOLDER / name).write_text(HEADER + text, encoding="utf-8")
        pins = [line for line in text.splitlines() if not line.startswith((" ", "#"))]
        print(f"requirements/{name}: {len(pins)} packages")
    return 0


def uv(command: str, *options: str) -> str:
    """Run uv without this machine's settings, and return what it prints."""
    program = Path(sys.executable).with_name("uv")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("UV_")}
    done = subprocess.run(  # noqa: S603 - our own program with our own words
        [program, command, "--quiet", "--no-config", "--python", sys.executable, *options],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
