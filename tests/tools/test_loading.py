"""Modules that a tool imports: none of the data path, which would take most of its time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from corsproxy import proxy
from tests.support.process import DEADLINE

ROOT = Path(__file__).parents[2]

COMMANDS = {
    "check": "check config.example.yaml",
    "explain": "explain /x --upstream http://127.0.0.1:9 --origin http://localhost:1",
    "learn": f"learn {os.devnull} --upstream http://127.0.0.1:9",
    "schema": "schema",
    "verify": "verify http://127.0.0.1:9 --upstream http://127.0.0.1:9 --allow-origin http://localhost:1 --timeout 0.1",
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_tool_loads_no_event_loop(command: str) -> None:
    """An editor runs `check` at each save, and a pipeline `explain` for each request it knows."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "corsproxy", *COMMANDS[command].split()],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=DEADLINE,
    )
    assert "Traceback" not in done.stderr
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "corsproxy.cli" in loaded
    assert not loaded & {"aiohttp", "asyncio", "uvloop", "concurrent.futures", "prometheus_client"}


def test_the_front_door_exports_all_names() -> None:
    """Names loaded on demand are available, and no others."""
    assert all(getattr(proxy, name) is not None for name in proxy.__all__)
    with pytest.raises(AttributeError):
        _ = getattr(proxy, "relay_of_nobody")  # noqa: B009 - the type checker would refuse the other form
