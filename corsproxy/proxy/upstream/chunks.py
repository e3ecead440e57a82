"""Chunked content of a response, parsed strictly: pieces of content, and the trailer fields (RFC 9112 section 7.1).

    SIZE --> DATA --> END --> SIZE ... SIZE of 0 --> TRAILERS --> complete

Chunk extensions are dropped. Knows nothing about sockets: bytes in, in segments of any size.
"""

from __future__ import annotations

import re
from enum import IntEnum

from corsproxy.proxy.fields.lengths import MAX_LENGTH
from corsproxy.proxy.fields.names import RESPONSE_FIELDS, ResponseField
from corsproxy.proxy.upstream.field_section import MAX_FIELD_LINES, read_field_lines
from corsproxy.proxy.upstream.oddity import Oddities, Oddity, protocol_error

MAX_FRAMING_BYTES = 256 * 1024
"""The most bytes of chunk framing and trailer fields after a piece of content: they must not go on for ever."""

_SIZE = re.compile(rb"0*([0-9A-Fa-f]*)[ \t]*(?:;[\t\x20-\x7e\x80-\xff]*)?")
"""White space behind the size is allowed, because RFC 9112 section 7.1.1 allows it before `;`, and old servers pad."""

_MOST_DIGITS = 16


class _ChunkState(IntEnum):
    SIZE = 0
    DATA = 1
    END = 2
    TRAILERS = 3


_DATA = _ChunkState.DATA


class ResponseChunkReader:
    """Parses the content of one message."""

    __slots__ = (
        "_framing",
        "_oddities",
        "_partial",
        "_remaining",
        "_state",
        "_trailer_lines",
        "is_complete",
        "trailers",
    )

    def __init__(self, oddities: Oddities) -> None:
        self._oddities = oddities
        self._state = _ChunkState.SIZE
        self._remaining = 0
        self._partial = bytearray()
        """The beginning of an incomplete line."""
        self._framing = 0
        self._trailer_lines: list[bytes] = []
        self.is_complete = False
        self.trailers: list[tuple[bytes, bytes]] = []
        """The trailer fields that may be forwarded."""

    def feed(self, data: bytes, pieces: list[bytes]) -> int:
        """Parse the next bytes and add their content to `pieces`; return how many bytes belong to the message.

        Raises `UpstreamError`.
        """
        position, size = 0, len(data)
        while position < size and not self.is_complete:
            if self._state is _DATA:
                piece = data[position : position + self._remaining]
                pieces.append(piece)
                position += len(piece)
                self._remaining -= len(piece)
                self._framing = 0
                if not self._remaining:
                    self._state = _ChunkState.END
                continue
            end = data.find(b"\n", position)
            part = data[position : end if end >= 0 else size]
            self._count(len(part) + 1)
            position += len(part) + 1
            if end < 0:
                self._partial += part
                if self._state is _ChunkState.END and self._partial != b"\r":
                    raise protocol_error("no line end behind a chunk")
                return size
            if self._partial:
                part = bytes(self._partial) + part
                self._partial.clear()
            self._take_line(part)
        return position

    def _count(self, size: int) -> None:
        self._framing += size
        if self._framing > MAX_FRAMING_BYTES:
            raise protocol_error(f"chunk framing larger than {MAX_FRAMING_BYTES} bytes")

    def _take_line(self, line: bytes) -> None:
        """Parse a line, given without its LF: a size, the end of a chunk, or a trailer field."""
        if line[-1:] == b"\r":
            line = line[:-1]
        else:
            self._oddities.note(Oddity.BARE_LF)
        if self._state is _ChunkState.SIZE:
            self._take_size(line)
        elif self._state is _ChunkState.END:
            if line:
                raise protocol_error("no line end behind a chunk")
            self._state = _ChunkState.SIZE
        elif line:
            self._trailer_lines.append(line)
            if len(self._trailer_lines) > MAX_FIELD_LINES:
                raise protocol_error(f"more than {MAX_FIELD_LINES} trailer lines")
        else:
            # RFC 9110 section 6.5.1: many fields cannot be trailers, "such as those that describe message framing,
            # routing, authentication, request modifiers, response controls, or content format".
            fields = read_field_lines(self._trailer_lines, self._oddities)
            self.trailers = [field for field in fields if RESPONSE_FIELDS[field[0]] is ResponseField.FORWARD]
            self.is_complete = True

    def _take_size(self, line: bytes) -> None:
        match = _SIZE.fullmatch(line)
        digits = match[1] if match is not None else b""
        if match is None or len(digits) > _MOST_DIGITS or line[:1] in {b"", b";", b" ", b"\t"}:
            raise protocol_error("invalid chunk size")
        self._remaining = int(digits, 16) if digits else 0
        if self._remaining > MAX_LENGTH:
            raise protocol_error("invalid chunk size")
        self._state = _ChunkState.DATA if self._remaining else _ChunkState.TRAILERS
