"""One HTTP/1.1 response read from bytes: the state machine of the upstream side.

    HEAD --1xx--> HEAD            interim responses are kept in order, then the final head is read
    HEAD --------> BODY --------> COMPLETE
    HEAD --101---> TUNNEL         everything after the head is somebody else's protocol

`plain_head` reads the heads that leave nothing to argue about, llhttp all others, and the chunks.
Where the content ends (RFC 9112 section 6.3) is decided here; what two recipients could read differently is refused.
Knows no socket, no clock and no policy: bytes in, a `ResponseHead` and pieces of content out.
"""

from __future__ import annotations

import re

import httptools

from corsproxy.proxy.errors import UpstreamError, UpstreamErrorKind
from corsproxy.proxy.field_lines import FieldLine
from corsproxy.proxy.fields import RESPONSE_FIELDS, ResponseField
from corsproxy.proxy.upstream.head import NO_CONTENT_STATUSES, Framing, ResponseHead
from corsproxy.proxy.upstream.plain_head import read_plain_head

MAX_HEAD_BYTES = 256 * 1024
"""All heads of one response together: interim ones included.

Requests are held to 32 KiB by default; real responses (many cookies, CSP, Link) are larger, and the upstream is ours.
nginx refuses at 4-8 KiB (proxy_buffer_size), Envoy at 60 KiB, Node at 16 KiB.
"""

_LENGTH = Framing.LENGTH
"""Python 3.11 finds an enum's members by a slow look-up; this one is asked for at every response."""

_MOST_DIGITS = 19
"""Of a Content-Length: what surely fits in 64 bits. llhttp takes any number of leading zeros, `int` does not."""

_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
"""RFC 9110 section 5.5: no control character but HTAB belongs in a field value.

llhttp, told to tolerate obs-fold, no longer looks; it has replaced the line ends of a fold by what stood after them.
"""


