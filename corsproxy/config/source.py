"""The configuration file as text: read once, whatever kind of file it is, up to a maximal size.

A pipe (`corsproxy check <(generate)`) is refused if it has no writer within a few seconds.
It must not know YAML.
"""

from __future__ import annotations

import errno
import os
import select
import stat

from corsproxy.config.problems import ConfigError, Problem, Reason

MAX_BYTES = 4 * 1024 * 1024
"""Larger files are refused: 10,000 origins take about 500 KB."""

_WRITER_WAIT = 3.0
"""Seconds to wait for a writer of a named pipe, which may have been started at the same moment."""


def read_source(path: str) -> str:
    """Read a configuration file; raises `ConfigError` if it cannot be read, or holds no text."""
    try:
        content = _read(path)
    except FileNotFoundError:
        raise _unusable(path, "missing", "missing file: 'corsproxy init' writes a starter file") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise _unusable(path, "unreadable", f"unreadable file: {why_unreadable(error)}") from None
    if len(content) > MAX_BYTES:
        raise _unusable(path, "invalid", f"invalid size: more than {MAX_BYTES} bytes are no configuration")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - content.rfind(b"\n", 0, error.start)
        message = f"invalid byte 0x{content[error.start]:02X}: the file is not UTF-8; save it as UTF-8"
        raise ConfigError([Problem(path, line, column, "", "error", "invalid", message)]) from None


def why_unreadable(error: OSError | ValueError) -> str:
    """Return why a file cannot be read, with the remedy if there is one."""
    match error:
        case IsADirectoryError():
            return "it is a directory; name a file in it"
        case PermissionError():
            return f"permission denied for user {os.geteuid()}, the user of corsproxy; let that user read it"
        case OSError():
            return error.strerror or str(error)
        case _:
            return str(error)


def _read(path: str) -> bytes:
    """Return the content, up to one byte more than the maximal size."""
    # Without O_NONBLOCK, opening a named pipe would wait for a writer without a limit.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb", buffering=0) as opened:
        begin = _begin_of_pipe(opened.fileno()) if stat.S_ISFIFO(os.fstat(opened.fileno()).st_mode) else b""
        os.set_blocking(opened.fileno(), True)
        parts, size = [begin], len(begin)
        while size <= MAX_BYTES and (part := opened.read(MAX_BYTES + 1 - size)):
            parts.append(part)
            size += len(part)
    return b"".join(parts)


def _begin_of_pipe(fd: int) -> bytes:
    """Return the first bytes of a pipe, or none if its writer has not written yet; raises OSError without a writer."""
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    woken = poll.poll(_WRITER_WAIT * 1000)
    try:
        begin = os.read(fd, MAX_BYTES + 1)
    except BlockingIOError:
        return b""
    if not begin and not woken:
        raise OSError(errno.EPIPE, "it is a pipe without a writer; name a file")
    return begin


def _unusable(path: str, reason: Reason, message: str) -> ConfigError:
    return ConfigError([Problem(path, 0, 0, "", "error", reason, message)])
