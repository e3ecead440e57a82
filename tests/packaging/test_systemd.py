"""The systemd unit: valid by systemd itself, hardened, and stopping and reloading as the program does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.packaging.files import DEPLOY, program

UNIT = DEPLOY / "systemd/corsproxy.service"
# `systemd-analyze security` counts exposure from 0 to 10; times ten, as its option wants it. 50 and more is "medium".
MOST_EXPOSURE = "15"


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """Copy the unit with an existing program, because systemd checks that it exists."""
    copy = tmp_path / UNIT.name
    text = UNIT.read_text(encoding="utf-8")
    copy.write_text(text.replace("/opt/corsproxy/bin/corsproxy", sys.executable), encoding="utf-8")
    return copy


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Ask systemd about a unit file; no service manager needs to run."""
    command = [program("systemd-analyze", "systemd"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_unit_verifies(unit: Path) -> None:
    """Systemd finds nothing to say about the unit."""
    done = analyze("verify", str(unit))
    assert (done.returncode, done.stderr) == (0, "")


def test_unit_is_judged(unit: Path) -> None:
    """Systemd would say what is wrong."""
    unit.write_text(unit.read_text(encoding="utf-8") + "\n[Service]\nProtectSytem=strict\n", encoding="utf-8")
    assert "ProtectSytem" in analyze("verify", str(unit)).stderr


def test_unit_exposure(unit: Path) -> None:
    """The unit is hardened to the lowest exposure."""
    done = analyze("security", "--offline=true", f"--threshold={MOST_EXPOSURE}", "--no-pager", str(unit))
    assert done.returncode == 0, done.stdout


def test_unit_commands() -> None:
    """The unit checks reloads and stops as the program does."""
    service = service_section()
    assert service["ExecStart"] == ["/opt/corsproxy/bin/corsproxy serve --watch -c /etc/corsproxy/corsproxy.yaml"]
    assert service["ExecReload"] == [
        "/opt/corsproxy/bin/corsproxy check /etc/corsproxy/corsproxy.yaml",
        "/bin/kill -HUP $MAINPID",
    ]
    assert service["Type"] == ["notify"]
    assert service["RestartPreventExitStatus"] == ["2"], "a mistake in the file is not mended by another start"
    assert "\nStartLimitIntervalSec=0\n" in UNIT.read_text(encoding="utf-8"), (
        "a listener is tried until it can be opened"
    )
    assert service["TimeoutStopSec"] == ["30s"], "longer than the default drain of 20 s"


def service_section() -> dict[str, list[str]]:
    """Read the unit's main section; a key may occur more than once."""
    found: dict[str, list[str]] = {}
    section = ""
    for line in UNIT.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line
        elif section == "[Service]" and "=" in line and not line.startswith("#"):
            key, value = line.split("=", 1)
            found.setdefault(key, []).append(value)
    return found
