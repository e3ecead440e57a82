"""The fields that Connection names, which are for one hop only (RFC 9110 section 7.6.1).

Knows field names only.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

_PLAIN: Final = frozenset({b"close", b"keep-alive", b"te", b"upgrade", b""})
"""Options that name no other field to remove; TE and Upgrade are dealt with by name."""


def names_fields(value: bytes) -> bool:
    """Return whether a value of Connection may name other fields."""
    return value not in _PLAIN and value.lower() not in _PLAIN


def named_fields(values: Iterable[bytes], protected: frozenset[bytes]) -> set[bytes]:
    """Return the fields to leave out, in lower case; all lines of Connection count (CVE-2021-33197).

    `protected` are those without which the message would break, or mean something else (CVE-2022-31813).
    """
    return {item.strip().lower() for value in values for item in value.split(b",")} - _PLAIN - protected
