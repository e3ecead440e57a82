"""Chunked content of a request, parsed strictly (RFC 9112 section 7.1).

aiohttp 3.14.5's parser keeps the last trailer line and adds it to the fields of the next request on the connection,
which behind an edge is another user's. So that parser gets no chunked content: this reader finds its end, and drops
chunk extensions and trailer fields.
Every deviation from the grammar is an error, bare LF included: a server that finds the end in another place would read
another request from there (request smuggling).
It must not know anything but bytes: no socket, no head, no aiohttp.
"""

from __future__ import annotations

import re

from corsproxy.proxy.fields.lengths import MAX_LENGTH

# Only sets of characters have possessive quantifiers, never groups: Python before 3.11.5 forgets to go back to where a
# group began that matched in part (gh-106052), and would take `3;` for a size line. What follows a group is never what
# it begins with, so its plain quantifier gives up at once, and the time stays linear.
_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]++"

_QUOTED_TEXT = rb"[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]*+"
_QUOTED = rb'"' + _QUOTED_TEXT + rb"(?:\\[\t \x21-\x7e\x80-\xff]" + _QUOTED_TEXT + rb')*"'

_SIZE_LINE = re.compile(
    rb"([0-9A-Fa-f]{1,16}+)"
    rb"(?:[ \t]*+;[ \t]*+" + _TOKEN + rb"(?:[ \t]*+=[ \t]*+(?:" + _TOKEN + rb"|" + _QUOTED + rb"))?)*\r\n"
)
"""Sixteen digits are 64 bits. White space is allowed around `;` and `=` of an extension (RFC 9112 section 7.1.1), and
nowhere else."""

_SIZE_LINE_BEGUN = re.compile(rb"[0-9A-Fa-f]{1,16}+(?:[ \t;][^\r\n]*+)?\r?+")

_TRAILER_LINE = re.compile(rb"(?:" + _TOKEN + rb":[\t\x20-\x7e\x80-\xff]*+)?\r\n")
"""A field line, or the empty line at the end. Line folding is invalid: it is obsolete since RFC 7230 of 2014."""

_TRAILER_LINE_BEGUN = re.compile(rb"(?:" + _TOKEN + rb"(?::[\t\x20-\x7e\x80-\xff]*+)?)?\r?+")

_SMALL_SIZES = {spelling % size: size for size in range(1, 256) for spelling in (b"%x", b"%X")}
"""Chunks up to this size are looked up, because parsing a flood of tiny chunks would keep a worker busy."""


class ChunkError(ValueError):
    """The framing of the content is invalid, so its end cannot be known."""


class ChunkReader:
    """Parses the chunks of one request, in whatever segments they arrive."""

    __slots__ = (
        "_ends_chunk",
        "_extension_bytes",
        "_in_trailers",
        "_left",
        "_limit",
        "_line",
        "_trailer_bytes",
        "complete",
        "size",
    )

    def __init__(self, limit: int) -> None:
        self.complete = False
        """True once the last byte of the message has been read, trailer fields included."""
        self.size = 0
        """Bytes of content announced so far."""
        self._limit = limit
        """The most bytes of trailer fields, and of extensions beyond one for each byte of content. Neither is of use
        here, and without a limit both could go on for ever (CVE-2023-39326 in Go, CVE-2024-22019 in Node.js)."""
        self._left = 0
        """Bytes of the current chunk that have not arrived."""
        self._ends_chunk = False
        """True if the CRLF after a chunk's content is due."""
        self._in_trailers = False
        self._line = b""
        """The beginning of an incomplete line."""
        self._extension_bytes = 0
        self._trailer_bytes = 0

    def read(self, data: bytes) -> tuple[list[bytes], bytes]:
        """Return the content in `data`, and the bytes after the end of the message; raises `ChunkError`."""
        if self._line:
            data, self._line = self._line + data, b""
        content: list[bytes] = []
        at, size = 0, len(data)
        while at < size and not self.complete:
            if self._left:
                piece = data[at : at + self._left]
                content.append(piece)
                at += len(piece)
                self._left -= len(piece)
            elif self._ends_chunk:
                if not b"\r\n".startswith(data[at : at + 2]):
                    raise ChunkError("no line end behind a chunk")
                if size - at == 1:
                    self._line = data[at:]
                    break
                self._ends_chunk = False
                at += 2
            elif not self._in_trailers and (end := self._read_small(data, at, content)) > at:
                at = end
            elif not self._in_trailers and (line := _SIZE_LINE.match(data, at)) is not None:
                self._take_size(line)
                at = line.end()
            elif not (end := data.find(b"\n", at) + 1):
                self._begin_line(data[at:])
                break
            elif self._in_trailers:
                self._read_trailer_line(data, at, end)
                at = end
            else:
                raise ChunkError("invalid chunk size or extension")
        return content, data[at:] if self.complete else b""

    def _read_small(self, data: bytes, at: int, content: list[bytes]) -> int:
        """Add the content of consecutive small, complete chunks to `content`; return the index at which they end."""
        known, find, add = _SMALL_SIZES, data.find, content.append
        while (line_end := find(b"\r", at, at + 3)) > 0:
            size = known.get(data[at:line_end])
            if size is None or data[line_end + 1 : line_end + 2] != b"\n":
                break
            start = line_end + 2
            end = start + size
            if data[end : end + 2] != b"\r\n":
                break
            add(data[start:end])
            self.size += size
            at = end + 2
        return at

    def _take_size(self, line: re.Match[bytes]) -> None:
        self._left = int(line[1], 16)
        self._ends_chunk = bool(self._left)
        self._in_trailers = not self._left
        self.size += self._left
        if self.size > MAX_LENGTH:
            raise ChunkError("more content than can be counted")
        self._extension_bytes += line.end() - line.end(1) - len(b"\r\n")
        if self._extension_bytes > self._limit + self.size:
            raise ChunkError("too many bytes of chunk extensions")

    def _read_trailer_line(self, data: bytes, at: int, end: int) -> None:
        if _TRAILER_LINE.fullmatch(data, at, end) is None:
            raise ChunkError("invalid trailer field")
        self._trailer_bytes += end - at
        if self._trailer_bytes > self._limit:
            raise ChunkError("too many bytes of trailer fields")
        self.complete = end - at == len(b"\r\n")

    def _begin_line(self, line: bytes) -> None:
        """Keep the beginning of a line; raise `ChunkError` at once if no valid line begins like that."""
        begun = _TRAILER_LINE_BEGUN if self._in_trailers else _SIZE_LINE_BEGUN
        if begun.fullmatch(line) is None:
            raise ChunkError("invalid chunk size, extension or trailer field")
        if len(line) > self._limit:
            raise ChunkError("too many bytes of a chunk extension or a trailer field")
        self._line = line
