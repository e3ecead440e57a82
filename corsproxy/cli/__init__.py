"""The command line: options, their environment variables, and the exit status; nothing else.

Each command has a module under `commands/`, which imports its tool only when it runs, so that `--version` and `--help`
stay instant.
A user's mistake is a short message and exit status 2, never a traceback.
"""

from corsproxy.cli.program import cli, main

__all__ = ["cli", "main"]
