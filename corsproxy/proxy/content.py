"""Content in both directions: framed, counted, and no faster than its receiver reads.

Knows nothing about heads, routes or policies.
"""

from __future__ import annotations

from collections.abc import Sequence

from corsproxy.proxy.client.connection import ClientConnection
from corsproxy.proxy.client.content import RequestContent
from corsproxy.proxy.errors import ClientError, ClientErrorKind, UpstreamError, UpstreamErrorKind
from corsproxy.proxy.request_record import RequestRecord
from corsproxy.proxy.upstream.connection import UpstreamConnection


class ContentWriter:
    """Writes the content of a response to the client, as it is or in chunks (RFC 9112 section 7.1)."""

    __slots__ = ("_chunked", "_connection", "_discards", "_record", "_upstream")

    def __init__(
        self,
        connection: ClientConnection,
        upstream: UpstreamConnection,
        record: RequestRecord,
        *,
        chunked: bool,
        discards: bool,
    ) -> None:
        self._connection = connection
        self._upstream = upstream
        self._record = record
        self._chunked = chunked
        self._discards = discards
        """True if the response must have no content: to HEAD (RFC 9110 section 9.3.2), or 205 (section 15.3.6)."""

    def write(self, pieces: list[bytes]) -> None:
        """Send pieces as they arrived, as one chunk; pause the upstream if the client is slow."""
        connection = self._connection
        transport = connection.transport
        if self._discards or transport.is_closing():
            return
        size = sum(map(len, pieces))
        self._record.bytes_out += size
        connection.deadlines.sent += size
        if self._chunked:
            transport.writelines([b"%x\r\n" % size, *pieces, b"\r\n"])
        elif len(pieces) == 1:
            transport.write(pieces[0])
        else:
            transport.writelines(pieces)
        if connection.writing_paused:
            self._upstream.pause()

    def client_writable(self) -> None:
        """Resume the upstream, because the client reads again."""
        self._upstream.resume()

    def upstream_writable(self) -> None:
        """Do nothing: `send_request_content` waits for this itself."""

    def write_whole(self, head: list[bytes], body: list[bytes], trailers: Sequence[tuple[bytes, bytes]]) -> None:
        """Send a response that has arrived completely, in one write."""
        if body and not self._discards:
            size = 0
            for piece in body:
                size += len(piece)
            self._record.bytes_out += size
            if self._chunked:
                head += (b"%x\r\n" % size, *body, b"\r\n")
            else:
                head += body
        if self._chunked and not self._discards:
            head.append(_last_chunk(trailers))
        self._connection.write(b"".join(head))

    def finish(self, trailers: Sequence[tuple[bytes, bytes]]) -> None:
        """Send the end of the content; call this only if the upstream's message is complete."""
        if self._chunked and not self._discards:
            self._connection.write(_last_chunk(trailers))


def _last_chunk(trailers: Sequence[tuple[bytes, bytes]]) -> bytes:
    """Return the last chunk, the trailer fields and the empty line (RFC 9112 section 7.1)."""
    if not trailers:
        return b"0\r\n\r\n"
    return b"0\r\n%b\r\n" % b"".join([b"%b: %b\r\n" % field for field in trailers])


def first_content(
    pieces: list[bytes], content: RequestContent, record: RequestRecord, *, chunked: bool, limit: int
) -> bytes:
    """Return the content that has already arrived, framed for the upstream, to be sent in one write with the head.

    With two writes, the second would fail if the upstream refuses the request and closes; its response would be lost.
    Raises `ClientError`: the content is invalid, or larger than `limit` bytes (0 is no limit).
    """
    data = b"".join([*pieces, content.read_nowait()])
    record.bytes_in += len(data)
    if limit and record.bytes_in > limit:
        raise ClientError(ClientErrorKind.BODY_TOO_LARGE)
    if not chunked:
        return data
    return (b"%x\r\n%b\r\n" % (len(data), data) if data else b"") + (b"0\r\n\r\n" if content.is_eof() else b"")


async def send_request_content(
    connection: ClientConnection,
    content: RequestContent,
    upstream: UpstreamConnection,
    record: RequestRecord,
    *,
    chunked: bool,
    limit: int,
    stall_timeout: float,
) -> None:
    """Send a request's content to the upstream as it arrives; `limit` is in bytes, `stall_timeout` in seconds.

    A failure fails the exchange on `upstream`, which reports it to whoever waits for the response. The content then
    stays without an end, so that it cannot look complete.
    """
    try:
        while data := await connection.read_content(content):
            record.bytes_in += len(data)
            if limit and record.bytes_in > limit:
                raise ClientError(ClientErrorKind.BODY_TOO_LARGE)
            await upstream.send(b"%x\r\n%b\r\n" % (len(data), data) if chunked else data)
            if upstream.closed:
                return
            if upstream.writing_paused:
                upstream.set_deadline(stall_timeout, UpstreamErrorKind.RESPONSE_TIMEOUT)
                await upstream.drain()
                upstream.set_deadline(0, UpstreamErrorKind.RESPONSE_TIMEOUT)
        if chunked and not upstream.closed:
            upstream.write(b"0\r\n\r\n")
    except (ClientError, UpstreamError) as error:
        upstream.fail(error)
