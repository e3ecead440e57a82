"""Diagnostics of the program itself, on stderr, as text or JSON.

There are two kinds: log records, and lines for which a person or a script waits at every log level. `Announcer` writes
the latter as they are, or as JSON objects, so that a log collector gets nothing but JSON.
"""

from __future__ import annotations

import json
import logging
import time

from corsproxy.escape import printable
from corsproxy.server.observe.escape import Clock
from corsproxy.server.observe.output import LineWriter
from corsproxy.settings import Log


def configure_diagnostics(log: Log, writer: LineWriter) -> None:
    """Write the records of all loggers to `writer`, with the format and level of `log`; may be called again."""
    handler = _Handler(writer)
    handler.setFormatter(_Json() if log.format == "json" else _Text())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(log.level.upper())


class Announcer:
    """Writes lines at every log level."""

    def __init__(self, writer: LineWriter, log: Log) -> None:
        self._writer = writer
        self._is_json = log.format == "json"
        self._clock = Clock()

    def __call__(self, line: str, level: str = "info", **fields: object) -> None:
        """Write one line; `fields` are added only in JSON."""
        if self._is_json:
            record = {"time": self._clock.text(time.time()), "level": level, "logger": "corsproxy", "message": line}
            line = json.dumps({**record, **fields})
        self._writer.write(line.encode("utf-8", "backslashreplace") + b"\n")


class _Handler(logging.Handler):
    """Writes records to a `LineWriter`; the lock of `logging.Handler` ensures the single caller that it requires."""

    def __init__(self, writer: LineWriter) -> None:
        super().__init__()
        self._writer = writer

    def emit(self, record: logging.LogRecord) -> None:
        self._writer.write(self.format(record).encode("utf-8", "backslashreplace") + b"\n")


class _Text(logging.Formatter):
    """Formats `TIME LEVEL message`; a traceback, which only our own faults have, follows on separate lines."""

    def __init__(self) -> None:
        super().__init__()
        self._clock = Clock()

    def format(self, record: logging.LogRecord) -> str:
        message = printable(record.getMessage())
        if record.exc_info:
            message += "\n" + self.formatException(record.exc_info)
        return f"{self._clock.text(record.created)} {record.levelname.lower()} {message}"


class _Json(logging.Formatter):
    """Formats one JSON object: `time`, `level`, `logger`, `message`, and `exception` if there is one."""

    def __init__(self) -> None:
        super().__init__()
        self._clock = Clock()

    def format(self, record: logging.LogRecord) -> str:
        fields = {
            "time": self._clock.text(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return json.dumps(fields)
