"""One HTTP/1.1 response read from bytes: the state machine of the upstream side.

    HEAD --1xx--> HEAD            interim responses are kept in order, then the final head is read
    HEAD --------> BODY --------> COMPLETE
    HEAD --101---> TUNNEL         everything after the head is another protocol

`plain_head` reads the heads that leave nothing to argue about, `odd_head` all others; `chunks` reads the chunks.
Where the segments end changes nothing: a head is read when it is whole.
Knows no socket, no clock and no policy: bytes in, a `ResponseHead` and pieces of content out.
"""

from __future__ import annotations

import re
from typing import Final

from corsproxy.proxy.errors import UpstreamError, UpstreamErrorKind
from corsproxy.proxy.fields.names import RESPONSE_FIELDS, ResponseField
from corsproxy.proxy.upstream.chunks import ResponseChunkReader
from corsproxy.proxy.upstream.field_section import MAX_FIELD_LINES
from corsproxy.proxy.upstream.head import Framing, ResponseHead
from corsproxy.proxy.upstream.odd_head import read_head
from corsproxy.proxy.upstream.oddity import Oddities, Oddity, protocol_error
from corsproxy.proxy.upstream.plain_head import read_plain_head

MAX_HEAD_BYTES: Final = 256 * 1024
"""All heads of one response together: interim ones included.

Requests are held to 32 KiB by default; real responses (many cookies, CSP, Link) are larger, and the upstream is ours.
nginx refuses at 4-8 KiB (proxy_buffer_size), Envoy at 60 KiB, Node at 16 KiB.
"""

_MAX_LINE_ENDS: Final = MAX_FIELD_LINES + 2
"""Of all heads of one response: the status line's, the field lines' and that of the empty line."""

_HEAD_END: Final = re.compile(rb"\n\r?\n")

# Python 3.11 looks up members of an enum slowly; these are used for every response.
_LENGTH: Final = Framing.LENGTH
_NONE: Final = Framing.NONE
_CHUNKED: Final = Framing.CHUNKED


