"""Parsing a field section line by line into names and values, each with only one possible reading (RFC 9112 section 5).

Obsolete forms that RFC 9112 lets a proxy accept are normalized here: folds, bare LF, white space before the colon.
Lines are always written anew, so no client gets the original form.
Knows nothing about the meaning of fields.
"""

from __future__ import annotations

import re

from corsproxy.proxy.fields.names import is_field_name
from corsproxy.proxy.upstream.oddity import Oddities, Oddity, protocol_error

MAX_FIELD_LINES = 1000
"""The most field lines in all heads of one response, and in its trailer section. Every line is an object of some 200
bytes. nginx, Apache and Node accept 100 to 2,000, and no real response is known that comes near."""

CONTROLS = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
"""The control characters that a field value must not contain: all but HTAB (RFC 9110 section 5.5), CR included."""


def split_lines(section: bytes) -> list[bytes]:
    """Return the lines without their ends, CRLF or LF.

    RFC 9112 section 2.2: "a recipient MAY recognize a single LF as a line terminator and ignore any preceding CR".
    """
    return [line.removesuffix(b"\r") for line in section.split(b"\n")]


def read_field_lines(lines: list[bytes], oddities: Oddities) -> list[tuple[bytes, bytes]]:
    """Return name and value of each line, folds joined; raises `UpstreamError`."""
    if len(lines) > MAX_FIELD_LINES:
        raise protocol_error(f"more than {MAX_FIELD_LINES} field lines")
    fields: list[tuple[bytes, list[bytes]]] = []
    dropped: list[bytes] = []
    parts: list[bytes] | None = None  # of the value that a fold continues
    for line in lines:
        if line[:1] in {b" ", b"\t"}:
            if parts is None:
                # Some recipients read this as a fold of the status line, some as a field (RFC 9112 section 2.2).
                raise protocol_error("white space before the first field line")
            parts.append(line.strip(b" \t"))
            continue
        name, colon, value = line.partition(b":")
        if not colon:
            oddities.note(Oddity.NO_COLON)
            parts = dropped
            continue
        name = name.rstrip(b" \t")  # RFC 9112 section 5.1: "A proxy MUST remove any such whitespace"
        if not is_field_name(name):
            raise protocol_error(f"invalid field name {name[:80]!r}")
        parts = [value.strip(b" \t")]
        fields.append((name, parts))
    return [(name, _value(parts, oddities)) for name, parts in fields]


def _value(parts: list[bytes], oddities: Oddities) -> bytes:
    """Return the field value with folds joined, and without control characters if parsing is lenient."""
    value = b" ".join(parts).strip(b" \t") if len(parts) > 1 else parts[0]
    if CONTROLS.search(value):
        oddities.note(Oddity.CONTROL)
        return CONTROLS.sub(b"", value).strip(b" \t")
    return value