class ResponseReader:
    """Reads one response after another from a connection; `start` before each.

    After each `feed`: `interim` holds 1xx heads not yet taken, `head` the final head once it is whole, `body` the
    pieces of content not yet taken, `complete` says that the message has ended, `surplus` that bytes came which nobody
    asked for. Every refusal is an `UpstreamError`.
    """

    __slots__ = (
        "_announces_content",
        "_expects_continue",
        "_expects_upgrade",
        "_head",
        "_head_bytes",
        "_is_head_request",
        "_parser",
        "_remaining",
        "_unread_framing",
        "body",
        "complete",
        "head",
        "interim",
        "surplus",
        "trailers",
        "tunnel",
    )

    def __init__(self) -> None:
        self._parser: httptools.HttpResponseParser | None = None
        """None where llhttp has had nothing to read yet."""
        self._head = ResponseHead()
        """The head that llhttp is reading."""
        self.start(is_head_request=False, expects_upgrade=False)

    def start(self, *, is_head_request: bool, expects_upgrade: bool, expects_continue: bool = False) -> None:
        """Begin with the next response: to a HEAD request it has no content, only an upgrade may be answered 101, and
        a 100 is for nobody who has not asked for it.
        """
        self._expects_continue = expects_continue
        self._is_head_request = is_head_request
        self._expects_upgrade = expects_upgrade
        self._head_bytes = 0
        self._remaining = -1
        self._unread_framing = 0
        """Bytes since the last piece of content: chunk extensions and trailers must not go on for ever."""
        self._announces_content = False
        self.interim: list[ResponseHead] = []
        self.head: ResponseHead | None = None
        self.body: list[bytes] = []
        self.trailers: list[tuple[bytes, bytes]] = []
        self.complete = False
        self.surplus = False
        self.tunnel = False

    @property
    def started(self) -> bool:
        """True once any byte of the response has come."""
        return self._head_bytes > 0

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the connection."""
        if self._remaining >= 0:
            self._feed_identity(data)
            return
        if self._is_over():
            self.surplus = True
            return
        if self.head is None:
            if not self._head_bytes:
                plain = read_plain_head(data, is_head_request=self._is_head_request)
                if plain is not None:
                    self._take_plain(*plain)
                    return
            self._head_bytes += len(data)
        self._unread_framing += len(data)
        if self.tunnel or (self.head is not None and self.head.framing is Framing.CLOSE):
            self.body.append(data)
            return
        if self._parser is None:
            self._parser = self._new_parser()
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._switch(data[upgrade.args[0] :])
            return
        except httptools.HttpParserCallbackError as error:
            self._parser = None
            cause = error.__context__
            if isinstance(cause, UpstreamError):
                raise cause from None
            raise
        except httptools.HttpParserError as error:
            self._parser = None
            if not self.complete:
                raise UpstreamError(UpstreamErrorKind.PROTOCOL, str(error)) from None
            self.surplus = True  # garbage after a whole message
        self._after_feed()

    def _take_plain(self, head: ResponseHead, content: bytes) -> None:
        self.head = head
        self._head_bytes = 1  # what counts is that it has begun
        if head.framing is _LENGTH:
            self._remaining = head.length
            self._feed_identity(content)
        else:
            self.complete = True

    def feed_eof(self) -> None:
        """The connection has ended: complete where the end of the connection is the end of the content, else an
        error.
        """
        if self.complete:
            return
        if self.tunnel or (self.head is not None and self.head.framing is Framing.CLOSE):
            self.complete = True
            return
        what = "before the response's head" if self.head is None else "inside the response's content"
        raise UpstreamError(UpstreamErrorKind.CLOSED, f"connection ended {what}")

    def _new_parser(self) -> httptools.HttpResponseParser:
        # Old servers fold lines and end them with a bare LF; chunk sizes may be padded with spaces (RFC 9112 sections
        # 2.2, 5.2). Each has one reading only, and what is sent on is written anew.
        parser = httptools.HttpResponseParser(self)
        parser.set_dangerous_leniencies(
            lenient_headers=True, lenient_optional_cr_before_lf=True, lenient_spaces_after_chunk_size=True
        )
        return parser

    # --- after a segment --------------------------------------------------------------------------------------------

    def _is_over(self) -> bool:
        return self.complete

    def _after_feed(self) -> None:
        head = self.head
        if head is None:
            if self._head_bytes > MAX_HEAD_BYTES:
                raise UpstreamError(UpstreamErrorKind.PROTOCOL, f"head larger than {MAX_HEAD_BYTES} bytes")
            return
        if self._is_head_request:
            # llhttp cannot know that this was a HEAD request: it waits for content, and takes it for a part of this.
            if self.body or (self.complete and self._announces_content):
                self.surplus = True
            self._parser = None
            self.complete = True
        if self.surplus and head.framing is Framing.NONE:
            # Content where none may be: the next response could not be told from it (RFC 9112 section 11.2).
            raise UpstreamError(UpstreamErrorKind.PROTOCOL, f"content after a {head.status} response that has none")
        if head.framing is Framing.CHUNKED and self._unread_framing > MAX_HEAD_BYTES:
            raise UpstreamError(UpstreamErrorKind.PROTOCOL, f"chunk framing larger than {MAX_HEAD_BYTES} bytes")
        if self.complete or head.framing is Framing.CHUNKED:
            return
        # From here on the bytes are content as they are: llhttp need not see them.
        self._parser = None
        if head.framing is Framing.LENGTH:
            self._remaining = head.length - sum(map(len, self.body))

    def _feed_identity(self, data: bytes) -> None:
        size = len(data)
        if size < self._remaining:
            self._remaining -= size
            self.body.append(data)
            return
        if size > self._remaining:
            self.surplus = True
            data = data[: self._remaining]
        if data:
            self.body.append(data)
        self._remaining = -1
        self.complete = True

    def _switch(self, rest: bytes) -> None:
        """The head was a 101: what follows is the other protocol's (RFC 9110 section 7.8)."""
        self._parser = None
        if self.head is None or self.head.status != 101:
            raise UpstreamError(UpstreamErrorKind.PROTOCOL, "switched protocols without a 101")
        self.tunnel = True
        self.complete = False
        if rest:
            self.body.append(rest)

    # --- llhttp's callbacks, in the order they come -----------------------------------------------------------------

    def on_message_begin(self) -> None:
        """A message starts; after a whole final response nobody has asked for it."""
        if self.complete:
            self.surplus = True
        else:
            self._head = ResponseHead()

    def on_status(self, reason: bytes) -> None:
        """Take a part of the reason phrase."""
        if not self.complete:
            self._head.reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take one field line, of the head or of the trailer section."""
        if self.complete:
            return
        value = value.strip(b" \t")
        if _CONTROL.search(value) or b" " in name:
            # llhttp lets spaces pass behind some names; such a name would be another one to us than to the client.
            raise UpstreamError(
                UpstreamErrorKind.PROTOCOL, f"control character in field {name!r}, or space in its name"
            )
        code = RESPONSE_FIELDS[name]
        if self.head is None:
            self._head.fields.append(FieldLine(code, name, value))
        elif code is ResponseField.FORWARD:
            # RFC 9110 section 6.5.1: what frames, routes, grants or sets cookies has no place behind the content.
            self.trailers.append((name, value))

    def on_headers_complete(self) -> None:
        """The head is whole: settle what it is and where its content ends."""
        if self.complete:
            return
        parser = self._parser
        assert parser is not None
        head = self._head
        head.status = parser.get_status_code()
        version = parser.get_http_version()
        if version not in {"1.1", "1.0"}:
            raise UpstreamError(UpstreamErrorKind.PROTOCOL, f"HTTP/{version}")
        head.minor = 0 if version == "1.0" else 1
        head.keep_alive = parser.should_keep_alive()
        if head.status < 100:
            raise UpstreamError(UpstreamErrorKind.PROTOCOL, f"status {head.status:03}")
        if _CONTROL.search(head.reason):
            head.reason = b""
        if 100 <= head.status < 200 and head.status != 101:
            _refuse_content(head)
            if head.status != 100 or self._expects_continue:
                self.interim.append(head)
            return
        if head.status == 101 and not self._expects_upgrade:
            raise UpstreamError(UpstreamErrorKind.PROTOCOL, "101 to a request that asked for no upgrade")
        self._settle_framing(head)
        self.head = head

    def _settle_framing(self, head: ResponseHead) -> None:
        """RFC 9112 section 6.3, steps 1 to 8; llhttp has refused Content-Length beside Transfer-Encoding and lists."""
        codings = [line.value for line in head.fields if line.meaning is ResponseField.TRANSFER_ENCODING]
        lengths = [line.value for line in head.fields if line.meaning is ResponseField.CONTENT_LENGTH]
        if codings and (len(codings) > 1 or codings[0].lower() != b"chunked" or head.minor == 0 or lengths):
            raise UpstreamError(
                UpstreamErrorKind.PROTOCOL, "transfer coding other than chunked, or beside Content-Length"
            )
        if len(lengths) > 1 or (lengths and not (lengths[0].isdigit() and len(lengths[0]) <= _MOST_DIGITS)):
            raise UpstreamError(UpstreamErrorKind.PROTOCOL, "invalid Content-Length")
        head.length = int(lengths[0]) if lengths else -1
        self._announces_content = bool(codings) or head.length > 0
        if self._is_head_request or head.status in NO_CONTENT_STATUSES or head.status == 101:
            head.framing = Framing.NONE
        elif codings:
            head.framing = Framing.CHUNKED
        elif head.length < 0:
            head.framing = Framing.CLOSE
            head.keep_alive = False
        else:
            head.framing = Framing.LENGTH

    def on_body(self, piece: bytes) -> None:
        """Take a piece of content, without chunk framing."""
        if self.complete:
            self.surplus = True
        else:
            self._unread_framing = 0
            self.body.append(piece)

    def on_message_complete(self) -> None:
        """The message has ended; an interim one is followed by another."""
        if self.head is not None and self.head.status != 101:
            self.complete = True


def _refuse_content(head: ResponseHead) -> None:
    """An interim response has no content (RFC 9110 section 15.2); llhttp would read it where its fields announce some.

    A length of 0, which some servers write, announces none.
    """
    for line in head.fields:
        announced = line.meaning is ResponseField.CONTENT_LENGTH and line.value.strip(b"0")
        if announced or line.meaning is ResponseField.TRANSFER_ENCODING:
            raise UpstreamError(UpstreamErrorKind.PROTOCOL, f"content announced by a {head.status} response")
