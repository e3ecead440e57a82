"""How a command ends: its exit status, and what a mistake of the user looks like."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from typing import NoReturn

import click


def leave(run: Callable[[], int], *, is_answer: bool = True) -> NoReturn:
    """Run a command and leave with its status; a user's mistake is printed as its own message.

    `is_answer` is true for a command that has failed if its output cannot be written.
    """
    from corsproxy.config import ConfigError
    from corsproxy.errors import UsageError

    try:
        status = run()
        if is_answer:
            print(end="", flush=True)  # flushing the buffer may fail, too
    except ConfigError as error:
        fail(*map(str, error.problems))
    except UsageError as error:
        fail(f"corsproxy: {error}", status=error.status)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(status)


def fail(*lines: str, status: int = 2) -> NoReturn:
    """Write the reason to stderr and exit."""
    with contextlib.suppress(OSError):  # without a reader, the exit status must be enough
        for line in lines:
            click.echo(line, err=True)
    sys.exit(status)
