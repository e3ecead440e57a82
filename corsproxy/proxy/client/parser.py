"""Request heads: plain ones read by `plain_head`, all others by aiohttp's parser.

Each such head gets a new parser, which never sees a byte after the head's end.

So no message can affect the next: aiohttp's parser keeps the last trailer line for the next head, loses bytes after an
upgrade, and drops good requests that arrive in one segment with a bad one. The content readers (`content`, `chunks`)
read the bytes after a head, or they stay untouched.
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
"""The content buffer of aiohttp's parser, which is never given any content."""

_FIRST_LOOK = 16
"""Bytes without a line end after which the start must look like HTTP, so that a TLS ClientHello fails at once."""

_BARE_LF = re.compile(rb"(?<!\r)\n")


class HeadParser:
    """Read one head after another."""

    __slots__ = ("_buffer", "_comes_again", "_looked_at", "_loop", "_searched", "doubt", "limit", "most_lines")

    def __init__(self, limit: int, most_lines: int, loop: asyncio.AbstractEventLoop) -> None:
        self.limit = limit
        """Bytes of a head."""
        self.most_lines = most_lines
        """Field lines of a head."""
        self._loop = loop
        self._buffer = HeadBuffer(limit)
        self.doubt: Refusal | None = None
        """What a first line that never ends is refused with if it begins with no method of HTTP."""
        self._comes_again = True
        """False if the last head had lines of a person: then the next is not looked for as a whole."""
        self._looked_at = 0
        """How much of an unfinished head, from its first byte on, has been shown to a parser."""
        self._searched = 0
        """How much of it has been searched for bare line feeds."""

    @property
    def has_begun(self) -> bool:
        """True from the first byte of a head until its end."""
        return bool(self._buffer.unfinished)

    def feed(self, data: bytes, start: int) -> tuple[ParsedHead | None, int]:
        """Read `data` from `start` on; return the head if it is whole, and where it ends.

        Raises `Refusal` for what is no head; its text repeats no byte of it.
        """
        if not start and data[-4:] == HEAD_END and len(data) <= self.limit and not self._buffer.unfinished:
            # Nearly always a segment is a head. If it is two, there is an empty line inside, which is not plain.
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
        """Refuse at once what cannot become a head: its first line is invalid, or a line has a wrong end."""
        begun = self._buffer.unfinished
        line = begun.find(b"\n", 0, self.limit) + 1
        look = line or min(len(begun), _FIRST_LOOK)
        if look > self._looked_at:
            self._looked_at = look
            self._show(bytes(begun[:look]))
        if begun.count(b"\n") > self.most_lines + 1:
            raise _too_large()
        if _BARE_LF.search(begun, self._searched):
            self._show(bytes(begun))
        self._searched = len(begun)

    def _show(self, begun: bytes) -> None:
        """Let a parser refuse early what it would refuse in the end; its results are dropped."""
        try:
            _, _, unknown_method = self._feed(begun)
        except HttpProcessingError as error:
            raise _refusal(error) from None
        self.doubt = _not_http() if unknown_method and b"\n" not in begun else None

    def _read(self, head: bytes) -> ParsedHead:
        """Read a complete head."""
        return read_plain_head(head, self.most_lines) or self.parse(head)

    def parse(self, head: bytes) -> ParsedHead:
        """Read a complete head with a new parser."""
        try:
            messages, head, method = self._feed(head)
        except HttpProcessingError as error:
            raise _refusal(error) from None
        if not messages:  # never seen: a head that ends here ends for llhttp, too
            raise _not_http()
        parsed = _parsed(head, messages[0][0])
        if method:
            parsed.method = method
        return parsed

    def _feed(self, data: bytes) -> tuple[Any, bytes, str]:
        """Have a parser read `data`, a method or a version that it does not know replaced by one it does.

        Return what it read, `data` as it was shown, and the method that was replaced.
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
            _NO_FLOW,  # type: ignore[arg-type]  # all that is ever called
            self._loop,
            _UNUSED_LIMIT,
            max_line_size=self.limit,
            max_field_size=self.limit,
            max_headers=self.most_lines,
            auto_decompress=False,
        )


class _NoFlow:
    """What the parser tells about content; it is given none, but takes the end of a CONNECT's head for some."""

    def resume_reading(self, *, resume_parser: bool = True) -> None:
        """Nothing was paused."""


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
    """Return what the head announces; the parser has refused what is no number, or beside Transfer-Encoding.

    What nobody can count is refused with the head, a step later; until then everything behind it is content.
    """
    for name, value in fields:
        if len(name) == len(b"content-length") and name.lower() == b"content-length":
            length = read_length(value)
            return length if length >= 0 else MAX_LENGTH
    return 0


def _is_about_the_method(error: HttpProcessingError) -> bool:
    """Return whether it is the method that llhttp does not know, or knows from RTSP, ICE or HTTP/2 alone."""
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
