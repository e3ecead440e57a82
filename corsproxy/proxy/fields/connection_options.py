"""The fields that Connection names, which must not be forwarded.

RFC 9110 section 7.6.1: an intermediary must "for each connection-option in this field, remove any header or trailer
field(s) from the message with the same name as the connection-option".
Knows field names only.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

_PLAIN: Final = frozenset({b"close", b"keep-alive", b"te", b"upgrade", b""})
"""Options that name no further field to remove: TE and Upgrade are handled by their own names."""


def names_fields(value: bytes) -> bool:
    """Return whether a value of Connection may name fields to remove."""
    return value not in _PLAIN and value.lower() not in _PLAIN


def named_fields(values: Iterable[bytes], protected: frozenset[bytes]) -> set[bytes]:
    """Return the fields to remove, in lower case; `values` are all lines of Connection (CVE-2021-33197).

    `protected` are fields that must stay, because without them the message would break or mean something else
    (CVE-2022-31813).
    """
    return {item.strip().lower() for value in values for item in value.split(b",")} - _PLAIN - protected
