"""The trace id of a `traceparent` (W3C Trace Context), for the log; the field itself is forwarded unchanged.

Knows one field value.
"""

from __future__ import annotations

from typing import Final

_TRACEPARENT: Final = b"-".join(b"0" * width for width in (2, 32, 16, 2))
_TRACEPARENT_ENDS: Final = (b"", b"-")
_HEX_AS_0: Final = bytes.maketrans(b"123456789abcdef", b"0" * 15)
_NO_TRACE: Final = b"0" * 32
_NO_SPAN: Final = b"0" * 16


def trace_id(value: bytes) -> bytes:
    """Return the trace id of a `traceparent` value; empty if that is not valid.

    Version 00 has exactly four parts, later ones may have more; version ff and ids of all zeros are invalid
    (https://www.w3.org/TR/trace-context/#version-format).
    """
    trace = value[3:35]
    if (
        value[:55].translate(_HEX_AS_0) != _TRACEPARENT
        or value[55:56] not in _TRACEPARENT_ENDS
        or (len(value) > 55 and value.startswith(b"00"))
        or value.startswith(b"ff")
        or trace == _NO_TRACE
        or value[36:52] == _NO_SPAN
    ):
        return b""
    return trace
