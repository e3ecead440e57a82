"""The only parser of a Content-Length, in requests and in responses.

RFC 9112 section 6.3: a message with an invalid Content-Length "is invalid and the recipient MUST treat it as an
unrecoverable error".
Knows nothing about field lines or framing.
"""

from __future__ import annotations

from typing import Final

MAX_LENGTH: Final = 2**63 - 1
"""The most bytes of content, and of a chunk: many recipients count in a signed 64-bit number, in which a larger length
overflows and is read as a small one, or as none (request smuggling)."""

_MOST_DIGITS: Final = 19
"""As many as `MAX_LENGTH` has. More are leading zeros, which only attacks use; and `int` raises at some thousands."""


def read_length(digits: bytes) -> int:
    """Return the length; -1 if it is not a number, or is larger than `MAX_LENGTH`."""
    if not digits.isdigit() or len(digits) > _MOST_DIGITS:
        return -1
    length = int(digits)
    return length if length <= MAX_LENGTH else -1
