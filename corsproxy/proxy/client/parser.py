"""Request heads: plain ones parsed by `plain_head`, all others by aiohttp's parser.

Each of the others gets a new parser, which never sees a byte after the head's end, so that no message can affect the
next. aiohttp's parser keeps the last trailer line for the next head, loses bytes after an upgrade, and drops good
requests that arrive in one segment with a bad one. Content is left to `content` and `chunks`.
It must not know sockets: bytes in, a head or a refusal out.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any

from aiohttp.http import HttpRequestParser
from aiohttp.http_exceptions import BadHttpMethod, HttpProcessingError, LineTooLong

from corsproxy.proxy.client.head import ParsedHead
from corsproxy.proxy.client.head_buffer import HEAD_END, HeadBuffer, HeadTooLargeError
from corsproxy.proxy.client.plain_head import read_plain_head
from corsproxy.proxy.client.request_line import is_on_the_wire, with_known_method, with_known_version
from corsproxy.proxy.errors import Refusal
from corsproxy.proxy.fields.lengths import MAX_LENGTH, read_length
from corsproxy.proxy.fields.lines import FieldLine
from corsproxy.proxy.fields.names import REQUEST_FIELDS

_UNUSED_LIMIT = 2**16
"""Bytes of the content buffer of aiohttp's parser, which never gets any content."""

_FIRST_LOOK = 16
"""Bytes without a line end that must look like the start of HTTP, so that a TLS ClientHello fails at once."""

_BARE_LF = re.compile(rb"(?<!\r)\n")


class HeadParser:
    """Parses one head after another."""

    __slots__ = ("_buffer", "_comes_again", "_looked_at", "_loop", "_searched", "doubt", "limit", "most_lines")

    def __init__(self, limit: int, most_lines: int, loop: asyncio.AbstractEventLoop) -> None:
        self.limit = limit
        """The most bytes of a head."""
        self.most_lines = most_lines
        """The most field lines of a head."""
        self._loop = loop
        self._buffer = HeadBuffer(limit)
        self.doubt: Refusal | None = None
        """The refusal of a head that is not complete in time, if its first line has not begun with a method of HTTP."""
        self._comes_again = True
        """False if the section of the last head could not be cached; the next is then not looked up as a whole."""
        self._looked_at = 0
        """How many bytes of an incomplete head a parser has checked."""
        self._searched = 0
        """How many bytes of it have been searched for bare line feeds."""

    @property
    def has_begun(self) -> bool:
        """True from the first byte of a head until its end."""
        return bool(self._buffer.unfinished)

    def feed(self, data: bytes, start: int) -> tuple[ParsedHead | None, int]:
        """Parse `data` from `start` on; return the head, None if it is not complete, and the index at which it ends.

        Raises `Refusal` for an invalid head; the text contains none of its bytes.
        """
        if not start and data[-4:] == HEAD_END and len(data) <= self.limit and not self._buffer.unfinished:
            # Nearly always a segment is one head. Two have an empty line between them, which is not plain.
            plain = read_plain_head(data, self.most_lines, may_be_known=self._comes_again)
            if plain is not None:
                self._comes_again = plain.section is not None
                return plain, len(data)
        try:
            head, end = self._buffer.take(data, start)
        except HeadTooLargeError:
            raise _too_large() from None
        if head:
            self._looked_at = self._searched = 0
            self.doubt = None
            return self._read(head), end
        if self._buffer.unfinished:
            self._check_unfinished()
        return None, end

    def _check_unfinished(self) -> None:
        """Raise `Refusal` for what cannot become a valid head: its first line is invalid, or a line ends wrongly."""
        begun = self._buffer.unfinished
        line = begun.find(b"\n", 0, self.limit) + 1
        look = line or min(len(begun), _FIRST_LOOK)
        if look > self._looked_at:
            self._looked_at = look
            self._check(bytes(begun[:look]))
        if begun.count(b"\n") > self.most_lines + 1:
            raise _too_large()
        if _BARE_LF.search(begun, self._searched):
            self._check(bytes(begun))
        self._searched = len(begun)

    def _check(self, begun: bytes) -> None:
        """Raise `Refusal` if a parser refuses this beginning of a head; its results are dropped."""
        try:
            _, _, unknown_method = self._feed(begun)
        except HttpProcessingError as error:
            raise _refusal(error) from None
        self.doubt = _not_http() if unknown_method and b"\n" not in begun else None

    def _read(self, head: bytes) -> ParsedHead:
        """Parse a complete head."""
        return read_plain_head(head, self.most_lines) or self.parse(head)

    def parse(self, head: bytes) -> ParsedHead:
        """Parse a complete head with aiohttp's parser."""
        try:
            messages, head, method = self._feed(head)
        except HttpProcessingError as error:
            raise _refusal(error) from None
        if not messages:  # never seen: llhttp finds the same end of a head
            raise _not_http()
        parsed = _parsed(head, messages[0][0])
        if method:
            parsed.method = method
        return parsed

    def _feed(self, data: bytes) -> tuple[Any, bytes, str]:
        """Feed `data` to a new parser, with an unknown method or version replaced by one that the parser knows.

        Return the parsed messages, the bytes that were fed, and the method that was replaced, or an empty string.
        """
        method = ""
        while True:
            try:
                messages, _, _ = self._new_parser().feed_data(data)
            except HttpProcessingError as error:
                known = with_known_version(data)
                if known is None and _is_about_the_method(error):
                    method, known = with_known_method(data) or ("", None)
                if known is None:
                    raise
                data = known
            else:
                return messages, data, method

    def _new_parser(self) -> Any:
        return HttpRequestParser(
            _NO_FLOW,  # type: ignore[arg-type]  # it has the only method that is called
            self._loop,
            _UNUSED_LIMIT,
            max_line_size=self.limit,
            max_field_size=self.limit,
            max_headers=self.most_lines,
            auto_decompress=False,
        )


