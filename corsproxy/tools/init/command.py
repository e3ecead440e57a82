"""Write a first file: a commented starter, or one for the given options of quick mode.

It never overwrites a file; `-` is standard output.
"""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from typing import TextIO

from corsproxy.config import Options, file_text
from corsproxy.errors import UsageError
from corsproxy.tools.init.starter import HEADER, STARTER

_IGNORED = ("config", "config_text")
"""Options that the environment may set for other commands: they name another file than the one to write."""


@dataclass(frozen=True, slots=True)
class InitOptions:
    """The options of the command line."""

    file: str
    """`-` is standard output."""
    configuration: Options


def init_command(options: InitOptions, *, out: TextIO) -> int:
    """Write the file, and print the next steps to `out`; return the exit status 0.

    Raises `UsageError` if the file exists or cannot be written, and `UsageError` or `ConfigError` if the options are
    not valid in quick mode.
    """
    text, is_quick = _text(options.configuration)
    if options.file == "-":
        out.write(text)
        return 0
    file = options.file
    try:
        _create(file, text)
    except FileExistsError:
        raise UsageError(f"{file} exists already; name another file, or remove it first") from None
    except FileNotFoundError:
        raise UsageError(f"cannot write {file}: its directory is missing; create it first") from None
    except OSError as error:
        raise UsageError(f"cannot write {file}: {error.strerror}") from None
    print(_next_step(file, is_quick=is_quick), file=out)
    return 0


def _text(options: Options) -> tuple[str, bool]:
    """Return the text to write, and whether it was made from the options of quick mode."""
    if options.config is not None and not options.is_from_environment("config"):
        raise UsageError(f"{options.name('config')} names a file that is there: name the one to write as FILE")
    is_quick = options.upstream is not None or bool(options.routes)
    if not is_quick and (given := [flag for name, flag in options.names.items() if name not in _IGNORED]):
        raise UsageError(f"{given[0]} goes with --upstream or --route: without one a starter file is written")
    if options.https:
        name = options.name("https")
        detail = "a file names a certificate of its own, tls: {certificate: FILE, private_key: FILE}"
        raise UsageError(f"{name} has no key in a file: {detail}; leave {name} out, and write that")
    return (f"{HEADER}{file_text(options)}" if is_quick else STARTER), is_quick


def _create(path: str, text: str) -> None:
    with open(path, "x", encoding="utf-8") as created:  # "x" is O_EXCL: no race, and no following of dangling links
        try:
            created.write(text)
            created.flush()
        except OSError:
            os.unlink(path)  # the disk is full: a partial file would block the next attempt
            raise


def _next_step(path: str, *, is_quick: bool) -> str:
    check = f"corsproxy check {shlex.quote(path)}"
    if is_quick:
        serve = f"corsproxy serve -c {shlex.quote(path)}"
        return f"wrote {path}, which does what the options say; check it: {check}; run it: {serve}"
    return f"wrote {path}: name your upstream and your origins in it, then run: {check}"
