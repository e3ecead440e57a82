"""Resolves pyproject.toml into uv.lock, and exports requirements with hashes for pip.

    python scripts/lock.py             keep every version that still satisfies pyproject.toml
    python scripts/lock.py --upgrade   take the newest versions

uv.lock is the single source; the files in `requirements/` follow from it, so that make, CI and the image only need pip.
It is resolved for every platform and every supported Python at once: one file serves amd64 and arm64.
The exports name no package index, because that is a decision of whoever installs them.
uv.lock names the public index, whichever this machine uses, because the next person has another.
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
    # The package's dependencies: `make demo` and the image.
    "run.txt": ["--no-default-groups"],
    # Further packages for the compiled build: the image's first stage.
    "compile.txt": ["--only-group", "build", "--only-group", "compile"],
    # The build backend of an editable install: `make demo`.
    "build.txt": ["--only-group", "build"],
    # Everything but uv: `make test`.
    "dev.txt": ["--all-extras", "--group", "dev"],
    # The tool that breaks the sources: `make mutants`.
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