class _NoFlow:
    """The flow control of content that never comes; the parser uses it at the end of a CONNECT's head."""

    def resume_reading(self, *, resume_parser: bool = True) -> None:
        """Do nothing, because nothing was paused."""


_NO_FLOW = _NoFlow()


def _parsed(head: bytes, message: Any) -> ParsedHead:
    version, fields = message.version, message.raw_headers
    target = message.path.encode("utf-8", "surrogateescape")
    if not is_on_the_wire(head, message.method, target, version.major, version.minor):
        raise _not_http()
    return ParsedHead(
        message.method,
        target,
        version.minor if version.major == 1 else -1,
        [FieldLine(REQUEST_FIELDS[name], name, value) for name, value in fields],
        keep_alive=not message.should_close,
        upgrade=bool(message.upgrade),
        length=-1 if message.chunked else _content_length(fields),
    )


def _content_length(fields: tuple[tuple[bytes, bytes], ...]) -> int:
    """Return the Content-Length, 0 without one; the parser has refused an invalid one, or one beside Transfer-Encoding.

    For a length that is too large, return `MAX_LENGTH`, so that everything after the head is content: `request.head`
    refuses the request.
    """
    for name, value in fields:
        if len(name) == len(b"content-length") and name.lower() == b"content-length":
            length = read_length(value)
            return length if length >= 0 else MAX_LENGTH
    return 0


def _is_about_the_method(error: HttpProcessingError) -> bool:
    """Return whether llhttp refused the method: it does not know it, or only from RTSP, ICE or HTTP/2."""
    return (
        isinstance(error, BadHttpMethod)
        or "Invalid method" in error.message
        or "HTTP/2 Connection Preface" in error.message
    )


def _refusal(error: HttpProcessingError) -> Refusal:
    if isinstance(error, LineTooLong) or "Too many headers" in error.message:
        return _too_large()
    return _not_http()


def _too_large() -> Refusal:
    return Refusal(431, "the head of the request is larger than this server accepts")


def _not_http() -> Refusal:
    return Refusal(400, "this is not a valid HTTP/1.1 request")