class ResponseReader:
    """Read one response after another from a connection; call `start` before each.

    After each `feed`: `interim` has the unread 1xx heads, `head` the final head once it is complete, `body` the unread
    pieces of content, `complete` is true at the end of the message, `surplus` is true if unsolicited bytes arrived.
    Every refusal is an `UpstreamError`.
    """

    __slots__ = (
        "_chunks",
        "_expects_continue",
        "_expects_upgrade",
        "_head_bytes",
        "_is_head_request",
        "_lenient",
        "_line_ends",
        "_oddities",
        "_partial",
        "_remaining",
        "body",
        "complete",
        "head",
        "interim",
        "surplus",
        "trailers",
        "tunnel",
    )

    def __init__(self, *, lenient: bool = False) -> None:
        self._lenient = lenient
        self.start(is_head_request=False, expects_upgrade=False)

    def start(self, *, is_head_request: bool, expects_upgrade: bool, expects_continue: bool = False) -> None:
        """Start the next response: to a HEAD request it has no content, only an upgrade may be answered 101, and a 100
        needs an expectation.
        """
        self._expects_continue = expects_continue
        self._is_head_request = is_head_request
        self._expects_upgrade = expects_upgrade
        self._head_bytes = 0
        self._line_ends = 0
        self._partial: bytearray | None = None
        """A head that is not whole yet."""
        self._remaining = -1
        self._chunks: ResponseChunkReader | None = None
        self._oddities: Oddities | None = None
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
        return self._head_bytes > 0 or self._partial is not None

    @property
    def oddities(self) -> list[Oddity]:
        """What was odd about the response so far; a connection with any of it carries no other."""
        return self._oddities.found if self._oddities is not None else []

    def feed(self, data: bytes) -> None:
        """Read the next bytes of the connection."""
        if self._remaining >= 0:
            self._feed_identity(data)
        elif self.complete:
            self.surplus = True
        elif self.head is None:
            self._feed_head(data)
        elif self._chunks is not None:
            self._feed_chunks(data)
        else:
            self.body.append(data)

    def feed_eof(self, *, is_cut: bool = False) -> None:
        """The connection has ended: complete if the end of the connection is the end of the content, else an error.

        `is_cut` if a TLS connection has ended without its closing alert: anybody on the way can do that.
        """
        if self.complete:
            return
        if self.tunnel or (self.head is not None and self.head.framing is Framing.CLOSE):
            if is_cut and not self.tunnel and not self._lenient:
                raise UpstreamError(UpstreamErrorKind.CLOSED, f"{Oddity.TLS_CUT}, which 'parsing: lenient' takes")
            if is_cut and not self.tunnel:
                self._note_oddities().note(Oddity.TLS_CUT)
            self.complete = True
            return
        what = "before the response's head" if self.head is None else "inside the response's content"
        raise UpstreamError(UpstreamErrorKind.CLOSED, f"connection ended {what}")

    # --- heads ------------------------------------------------------------------------------------------------------

    def _feed_head(self, data: bytes) -> None:
        if self._partial is None:
            end = data.find(b"\r\n\r\n")
            if 0 <= end <= MAX_HEAD_BYTES - 4:
                head = read_plain_head(data[:end], is_head_request=self._is_head_request)
                if head is not None:
                    self._head_bytes = end + 4
                    self._take_head(head, data[end + 4 :])
                    return
            self._partial = bytearray()
        partial = self._partial
        known = len(partial)
        partial += data
        while (section := self._next_section(known)) is not None:
            known = 0
            head = read_plain_head(section, is_head_request=self._is_head_request) or read_head(
                section,
                self._note_oddities(),
                is_head_request=self._is_head_request,
                expects_upgrade=self._expects_upgrade,
            )
            if head.status >= 200 or head.status == 101:
                self._partial = None
                self._take_head(head, bytes(partial))
                return
            if head.status != 100 or self._expects_continue:
                self.interim.append(head)

    def _next_section(self, known: int) -> bytes | None:
        """Take a whole head, without its empty line, from what has come; None if more is to come.

        The first `known` bytes were looked at before. Raises `UpstreamError` where too much has come.
        """
        partial = self._partial
        assert partial is not None
        while partial[:1] == b"\n" or partial[:2] == b"\r\n":  # RFC 9112 section 2.2, of requests; servers do it, too
            size = 1 if partial[:1] == b"\n" else 2
            del partial[:size]
            self._head_bytes += size
            known = max(known - size, 0)
        match = _HEAD_END.search(partial, max(known - 2, 0))
        if self._head_bytes + (match.end() if match is not None else len(partial)) > MAX_HEAD_BYTES:
            raise protocol_error(f"head larger than {MAX_HEAD_BYTES} bytes")
        if match is None:
            self._line_ends += partial.count(b"\n", known)
            section = None
        else:
            section = bytes(partial[: match.start()])
            self._line_ends += partial.count(b"\n", known, match.end())
            self._head_bytes += match.end()
            del partial[: match.end()]
        if self._line_ends > _MAX_LINE_ENDS:
            raise protocol_error(f"more than {MAX_FIELD_LINES} field lines")
        return section

    def _take_head(self, head: ResponseHead, rest: bytes) -> None:
        """The final head has come, and behind it the first bytes of what it announces."""
        self.head = head
        framing = head.framing
        if framing is _LENGTH:
            self._remaining = head.length
            self._feed_identity(rest)
        elif head.status == 101:
            self.tunnel = True
            if rest:
                self.body.append(rest)
        elif framing is _NONE:
            self.complete = True
            # Content where none is allowed: the response is complete without it, and the bytes after it are unclear.
            self.surplus = bool(rest)
        elif framing is _CHUNKED:
            self._chunks = ResponseChunkReader(self._note_oddities())
            self._feed_chunks(rest)
        elif rest:
            self.body.append(rest)

    def _note_oddities(self) -> Oddities:
        if self._oddities is None:
            self._oddities = Oddities(lenient=self._lenient)
        return self._oddities

    # --- content ----------------------------------------------------------------------------------------------------

    def _feed_identity(self, data: bytes) -> None:
        size = len(data)
        if size < self._remaining:
            self._remaining -= size
            if data:
                self.body.append(data)
            return
        if size > self._remaining:
            self.surplus = True
            data = data[: self._remaining]
        if data:
            self.body.append(data)
        self._remaining = -1
        self.complete = True

    def _feed_chunks(self, data: bytes) -> None:
        chunks = self._chunks
        assert chunks is not None
        taken = chunks.feed(data, self.body)
        if chunks.is_complete:
            self.complete = True
            self.surplus = taken < len(data)
            # RFC 9110 section 6.5.1: fields that frame, route, grant or set cookies are not allowed in trailers.
            self.trailers = [field for field in chunks.trailers if RESPONSE_FIELDS[field[0]] is ResponseField.FORWARD]
