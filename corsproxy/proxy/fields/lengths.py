"""The digits of a Content-Length, in a request and in a response: the one place that makes a number of them.

Knows nothing about field lines or framing.
"""

from __future__ import annotations

from typing import Final

MAX_LENGTH: Final = 2**63 - 1
"""Of content and of a chunk: many recipients count in a signed 64-bit number, and what overflows there could be read as
something small, or as none."""

_MOST_DIGITS: Final = 19
"""As many as `MAX_LENGTH` has; `int` refuses some thousands, and leading zeros have no other use than to hide that."""


def read_length(digits: bytes) -> int:
    """Return the number; -1 if it is none that every recipient can count."""
    if not digits.isdigit() or len(digits) > _MOST_DIGITS:
        return -1
    length = int(digits)
    return length if length <= MAX_LENGTH else -1
