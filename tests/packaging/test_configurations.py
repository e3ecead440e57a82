"""Every configuration file that a deployment example ships is one that the program takes, without a warning."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.process import ran

from .files import shipped_configurations

CONFIGURATIONS = shipped_configurations()


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_shipped_file(name: str, tmp_path: Path) -> None:
    """The program takes the shipped file."""
    file = tmp_path / "corsproxy.yaml"
    file.write_text(CONFIGURATIONS[name], encoding="utf-8")
    status, output, errors = ran("check", "--strict", str(file))
    assert status == 0, output + errors


def test_no_example_without_a_file() -> None:
    """There is one for each example."""
    assert sorted(CONFIGURATIONS) == ["compose", "kubernetes sidecar", "kubernetes standalone"]
