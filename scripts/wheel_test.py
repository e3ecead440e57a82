"""Tests an installed wheel: whether it is compiled or pure as expected, the program starts, and the demo succeeds.

    python scripts/wheel_test.py pure|compiled

Run by the Python of the environment that the wheel was installed into, from a folder without the sources.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path


def main(form: str) -> int:
    """Check where the package is installed and in which form, then run it."""
    module = importlib.import_module("corsproxy.proxy.relay")
    place = Path(module.__file__ or "")
    found = "compiled" if place.name.endswith(tuple(EXTENSION_SUFFIXES)) else "pure"
    if found != form or "site-packages" not in place.parts:
        print(f"{place}: {found}; wanted is the {form} form, installed", file=sys.stderr)
        return 1
    for words in (["--version"], ["--help"], ["demo", "--check"]):
        done = subprocess.run([sys.executable, "-m", "corsproxy", *words], check=False, timeout=120)  # noqa: S603
        if done.returncode:
            print(f"corsproxy {' '.join(words)}: status {done.returncode}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.path = [entry for entry in sys.path if entry not in ("", str(Path(__file__).parent))]
    sys.exit(main(sys.argv[1]))
