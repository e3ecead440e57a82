"""The repository's own files as the packaging tests read them, and the programs that judge them.

Knows where things lie; judges nothing itself.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import yaml

from tests.support.installed import installed

ROOT = Path(__file__).resolve().parent.parent.parent
DEPLOY = ROOT / "deploy"
KUBERNETES = DEPLOY / "kubernetes"
OVERLAYS = DEPLOY / "overlays"

Document = dict[str, Any]


def documents(path: Path) -> list[Document]:
    """Read every document of a YAML file."""
    return [document for document in yaml.safe_load_all(path.read_text(encoding="utf-8")) if document is not None]


def of_kind(path: Path, kind: str) -> list[Document]:
    """Read the Kubernetes objects of one kind."""
    return [document for document in documents(path) if document.get("kind") == kind]


def program(name: str, package: str) -> str:
    """Find a program that no Python package has; without it the test is skipped, in CI it fails."""
    return installed(shutil.which(name), f"{name} is not installed; on Debian: apt-get install {package}")


def shipped_configurations() -> dict[str, str]:
    """Return every corsproxy.yaml in the deployment examples, by a name with its place."""
    found = {"compose": (DEPLOY / "compose/config/corsproxy.yaml").read_text(encoding="utf-8")}
    for path in [*sorted(KUBERNETES.glob("*.yaml")), *sorted(OVERLAYS.glob("*/*.yaml"))]:
        place = "kubernetes" if path.parent == KUBERNETES else path.parent.name
        for config_map in of_kind(path, "ConfigMap"):
            found[f"{place} {path.stem}"] = config_map["data"]["corsproxy.yaml"]
    return found
