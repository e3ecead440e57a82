"""What is known of a request that could not be read, when it is answered.

Knows nothing but its own fields.
"""

from __future__ import annotations

from typing import NamedTuple


class Unread(NamedTuple):
    """An answer to what is no request yet, or not one that can be read, for the log."""

    status: int
    peer: str
    text: bytes
    """Of the answer, without the request's id."""
    method: str = ""
    path: bytes = b""
