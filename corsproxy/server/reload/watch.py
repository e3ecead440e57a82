"""A watcher that notices changed files: written in place, replaced by a rename, or behind a replaced symlink.

Kubernetes updates a mounted ConfigMap or Secret by replacing the `..data` symlink above the files, which inotify on the
file itself does not report. Checking what the paths lead to finds all three changes on every file system, with one
stat(2) for each file.
Does not know what the files are for.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from corsproxy.config import MAX_BYTES

INTERVAL = 0.4
"""Seconds between two checks; a change is reported once all files have been unchanged for one interval, so that neither
a half-written file is read nor a new certificate with the old key."""

GONE_CHECKS = 3
"""Consecutive checks without a file until it counts as missing: replacing a file takes less than a second."""

Look = tuple[int, int, int, int]
Looks = Mapping[str, Look | None]
"""The result of `look` for each path."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The state of the files when the configuration was loaded."""

    looks: Looks = field(default_factory=dict)
    digests: Mapping[str, bytes | None] = field(default_factory=dict)


class Watcher:
    """Calls back when files have changed or are missing."""

    def __init__(
        self,
        paths: Callable[[], Iterable[str]],
        looks: Looks,
        changed: Callable[[], None],
        gone: Callable[[str], None],
    ) -> None:
        """`paths` returns the files to watch, which may be others after each change.

        `looks` is their state before they were read.
        """
        self._paths = paths
        self._reported: dict[str, Look | None] = dict(looks)
        self._seen: dict[str, Look | None] = dict(looks)
        self._missing: dict[str, int] = {}
        self._changed = changed
        self._gone = gone

    async def run(self, interval: float = INTERVAL) -> None:
        """Check periodically until cancelled."""
        import asyncio  # not at the top: `start` uses this module before it needs a loop

        while True:
            await asyncio.sleep(interval)
            self.look()

    def look(self) -> None:
        """Check all files once; report a change if nothing has changed since the last check.

        A file that is missing for a moment, as between two renames, has not changed. One that stays away is reported as
        gone, once; when it is back, it has changed, whatever its content.
        """
        now = {path: self._look_at(path) for path in self._paths()}
        for path in now:
            # The last reload was the first to read this file.
            self._reported.setdefault(path, now[path])
        is_settled = all(self._seen.get(path, now[path]) == now[path] for path in now)
        self._seen = now
        if is_settled and any(self._reported[path] != now[path] for path in now):
            self._reported = dict(now)
            self._changed()

    def _look_at(self, path: str) -> Look | None:
        now = look(path)
        if now is not None:
            self._missing.pop(path, None)
            return now
        missing = self._missing[path] = self._missing.get(path, 0) + 1
        if missing == GONE_CHECKS and self._reported.get(path) is not None:
            self._reported[path] = None
            self._gone(path)
        return self._reported.get(path) if missing < GONE_CHECKS else None


def look(path: str) -> Look | None:
    """Return the identity, modification time and size of the file at the path; None if there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size


def content_digest(path: str) -> bytes | None:
    """Return a hash of the file's content, because one that was only touched has not changed; None if it is unreadable.

    Of a file larger than any configuration, only the beginning counts.
    """
    try:
        # A pipe or a device can be read only once, by the loader, so it is not opened here.
        if not stat.S_ISREG(os.stat(path).st_mode):
            return None
        with open(path, "rb") as opened:
            return hashlib.sha256(opened.read(MAX_BYTES + 1)).digest()
    except OSError:
        return None


def can_be_read_again(path: str) -> bool:
    """Return whether a file can be read again, unlike a pipe or a terminal; a missing file may come back."""
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return True
    return not (stat.S_ISFIFO(mode) or stat.S_ISCHR(mode))
