"""The intended form of a regular expression that cannot match an origin; only for messages.

Nothing here decides what matches: `effects` does.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from corsproxy.cors.effects import effect_of

_UNESCAPED_DOT = re.compile(r"\.(?=[a-z0-9(])")
_SKIPPED = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
_TOKEN = re.compile(r"\\.|[A-Z]", re.DOTALL)

# The mistakes in an expression over origins, and their corrections, in the order in which they are applied.
_MENDINGS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("there are no slashes around it", lambda text: text[1:-1] if re.fullmatch("/[^/].*/", text) else text),
    ("an origin has no trailing slash or path", lambda text: re.sub(r"(?<=[^/:])(\\?/)(\??|\.\*|\$)\$?$", "", text)),
    ("browsers omit the default port", lambda text: _without_port(text)),
    ("browsers send origins in lower case", lambda text: _TOKEN.sub(_lower, text)),
    ("an origin begins with its scheme", lambda text: text if "://" in text else f"https://{text.lstrip('^')}"),
)


def has_loose_dot(text: str) -> bool:
    """Return whether a dot before a word is unescaped, and so matches any character."""
    return _UNESCAPED_DOT.search(_SKIPPED.sub("_", text)) is not None


def intended(text: str) -> tuple[str, str | None]:
    """Return the rules that an expression without matches breaks, and the intended one if it is known and safe."""
    broken = []
    for rule, mend in _MENDINGS:
        mended = mend(text)
        if mended == text or not _compiles(mended):
            continue
        broken.append(rule)
        text = mended
        if not effect_of(text).matches_none:
            return " and ".join(broken), None if effect_of(text).findings else text
    return "", None


def _without_port(text: str) -> str:
    port = "443" if text.lstrip("^(").startswith("https") else "80"
    return re.sub(rf":{port}(?=\)?\$?$)", "", text)


def _lower(found: re.Match[str]) -> str:
    return found[0] if found[0].startswith("\\") else found[0].lower()


def _compiles(text: str) -> bool:
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError):
        return False
    return True
