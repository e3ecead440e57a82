"""The standard streams of a command: that there are three, and that any bytes and any text can go through them.

Must not know what is written, nor by which command.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator

READER_GONE = 141
"""The exit status where nobody reads the output any more: what a shell says of a program that SIGPIPE has ended."""

_CLOSED = (("stdin", os.O_RDONLY), ("stdout", os.O_RDONLY), ("stderr", os.O_WRONLY))
"""What each stream becomes that was closed (`>&-`): /dev/null, but for stdout, where writing goes on to fail."""


def open_standard_streams() -> None:
    """Open what was closed, and let what the encoding of the terminal lacks be written as an escape.

    The number of a closed stream would go to the next file or socket of ours, and the access log into a connection.
    Nothing comes from a closed stdin, and what goes to a closed stderr is lost, as with /dev/null; an answer that goes
    to a closed stdout cannot be written, which a command has to tell.
    """
    for number, (name, mode) in enumerate(_CLOSED):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, mode), True)  # the lowest number that is free, which is this one
            setattr(sys, name, open(number, "w" if number else "r", encoding="utf-8", closefd=False))  # noqa: SIM115
    for stream, errors in ((sys.stdin, "replace"), (sys.stdout, "backslashreplace"), (sys.stderr, "backslashreplace")):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=errors)


@contextlib.contextmanager
def while_somebody_reads() -> Iterator[None]:
    """End the program without a word as soon as the reader of its output has gone (`| head`)."""
    try:
        yield
    except BrokenPipeError:
        forget_output()
        sys.exit(READER_GONE)


def forget_output() -> None:
    """Let what is left in the buffer of stdout go nowhere, so that the interpreter does not fail over it at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
