"""The plain way to read a response's head: whole in one segment, HTTP/1.1, a length, nothing to argue about.

Nearly every response is like that, and most of its lines have come before: they are looked up and not read again.
It is stricter than llhttp: anything unusual is left to it (None), so that no judgement is made here.
Knows no socket and no state: bytes in, a head or None out.
"""

from __future__ import annotations

from corsproxy.proxy.field_lines import FieldLine, LineTable
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
_FORWARD = ResponseField.FORWARD
_LENGTH = Framing.LENGTH

_UNUSUAL_NAMES = frozenset({b"transfer-encoding", b"upgrade", b"proxy-connection"})
"""llhttp takes Proxy-Connection for Connection."""

_LINES: LineTable[bytes, ResponseField] = LineTable()
"""Lines of upstreams that have come before."""


class _StatusLine:
    """A status line that leaves nothing to argue about."""

    __slots__ = ("reason", "status")

    def __init__(self, status: int, reason: bytes) -> None:
        self.status = status
        self.reason = reason


def read_plain_head(data: bytes, *, is_head_request: bool) -> tuple[ResponseHead, bytes] | None:
    """Read the head that `data` begins with; return it and what stands behind it.

    None where llhttp has to look at it, or at where its content ends.
    """
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    lines = data[:end].split(b"\r\n")
    status_line = _STATUS_LINES[lines[0]]
    if status_line is None:
        return None
    head = ResponseHead()
    head.status = status_line.status
    head.reason = status_line.reason
    if not _read_fields(head, lines):
        return None
    if is_head_request and head.length < 0:
        return None  # llhttp takes such a connection for one that ends
    if is_head_request or head.status in NO_CONTENT_STATUSES:
        return (head, b"") if len(data) == end + 4 else None
    head.framing = _LENGTH
    return (head, data[end + 4 :]) if head.length >= 0 else None


def _read_fields(head: ResponseHead, lines: list[bytes]) -> bool:
    """Read the field lines, all but the first of `lines`; False where one of them is unusual."""
    fields, known = head.fields, _LINES.lines
    for index in range(1, len(lines)):
        text = lines[index]
        line = known.get(text) or _new_line(text)
        if line is None:
            return False
        fields.append(line)
        meaning = line.meaning
        if meaning is _FORWARD:
            continue
        if meaning is _CONTENT_LENGTH:
            value = line.value
            if head.length >= 0 or not value.isdigit() or len(value) > _MOST_DIGITS:
                return False
            head.length = int(value)
        elif meaning is _CONNECTION:
            option = line.value.lower()
            head.keep_alive = option == b"keep-alive"
            if option not in {b"keep-alive", b"close"}:
                return False
    return True


def _new_line(text: bytes) -> FieldLine[ResponseField] | None:
    """Read a field line that was not seen before; None where it is unusual."""
    name, colon, value = text.partition(b":")
    meaning = _FIELDS[name]
    if meaning is None or not colon or text.translate(None, _TEXT):
        return None
    return _LINES.keep(text, FieldLine(meaning, name, value.strip(b" \t")))


def _classify(name: bytes) -> ResponseField | None:
    if not name or name.translate(None, _TOKEN) or name.lower() in _UNUSUAL_NAMES:
        return None
    return RESPONSE_FIELDS[name]


_FIELDS = NameTable(_classify)
"""What each field means to the proxy; None for one that llhttp has to look at."""


def _read_status_line(text: bytes) -> _StatusLine | None:
    status, reason = text[9:12], text[13:]
    is_plain = (
        text.startswith(b"HTTP/1.1 ")
        and not text.translate(None, _TEXT)
        and status.isdigit()
        and b"200" <= status <= b"599"
        and text[12:13] == b" "
        and reason == reason.strip()
    )
    return _StatusLine(int(status), reason) if is_plain else None


_STATUS_LINES = NameTable(_read_status_line)
"""The status lines that have come before; None for one that llhttp has to look at."""
