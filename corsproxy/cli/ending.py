"""How a command ends: its exit status, and messages about mistakes of the user."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from typing import NoReturn

import click


def leave(run: Callable[[], int], *, is_answer: bool = True) -> NoReturn:
    """Run a command and exit with its status; a user's mistake is printed without a traceback.

    `is_answer` is true for a command that fails if its output cannot be written.
    """
    from corsproxy.config import ConfigError
    from corsproxy.errors import UsageError

    try:
        status = run()
        if is_answer:
            print(end="", flush=True)  # raises OSError if the rest of the output cannot be written
    except ConfigError as error:
        fail(*map(str, error.problems))
    except UsageError as error:
        fail(f"corsproxy: {error}", status=error.status)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(status)


def fail(*lines: str, status: int = 2) -> NoReturn:
    """Write the lines to stderr and exit with `status`."""
    with contextlib.suppress(OSError):  # without a reader, the exit status must be enough
        for line in lines:
            click.echo(line, err=True)
    sys.exit(status)
