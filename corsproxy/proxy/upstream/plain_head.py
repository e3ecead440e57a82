"""The plain way to read a response's head: whole in one segment, HTTP/1.1, a length, nothing to argue about.

Nearly every response is like that, and reading it in a few passes over the whole head costs a third of what llhttp's
callback for each field line does.
It is stricter than llhttp: anything unusual is left to it (None), so that no judgement is made here.
Knows no socket and no state: bytes in, a head or None out.
"""

from __future__ import annotations

from corsproxy.proxy.fields import RESPONSE_FIELDS, NameTable, ResponseField
from corsproxy.proxy.upstream.head import NO_CONTENT_STATUSES, Framing, ResponseHead

_TEXT = bytes((0x09, *range(0x20, 0x7F), *range(0x80, 0x100)))
"""What a status line and a field value may hold (RFC 9110 section 5.5, RFC 9112 section 4)."""

_TOKEN = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
"""What a field name may hold (RFC 9110 section 5.6.2)."""

_MOST_DIGITS = 18
"""Of a Content-Length: as many as surely fit in 64 bits."""

# Python 3.11 finds an enum's members by a slow look-up; these are asked for at every field line.
_CONNECTION = ResponseField.CONNECTION
_CONTENT_LENGTH = ResponseField.CONTENT_LENGTH
_LENGTH = Framing.LENGTH

_UNUSUAL_NAMES = frozenset({b"transfer-encoding", b"upgrade", b"proxy-connection"})
"""llhttp takes Proxy-Connection for Connection."""


def _classify(name: bytes) -> ResponseField | None:
    if not name or name.translate(None, _TOKEN) or name.lower() in _UNUSUAL_NAMES:
        return None
    return RESPONSE_FIELDS[name]


_FIELDS = NameTable(_classify)
"""What each field means to the proxy; None for one that llhttp has to look at."""


def read_plain_head(data: bytes, *, is_head_request: bool) -> tuple[ResponseHead, bytes] | None:
    """Read the head that `data` begins with; return it and what stands behind it.

    None where llhttp has to look at it, or at where its content ends.
    """
    block, end, content = data.partition(b"\r\n\r\n")
    if not end or not block.startswith(b"HTTP/1.1 "):
        return None
    status_line, *lines = block.split(b"\r\n")
    status, reason = status_line[9:12], status_line[13:]
    if (
        # Every control character but HTAB belongs to one of the line ends that `split` has found.
        block.translate(None, _TEXT) != b"\r\n" * len(lines)
        or not (status.isdigit() and b"200" <= status <= b"599")
        or status_line[12:13] != b" "
        or reason != reason.strip()
    ):
        return None
    head = ResponseHead()
    head.status = int(status)
    head.reason = reason
    if not _read_fields(head, lines):
        return None
    if is_head_request and head.length < 0:
        return None  # llhttp takes such a connection for one that ends
    if is_head_request or head.status in NO_CONTENT_STATUSES:
        return None if content else (head, b"")
    head.framing = _LENGTH
    return (head, content) if head.length >= 0 else None


def _read_fields(head: ResponseHead, lines: list[bytes]) -> bool:
    """Read the field lines; False where one of them is unusual."""
    fields = head.fields
    for line in lines:
        name, colon, value = line.partition(b":")
        code = _FIELDS[name]
        if code is None or not colon:
            return False
        value = value.strip(b" \t")
        fields.append((code, name, value))
        if code is _CONTENT_LENGTH:
            if head.length >= 0 or not value.isdigit() or len(value) > _MOST_DIGITS:
                return False
            head.length = int(value)
        elif code is _CONNECTION:
            option = value.lower()
            head.keep_alive = option == b"keep-alive"
            if option not in {b"keep-alive", b"close"}:
                return False
    return True
