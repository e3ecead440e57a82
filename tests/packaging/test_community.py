"""Files for contributors: where to report what, what CI runs, how editors format."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scripts.release_check import in_the_way
from tests.packaging.files import ROOT, documents

GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yaml"))
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
# An action by the digest of a commit, with the release it belongs to, or by a tag beside the word that says so.
PINNED = re.compile(r"@[0-9a-f]{40}  # v\d+\.\d+\.\d+|@\S+  # to be pinned")


@pytest.mark.parametrize("name", ["SECURITY.md", "CODE_OF_CONDUCT.md", "CONTRIBUTING.md", "LICENSE", ".editorconfig"])
def test_the_files_that_people_look_for(name: str) -> None:
    """They are where a forge shows them."""
    assert (ROOT / name).stat().st_size > 100


@pytest.mark.parametrize(
    ("schema", "files"),
    [
        ("vendor.github-workflows", WORKFLOWS),
        ("vendor.github-issue-forms", [GITHUB / "ISSUE_TEMPLATE/bug.yaml", GITHUB / "ISSUE_TEMPLATE/feature.yaml"]),
        ("vendor.github-issue-config", [GITHUB / "ISSUE_TEMPLATE/config.yml"]),
    ],
)
def test_a_forge_can_read_them(schema: str, files: list[Path]) -> None:
    """Workflows and forms are valid by the schemas of those who read them."""
    assert files
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_runs_what_people_run(path: Path) -> None:
    """It calls targets of the Makefile or CI's script, so that every failure can be reproduced locally."""
    text = path.read_text(encoding="utf-8")
    for line in re.findall(r"\bmake ([a-z -]+)", re.sub(r"^ *#.*$", "", text, flags=re.MULTILINE)):
        assert set(line.split()) <= TARGETS
    assert "pip install" not in text
    assert "pytest" not in text


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_may_do_little(path: Path) -> None:
    """It may read the sources unless a job says more, and every action is pinned or says that it is to be."""
    [document] = documents(path)
    assert document["permissions"] == {"contents": "read"}
    text = path.read_text(encoding="utf-8")
    uses = re.findall(r"uses: (.+)", text)
    assert all(use.startswith("./") or PINNED.search(use) for use in uses)


def test_an_action_is_the_same_everywhere() -> None:
    """No workflow is left behind on another release of an action."""
    text = "".join(path.read_text(encoding="utf-8") for path in WORKFLOWS)
    pinned = set(re.findall(r"uses: (\w\S+)@(\S+)", text))
    assert len(pinned) == len(dict(pinned)) > 5


def test_a_called_workflow_gets_its_secrets() -> None:
    """A workflow that is called sees only the secrets that it declares and is handed."""
    path = GITHUB / "workflows/image.yaml"
    [caller] = documents(GITHUB / "workflows/release.yaml")
    called: dict[Any, Any] = dict(documents(path)[0])
    used = set(re.findall(r"secrets\.(\w+)", path.read_text(encoding="utf-8")))
    # In YAML 1.1, `on` is a truth value.
    assert used == set(called[True]["workflow_call"]["secrets"]) == set(caller["jobs"]["image"]["secrets"])


def test_ci_runs_where_its_programs_are() -> None:
    """`.ci/run` installs packages of Debian, some of which Ubuntu's runners have not (firefox-esr) or only as snaps."""
    jobs = [job for path in WORKFLOWS for job in documents(path)[0]["jobs"].values()]
    images = [
        job["container"]["image"]
        for job in jobs
        if any(".ci/run" in step.get("run", "") for step in job.get("steps", []))
    ]
    assert images
    assert all(re.fullmatch(r"python:3\.\d+-bookworm", image) for image in images)


def test_what_holds_a_release(tmp_path: Path) -> None:
    """A release waits for its tag, its section of the changelog and real addresses."""
    (tmp_path / "corsproxy").mkdir()
    (tmp_path / "corsproxy/__init__.py").write_text('__version__ = "1.2.3"\n', encoding="utf-8")
    (tmp_path / "CHANGELOG.md").write_text("## [1.2.3] - 2026-01-02\n", encoding="utf-8")
    project = tmp_path / "pyproject.toml"
    project.write_text('[project.urls]\nSource = "https://forge.example/a"\n', encoding="utf-8")
    assert in_the_way("v1.2.3", tmp_path) == []
    assert len(in_the_way("v1.2.4", tmp_path)) == 1
    project.write_text('[project.urls]\nSource = "https://forge.invalid/a"\n', encoding="utf-8")
    (tmp_path / "CHANGELOG.md").write_text("## [1.2.3] - not released yet\n", encoding="utf-8")
    assert len(in_the_way("v1.2.3", tmp_path)) == 2
