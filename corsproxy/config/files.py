"""Files that the configuration names: found beside it, and looked at once, so that a slip is told at load.

The only module of the package that asks the file system about anything but the configuration itself.
"""

from __future__ import annotations

from pathlib import Path

from corsproxy.config.problems import Report, quote
from corsproxy.config.source import why_unreadable


class Files:
    """Finds files relative to the directory of the configuration file."""

    def __init__(self, file: str, report: Report) -> None:
        self._directory = Path(file).parent
        self._report = report

    def find(self, path: str, name: str | None) -> str | None:
        """Give the path of a file that is there and can be read; anything else is reported at the key path `path`."""
        if name is None:
            return None
        found = self._directory / name
        try:
            with found.open("rb") as opened:
                opened.read(1)
        except FileNotFoundError:
            self._report.error(
                path, "missing", f"missing file {quote(str(found))}: paths are relative to the configuration"
            )
        except (OSError, ValueError) as error:  # ValueError: a NUL in the name
            self._report.error(path, "unreadable", f"unreadable file {quote(str(found))}: {why_unreadable(error)}")
        return str(found)
