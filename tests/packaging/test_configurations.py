"""Every configuration file that a deployment example ships is one that the program takes, without a warning."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.packaging.files import shipped_configurations
from tests.support.certificates import self_signed
from tests.support.command import invoked

CONFIGURATIONS = shipped_configurations()


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_shipped_file(name: str, tmp_path: Path) -> None:
    """The program takes the shipped file."""
    text = CONFIGURATIONS[name]
    if "/etc/corsproxy-tls/" in text:  # where cert-manager's Secret is mounted
        made = self_signed(tmp_path, "localhost")
        text = text.replace("/etc/corsproxy-tls/tls.crt", str(made.certificate))
        text = text.replace("/etc/corsproxy-tls/tls.key", str(made.private_key))
    file = tmp_path / "corsproxy.yaml"
    file.write_text(text, encoding="utf-8")
    status, output, errors = invoked("check", "--strict", str(file))
    assert status == 0, output + errors


def test_no_example_without_a_file() -> None:
    """There is one for each example."""
    assert sorted(CONFIGURATIONS) == [
        "compose",
        "kubernetes native-sidecar",
        "kubernetes sidecar",
        "kubernetes standalone",
        "production configuration",
        "staging configuration",
    ]
