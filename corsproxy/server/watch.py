"""Notices that a file may have new content, however it got there: written in place, renamed over, a swapped symlink.

Kubernetes updates a mounted ConfigMap by swapping the `..data` symlink above the file, which no watch on the file
itself sees; looking at what the path leads to sees all three, on every file system, at the cost of one stat(2).
Knows nothing of what the file is for.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import stat
from collections.abc import Callable

from corsproxy.config import MAX_BYTES

INTERVAL = 0.4
"""Seconds between two looks; a change is told once it has stood still for one, so that no half-written file is read."""

GONE_LOOKS = 3
"""Looks in a row at nothing until the file is called gone: who deletes it to write it anew needs less than a second."""

Look = tuple[int, int, int, int]


async def watch(
    path: str,
    seen: Look | None,
    changed: Callable[[], None],
    gone: Callable[[], None],
    interval: float = INTERVAL,
) -> None:
    """Call `changed` each time the path leads to another file, or to one written since; runs until it is cancelled.

    `seen` is the look that was taken before the file was read.
    A file that is missing for a moment, as between two renames, has not changed; one that stays away is `gone`, which
    is said once, and has changed when it is back, whatever it holds.
    """
    told = seen
    missing = 0
    while True:
        await asyncio.sleep(interval)
        now = look(path)
        if now is None:
            missing += 1
            if missing == GONE_LOOKS:
                told = None
                gone()
            continue
        missing = 0
        if now == seen and now != told:
            told = now
            changed()
        seen = now


def look(path: str) -> Look | None:
    """Say which file the path leads to, when it was written and how long it is; None where there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size


def content_digest(path: str) -> bytes | None:
    """Hash what is in the file, as one that was only touched has not changed; None where that cannot be known.

    What has more bytes than any configuration is told apart by its beginning.
    """
    try:
        # A pipe or a device gives its content once, and to the one who makes a configuration of it: not even opened.
        if not stat.S_ISREG(os.stat(path).st_mode):
            return None
        with open(path, "rb") as opened:
            return hashlib.sha256(opened.read(MAX_BYTES + 1)).digest()
    except OSError:
        return None


def can_be_read_again(path: str) -> bool:
    """Say whether it is no pipe or terminal, which can be read once; a file that is missing may come back."""
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return True
    return not (stat.S_ISFIFO(mode) or stat.S_ISCHR(mode))
