"""Parsing HTTP/1.1 responses: the state machine of the upstream side.

    IDLE ----request--> SEND_RESPONSE --1xx--> SEND_RESPONSE     interim heads are kept in order
                        SEND_RESPONSE -------> SEND_BODY ------> DONE, or MUST_CLOSE
                        SEND_RESPONSE --101--> SWITCHED_PROTOCOL everything after the head is another protocol
    DONE ----request--> SEND_RESPONSE
    any --------------> ERROR

The states have the names of a server's states in h11. `plain_head` parses unambiguous heads, `odd_head` all others;
`content` has a reader for each framing. Where segments end makes no difference.
Knows nothing about sockets, clocks or policies: bytes in, a `ResponseHead` and pieces of content out.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

from corsproxy.proxy.errors import UpstreamError, UpstreamErrorKind
from corsproxy.proxy.upstream.chunks import ResponseChunkReader
from corsproxy.proxy.upstream.content import NO_CONTENT, UNTIL_CLOSE, ContentReader, ResponseLengthReader
from corsproxy.proxy.upstream.head import Framing, ResponseHead
from corsproxy.proxy.upstream.head_buffer import MAX_HEAD_BYTES, ResponseHeadBuffer
from corsproxy.proxy.upstream.odd_head import read_head
from corsproxy.proxy.upstream.oddity import Oddities, Oddity, protocol_error
from corsproxy.proxy.upstream.plain_head import read_plain_head

__all__ = ["ENDED", "MAX_HEAD_BYTES", "ResponseReader", "ServerState"]


class ServerState(Enum):
    """What the server is doing, judged by its bytes."""

    IDLE = auto()
    """No request has been sent; if bytes arrive nevertheless, the connection cannot be used."""
    SEND_RESPONSE = auto()
    SEND_BODY = auto()
    DONE = auto()
    """The response has ended, and the connection may carry another."""
    MUST_CLOSE = auto()
    """The response has ended, and the connection must be closed: the head says so, or something was odd."""
    SWITCHED_PROTOCOL = auto()
    ERROR = auto()


# Python 3.11 looks up members of an enum slowly; these are used for every response.
_IDLE: Final = ServerState.IDLE
_SEND_RESPONSE: Final = ServerState.SEND_RESPONSE
_SEND_BODY: Final = ServerState.SEND_BODY
_DONE: Final = ServerState.DONE
_MUST_CLOSE: Final = ServerState.MUST_CLOSE
_SWITCHED_PROTOCOL: Final = ServerState.SWITCHED_PROTOCOL
_ERROR: Final = ServerState.ERROR
_LENGTH: Final = Framing.LENGTH
_CHUNKED: Final = Framing.CHUNKED
_NONE: Final = Framing.NONE

ENDED: Final = (_DONE, _MUST_CLOSE)
"""The states after the end of a response."""


class ResponseReader:
    """Parses one response after another from a connection; call `start` before each.

    After each `feed`, `interim` has the 1xx heads and `body` the pieces of content that the caller has not taken yet;
    `head` is the final head. Everything that is refused raises `UpstreamError`.
    """

    __slots__ = (
        "_buffer", "_content", "_counted", "_expects_continue", "_expects_upgrade", "_is_head_request", "_keep_alive",
        "_oddities", "body", "head", "interim", "state", "surplus",
    )  # fmt: skip

    def __init__(self, *, lenient: bool = False) -> None:
        self._oddities = Oddities(lenient=lenient)
        """The oddities of the connection, which is not used again after the first response with one."""
        self._buffer = ResponseHeadBuffer()
        """The heads that do not arrive as a single one in one segment."""
        self._is_head_request = False
        self._expects_upgrade = False
        self._expects_continue = False
        self._counted = ResponseLengthReader()
        self._content: ContentReader = NO_CONTENT
        self._keep_alive = False
        """True if the connection persists after this response, according to its head."""
        self.state = _IDLE
        self.interim: list[ResponseHead] = []
        self.head: ResponseHead | None = None
        """The final head; None before it is complete."""
        self.body: list[bytes] = []
        self.surplus = False
        """True if bytes have arrived that belong to no response."""

    def start(self, *, is_head_request: bool, expects_upgrade: bool, expects_continue: bool = False) -> None:
        """Begin the next response; the parameters describe its request.

        A response to HEAD has no content, a 101 needs an upgrade, and a 100 without an expectation is dropped.
        Raises `UpstreamError` if bytes have arrived before the request, because they must not become its response.
        """
        if self.state is not _DONE and self.state is not _IDLE:
            self.state = _ERROR
            raise protocol_error("bytes before the request")
        self._is_head_request = is_head_request
        self._expects_upgrade = expects_upgrade
        self._expects_continue = expects_continue
        if self._buffer.has_begun:
            self._buffer = ResponseHeadBuffer()
        self._content = NO_CONTENT
        self.state = _SEND_RESPONSE
        self.head = None
        self.surplus = False
        if self.interim or self.body:
            self.interim, self.body = [], []

    @property
    def complete(self) -> bool:
        """True once the response has ended; code on the path of every request compares `state` with `ENDED` instead."""
        return self.state in ENDED

    @property
    def tunnel(self) -> bool:
        """True once the server has switched to another protocol."""
        return self.head is not None and self.head.status == 101

    @property
    def started(self) -> bool:
        """True once any byte of the response has arrived."""
        return self.head is not None or self._buffer.has_begun

    @property
    def trailers(self) -> list[tuple[bytes, bytes]]:
        """The trailer fields that may be forwarded; empty before the end."""
        return self._content.trailers if isinstance(self._content, ResponseChunkReader) else []

    @property
    def oddities(self) -> list[Oddity]:
        """The oddities that have been accepted so far; a connection with any is not used again."""
        return self._oddities.found

    def feed(self, data: bytes) -> None:
        """Parse the next bytes of the connection."""
        state = self.state
        try:
            if state is _SEND_RESPONSE:
                self._feed_head(data)
            elif state is _SEND_BODY or state is _SWITCHED_PROTOCOL:
                self._feed_content(data)
            elif state is _IDLE:
                self.state = _SEND_RESPONSE
                self.surplus = True
                self._feed_head(data)
            elif state is not _ERROR:
                self.state = _MUST_CLOSE
                self.surplus = True
        except UpstreamError:
            self.state = _ERROR
            raise

    def feed_eof(self, *, is_cut: bool = False) -> None:
        """Handle the end of the connection: it completes content that ends with it, otherwise it is an `UpstreamError`.

        `is_cut` is True if a TLS connection has ended without its closing alert, which anyone on the way can cause:
        content that ends with the connection is then incomplete (RFC 9112 section 9.8).
        """
        if self.state in ENDED:
            return
        try:
            if self._content is not UNTIL_CLOSE:
                what = "before the response's head" if self.head is None else "inside the response's content"
                raise UpstreamError(UpstreamErrorKind.CLOSED, f"connection ended {what}")
            if is_cut and self.state is not _SWITCHED_PROTOCOL:
                self._oddities.note(Oddity.TLS_CUT, UpstreamErrorKind.CLOSED)
        except UpstreamError:
            self.state = _ERROR
            raise
        self.state = _MUST_CLOSE

    def _feed_head(self, data: bytes) -> None:
        if not self._buffer.has_begun:
            # Nearly every response has a single head, which arrives completely in one segment.
            end = data.find(b"\r\n\r\n")
            if 0 <= end <= MAX_HEAD_BYTES - 4:
                head = read_plain_head(data[:end], is_head_request=self._is_head_request)
                if head is not None:
                    self._take_head(head, data[end + 4 :])
                    return
        self._buffer.add(data)
        while (section := self._buffer.next_head()) is not None:
            head = read_plain_head(section, is_head_request=self._is_head_request) or read_head(
                section,
                self._oddities,
                is_head_request=self._is_head_request,
                expects_upgrade=self._expects_upgrade,
            )
            if head.status >= 200 or head.status == 101:
                self._take_head(head, self._buffer.rest())
                return
            if head.status != 100 or self._expects_continue:
                self.interim.append(head)

    def _take_head(self, head: ResponseHead, rest: bytes) -> None:
        """Choose the reader for the content of the final head, and feed it `rest`, the bytes after the head."""
        self.head = head
        self._keep_alive = head.keep_alive
        self.state = _SEND_BODY
        framing = head.framing
        if framing is _LENGTH:
            self._content = self._counted
            self._counted.start(head.length)
        elif head.status == 101:
            self._content = UNTIL_CLOSE
            self.state = _SWITCHED_PROTOCOL
        elif framing is _CHUNKED:
            self._content = ResponseChunkReader(self._oddities)
        else:
            self._content = NO_CONTENT if framing is _NONE else UNTIL_CLOSE
        self._feed_content(rest)

    def _feed_content(self, data: bytes) -> None:
        content = self._content
        if content.feed(data, self.body) < len(data):
            self.surplus = True
        if content.is_complete:
            persists = self._keep_alive and not self.surplus and not self._oddities.found
            self.state = _DONE if persists else _MUST_CLOSE
