"""The fast parser of a request's head: complete, HTTP/1.1, a path, no ambiguous fields.

Nearly every request is like that, and most of its lines, often all, have been seen before: they are looked up instead
of parsed.
It is stricter than aiohttp's parser, and leaves anything unusual to that (None): it never refuses a request itself.
Knows nothing about sockets or state: bytes in, a head or None out.
"""

from __future__ import annotations

from typing import Final

from corsproxy.proxy.client.head import ParsedHead
from corsproxy.proxy.fields.lengths import read_length
from corsproxy.proxy.fields.lines import TEXT, FieldLine, is_repeated, keep_line
from corsproxy.proxy.fields.names import REQUEST_FIELDS, RequestField, is_field_name
from corsproxy.proxy.fields.sections import KNOWN_SECTIONS, cut_referer, keep_section
from corsproxy.proxy.table import NameTable, Table, marking_all_but

_METHODS: Final = {
    name.encode(): name for name in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "REPORT")
}
"""Methods that neither begin a tunnel nor end the connection, and that llhttp knows in this spelling."""

_PATH: Final = marking_all_but(b"!$%&'()*+,-./0123456789:;=?@ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~")
"""Changes what RFC 3986 does not allow in a path or query; whether the rest is valid, aiohttp's parser decides."""

_UNUSUAL_NAMES: Final = frozenset({b"transfer-encoding", b"upgrade", b"proxy-connection", b"sec-websocket-key1"})
"""Left to aiohttp's parser: fields that frame content or end HTTP on the connection, `Proxy-Connection`, which llhttp
reads as Connection, and a field that aiohttp refuses."""

_ONCE: Final = (
    b"host", b"content-length", b"connection", b"content-location", b"content-range", b"content-type", b"etag",
    b"max-forwards", b"server", b"user-agent",
)  # fmt: skip
"""Names of which aiohttp refuses a second line; and Connection, so that one line decides about the connection."""

_HOST: Final = 1 << _ONCE.index(b"host")

# Python 3.11 looks up members of an enum slowly; these are used for every field line.
_CONNECTION: Final = RequestField.CONNECTION
_CONTENT_LENGTH: Final = RequestField.CONTENT_LENGTH
_REFERER: Final = RequestField.REFERER

KNOWN_LINES: Final[Table[bytes, FieldLine[RequestField]]] = Table()
"""Lines of clients seen before."""


def read_plain_head(head: bytes, most_lines: int, *, may_be_known: bool = True) -> ParsedHead | None:
    """Parse a complete head, its empty line included; None if it is left to aiohttp's parser.

    `may_be_known` is False if its whole field section is not worth looking up.
    """
    start = head.find(b"\r\n")
    method, _, rest = head[:start].partition(b" ")
    name = _METHODS.get(method)
    target = rest[:-9]
    if name is None or rest[-9:] != b" HTTP/1.1" or target[:1] != b"/" or target.translate(_PATH) != target:
        return None
    # A preflight never has fields of a person, whatever other requests on its connection have.
    if may_be_known or name == "OPTIONS":
        before, referer, behind = cut_referer(head, start)
        section = KNOWN_SECTIONS.known.get((before, behind))
        if section is not None and len(section.lines) <= most_lines:
            lines = section.lines.copy()
            if behind:
                if referer.translate(TEXT) != referer:
                    return None
                lines[section.referer] = FieldLine(_REFERER, b"Referer", referer.strip())
            return ParsedHead(
                name, target, 1, lines, keep_alive=section.keep_alive, upgrade=False, length=0, section=section
            )
    return _read_lines(head, start, most_lines, name, target)


def _read_lines(head: bytes, start: int, most_lines: int, method: str, target: bytes) -> ParsedHead | None:
    """Parse the field lines of a head one by one; they begin behind the line end at `start`."""
    texts = head.split(b"\r\n")
    end = len(texts) - 2  # the end of the last line and the empty line leave two empty texts
    if end > most_lines + 1:
        return None
    lines: list[FieldLine[RequestField]] = []
    known = KNOWN_LINES.known
    unknown = 0
    seen = 0
    length = 0
    keep_alive = True
    for index in range(1, end):
        text = texts[index]
        line = known.get(text)
        if line is None:
            line = _new_line(text)
            if line is None:
                return None
            unknown += 1
        once = line.once
        if once:
            if once & seen:
                return None
            seen |= once
            meaning = line.meaning
            if meaning is _CONTENT_LENGTH:
                length = read_length(line.value)
                if length < 0:
                    return None
            elif meaning is _CONNECTION:
                option = line.value.lower()
                keep_alive = option == b"keep-alive"
                if not keep_alive and option != b"close":
                    return None
        lines.append(line)
    if not seen & _HOST:
        return None
    # Sections with a length are not cached: lengths differ too often.
    section = None if length else keep_section(head, start, lines, unknown, keep_alive=keep_alive)
    return ParsedHead(method, target, 1, lines, keep_alive=keep_alive, upgrade=False, length=length, section=section)


def _new_line(text: bytes) -> FieldLine[RequestField] | None:
    """Parse a field line that is not cached; None if it is unusual."""
    name, colon, value = text.partition(b":")
    known = _NAMES.known.get(name) or _NAMES[name]
    if known.is_unusual or not colon or text.translate(TEXT) != text:
        return None
    # The only white space that `TEXT` leaves is spaces and tabs, so `strip` removes just OWS.
    line = FieldLine(known.meaning, name, value.strip(), known.once)
    return keep_line(KNOWN_LINES, text, line) if known.is_repeated else line


class _RequestName:
    """What follows from the name of a field line."""

    __slots__ = ("is_repeated", "is_unusual", "meaning", "once")

    def __init__(self, name: bytes) -> None:
        lower = name.lower()
        self.meaning = REQUEST_FIELDS[name]
        self.is_unusual = not is_field_name(name) or lower in _UNUSUAL_NAMES
        """True if such a line is left to aiohttp's parser."""
        self.is_repeated = is_repeated(lower)
        self.once = 1 << _ONCE.index(lower) if lower in _ONCE else 0


_NAMES: Final = NameTable(_RequestName)
