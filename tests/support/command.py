"""A `corsproxy` command that ends by itself, run in this process: a tenth of what a process of its own takes.

For what a command says and how it ends. What belongs to the process (signals, closed streams, a full disk, the modules
that are loaded) is tested on real ones, by `ran` of process.py; every command is started as a process by some test.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path

from click.testing import CliRunner

from corsproxy.cli import cli

ROOT = Path(__file__).parents[2]


def invoked(
    *args: str, environ: Mapping[str, str] | None = None, directory: Path | None = None
) -> tuple[int, list[str], list[str]]:
    """Return the exit status, the lines of stdout and those of stderr; an error that nobody expects is the test's."""
    inherited = dict.fromkeys(name for name in os.environ if name.startswith("CORSPROXY_"))
    with contextlib.chdir(directory or ROOT):
        result = CliRunner().invoke(
            cli, args, env={**inherited, **(environ or {})}, prog_name="corsproxy", catch_exceptions=False
        )
    return result.exit_code, result.stdout.splitlines(), result.stderr.splitlines()
