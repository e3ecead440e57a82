"""The fast parser of a response's head: HTTP/1.1, one length or chunks or neither, nothing ambiguous.

Nearly every response is like that, and most of its lines have been seen before: they are looked up instead of parsed.
Anything unusual is left to `odd_head` (None): this parser never refuses a response itself.
Knows nothing about sockets or state: bytes in, a head or None out.
"""

from __future__ import annotations

from typing import Final

from corsproxy.proxy.fields.lengths import read_length
from corsproxy.proxy.fields.lines import TEXT, FieldLine, is_repeated, keep_line
from corsproxy.proxy.fields.names import RESPONSE_FIELDS, ResponseField, is_field_name
from corsproxy.proxy.table import NameTable, Table
from corsproxy.proxy.upstream.field_section import MAX_FIELD_LINES
from corsproxy.proxy.upstream.head import NO_CONTENT_STATUSES, RESET_CONTENT, Framing, ResponseHead

# Python 3.11 looks up members of an enum slowly; these are used for every field line.
_CONNECTION: Final = ResponseField.CONNECTION
_CONTENT_LENGTH: Final = ResponseField.CONTENT_LENGTH
_TRANSFER_ENCODING: Final = ResponseField.TRANSFER_ENCODING
_FORWARD: Final = ResponseField.FORWARD
_CHUNKED: Final = Framing.CHUNKED
_CLOSE: Final = Framing.CLOSE
_LENGTH: Final = Framing.LENGTH
_NONE: Final = Framing.NONE

KNOWN_LINES: Final[Table[bytes, FieldLine[ResponseField]]] = Table()
"""Lines of upstreams seen before."""


class _StatusLine:
    """An unambiguous status line."""

    __slots__ = ("reason", "status")

    def __init__(self, status: int, reason: bytes) -> None:
        self.status = status
        self.reason = reason


def read_plain_head(section: bytes, *, is_head_request: bool) -> ResponseHead | None:
    """Parse a head, given without the empty line; None if anything about it is unusual."""
    lines = section.split(b"\r\n")
    status_line = _STATUS_LINES[lines[0]]
    if status_line is None or len(lines) > MAX_FIELD_LINES:
        return None
    head = ResponseHead()
    head.status = status_line.status
    head.reason = status_line.reason
    if not _read_fields(head, lines):
        return None
    if is_head_request or head.status in NO_CONTENT_STATUSES:
        if head.length >= 0 and head.framing is _CHUNKED:
            return None
        head.framing = _NONE
    elif head.length >= 0:
        if head.framing is _CHUNKED:
            return None
        head.framing = _LENGTH
    elif head.framing is not _CHUNKED:
        head.framing = _CLOSE if head.status != RESET_CONTENT else _NONE
        head.keep_alive = False
    return head


def _read_fields(head: ResponseHead, lines: list[bytes]) -> bool:
    """Parse all lines but the first, the status line; return False if one is unusual."""
    fields, known = head.fields, KNOWN_LINES.known
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
            length = read_length(line.value)
            if head.length >= 0 or length < 0:
                return False
            head.length = length
        elif meaning is _TRANSFER_ENCODING:
            if head.framing is _CHUNKED or line.value.lower() != b"chunked":
                return False
            head.framing = _CHUNKED
        elif meaning is _CONNECTION:
            option = line.value
            if option == b"keep-alive":
                continue
            option = option.lower()
            if option == b"close":
                head.keep_alive = False  # `close` on one line overrides the others
            elif option != b"keep-alive":
                return False
    return True


def _new_line(text: bytes) -> FieldLine[ResponseField] | None:
    """Parse a field line that is not cached; None if it is unusual."""
    name, colon, value = text.partition(b":")
    known = _NAMES.known.get(name) or _NAMES[name]
    if not known.is_token or not colon or text.translate(TEXT) != text:
        return None
    # The only white space that `TEXT` leaves is spaces and tabs, so `strip` removes just OWS.
    line = FieldLine(known.meaning, name, value.strip())
    return keep_line(KNOWN_LINES, text, line) if known.is_repeated else line


class _ResponseName:
    """What follows from the name of a field line."""

    __slots__ = ("is_repeated", "is_token", "meaning")

    def __init__(self, name: bytes) -> None:
        self.meaning = RESPONSE_FIELDS[name]
        self.is_token = is_field_name(name)
        """True if the name is valid."""
        self.is_repeated = is_repeated(name.lower())


_NAMES: Final = NameTable(_ResponseName)


def _read_status_line(text: bytes) -> _StatusLine | None:
    status, reason = text[9:12], text[13:]
    is_plain = (
        text.startswith(b"HTTP/1.1 ")
        and text.translate(TEXT) == text
        and status.isdigit()
        and b"200" <= status <= b"599"
        and text[12:13] == b" "
        and reason == reason.strip()
    )
    return _StatusLine(int(status), reason) if is_plain else None


_STATUS_LINES: Final = NameTable(_read_status_line)
"""The parsed status lines; None for an unusual one."""
