"""A field section as bytes, read line by line: names and values, each with one reading only (RFC 9112 section 5).

What old servers do that RFC 9112 has a proxy mend is mended here: folds, bare LF, white space before the colon.
What is read is always written anew, so none of it reaches a client.
Knows nothing of what a field means.
"""

from __future__ import annotations

import re

from corsproxy.proxy.upstream.oddity import Oddities, Oddity, protocol_error

MAX_FIELD_LINES = 1000
"""Of all heads of one response, and of its trailer section. Every line costs an object of some 200 bytes; nginx, Apache
and Node take 100 to 2,000, and no real response is known that comes near."""

_TOKEN = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
"""What a field name may hold (RFC 9110 section 5.6.2)."""

_CONTROL = bytes((*range(0x09), *range(0x0A, 0x20), 0x7F))
"""RFC 9110 section 5.5: no control character but HTAB belongs in a field value. CR is one of them."""

_CONTROLS = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


def split_lines(section: bytes) -> list[bytes]:
    """Return the lines without their ends: CRLF, or LF alone, which RFC 9112 section 2.2 lets a recipient take."""
    return [line.removesuffix(b"\r") for line in section.split(b"\n")]


def read_field_lines(lines: list[bytes], oddities: Oddities) -> list[tuple[bytes, bytes]]:
    """Return name and value of each line, folds joined; raises `UpstreamError`."""
    if len(lines) > MAX_FIELD_LINES:
        raise protocol_error(f"more than {MAX_FIELD_LINES} field lines")
    fields: list[tuple[bytes, list[bytes]]] = []
    dropped: list[bytes] = []
    parts: list[bytes] | None = None  # of the value that a fold would go on with
    for line in lines:
        if line[:1] in {b" ", b"\t"}:
            if parts is None:
                # RFC 9112 section 2.2: some take it for a fold of the status line, some for a field.
                raise protocol_error("white space before the first field line")
            parts.append(line.strip(b" \t"))
            continue
        name, colon, value = line.partition(b":")
        if not colon:
            oddities.note(Oddity.NO_COLON)
            parts = dropped
            continue
        name = name.rstrip(b" \t")  # RFC 9112 section 5.1: a proxy removes it
        if not name or name.translate(None, _TOKEN):
            raise protocol_error(f"invalid field name {name[:80]!r}")
        parts = [value.strip(b" \t")]
        fields.append((name, parts))
    return [(name, _value(parts, oddities)) for name, parts in fields]


def _value(parts: list[bytes], oddities: Oddities) -> bytes:
    value = b" ".join(parts).strip(b" \t") if len(parts) > 1 else parts[0]
    if _CONTROLS.search(value):
        oddities.note(Oddity.CONTROL)
        return value.translate(None, _CONTROL).strip(b" \t")
    return value
