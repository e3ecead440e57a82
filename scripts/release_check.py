"""Checks what only people can prepare for a release; the release workflow runs this before it publishes.

    python scripts/release_check.py TAG

The tag must be the version, the changelog must have it with a date, and no address may still be a made-up one.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main(tag: str) -> int:
    """Print all obstacles; return 1 if there are any."""
    reasons = in_the_way(tag, ROOT)
    print("\n".join(reasons) or f"{tag} may be released")
    return 1 if reasons else 0


def in_the_way(tag: str, root: Path) -> list[str]:
    """Return what is missing for a release of this tree under a tag."""
    version = re.search(r'^__version__ = "(.+)"$', (root / "corsproxy/__init__.py").read_text("utf-8"), re.MULTILINE)
    assert version is not None
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    changelog = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    reasons = [] if tag == f"v{version[1]}" else [f"the tag is {tag}, corsproxy/__init__.py says {version[1]}"]
    if not re.search(rf"^## \[{re.escape(version[1])}\] - \d{{4}}-\d\d-\d\d$", changelog, re.MULTILINE):
        reasons.append(f"CHANGELOG.md has no section of {version[1]} with a date")
    reasons += [
        f"{name} in [project.urls] is made up: {url}" for name, url in project["urls"].items() if ".invalid" in url
    ]
    return reasons


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
