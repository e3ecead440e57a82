"""Escape untrusted text for a terminal and for one line; the only place that does.

It must not know where the text is shown.
`corsproxy.cors` imports nothing of the project, so it has the same escapes of its own.
"""

from __future__ import annotations


def printable(text: str) -> str:
    r"""Return `text` with control characters, line ends, direction marks and the like escaped, such as `\u200b`."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else escaped(sign) for sign in text)


def escaped(sign: str) -> str:
    r"""Return one character as Python would write it: `\n`, `\x07`, `\u200b`."""
    return sign.encode("unicode_escape").decode("ascii")


def quote_path(path: str) -> str:
    """Return the name of a file for a message: in quotes, and complete, because its end matters most."""
    return f"'{printable(path)}'"
