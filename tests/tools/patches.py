"""Applies a unified diff like `patch`, but strictly: context and removed lines must match at the exact place."""

from __future__ import annotations

import re


def applied(text: str, patch: str) -> str:
    """Return the text after the patch; AssertionError where it does not fit."""
    old = re.findall("[^\n]*\n|[^\n]+", text)
    new: list[str] = []
    at = 0
    for hunk in re.split(r"^(?=@@ )", patch, flags=re.MULTILINE)[1:]:
        head, *lines = re.findall("[^\n]*\n", hunk)
        found = re.match(r"@@ -(\d+)(?:,(\d+))? ", head)
        assert found, head
        start = int(found[1]) - (0 if found[2] == "0" else 1)
        new += old[at:start]
        at = start
        for index, line in enumerate(lines):
            if line.startswith("\\"):
                continue
            bare = index + 1 < len(lines) and lines[index + 1].startswith("\\")
            content = line[1:].removesuffix("\n") if bare else line[1:]
            if line[0] in " -":
                assert old[at] == content, (old[at], content)
                at += 1
            if line[0] in " +":
                new.append(content)
    return "".join(new + old[at:])
