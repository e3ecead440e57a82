"""Tokens, the alphabet of methods and field names (RFC 9110 section 5.6.2).

It must not know anything but bytes.
"""

from __future__ import annotations

import string

TOKEN_BYTES = (string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~").encode()
"""Every `tchar` of RFC 9110 section 5.6.2."""


def is_token(value: bytes) -> bool:
    """Return whether `value` is a token: at least one byte, and each of them a `tchar`."""
    return bool(value) and not value.translate(None, TOKEN_BYTES)
