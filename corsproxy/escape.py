"""What strangers wrote, made fit for a terminal and for one line: the one way in which it is escaped.

Knows nothing of where it is shown. `corsproxy.cors`, which imports nothing, writes its own in the same way.
"""

from __future__ import annotations


def printable(text: str) -> str:
    r"""Escape what a terminal would act on, or hide: control characters, line ends, direction marks, as `\u200b`."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else escaped(sign) for sign in text)


def escaped(sign: str) -> str:
    r"""Return one character as Python would write it: `\n`, `\x07`, `\u200b`."""
    return sign.encode("unicode_escape").decode("ascii")
