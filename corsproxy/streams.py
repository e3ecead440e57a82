"""The standard streams of a command: opens closed ones, and makes all accept any bytes and any text.

It must not know what is written, nor by which command.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator

READER_GONE = 141
"""The exit status if the reader of the output has gone: what a shell reports for a program ended by SIGPIPE."""

_CLOSED = (("stdin", os.O_RDONLY), ("stdout", os.O_RDONLY), ("stderr", os.O_WRONLY))
"""The replacement for each closed stream (`>&-`): /dev/null, except that writing to stdout still fails."""


def open_standard_streams() -> None:
    """Open closed streams, and write characters that the terminal's encoding lacks as escapes.

    Otherwise the next file or socket would get the number of a closed stream, and the access log would be written into
    a connection. A closed stdin is empty and output to a closed stderr is lost, as with /dev/null; output to a closed
    stdout fails, and the command must report that.
    """
    for number, (name, mode) in enumerate(_CLOSED):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, mode), True)  # gets the lowest free number, which is this one
            setattr(sys, name, open(number, "w" if number else "r", encoding="utf-8", closefd=False))  # noqa: SIM115
    for stream, errors in ((sys.stdin, "replace"), (sys.stdout, "backslashreplace"), (sys.stderr, "backslashreplace")):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=errors)


@contextlib.contextmanager
def while_somebody_reads() -> Iterator[None]:
    """End the program silently when the reader of its output has gone (`| head`)."""
    try:
        yield
    except BrokenPipeError:
        forget_output()
        sys.exit(READER_GONE)


def forget_output() -> None:
    """Discard the rest of stdout's buffer, so that the interpreter does not fail when it flushes it at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
