"""A tunnel after a 101: bytes pass both ways uninspected until either side closes (RFC 9110 section 7.8).

If one side reads slowly, reading from the other is paused, so that little is buffered.
Knows nothing about the protocol inside, or about policies: the tunnel has been permitted before.
"""

from __future__ import annotations

import time

from corsproxy.proxy.client.connection import ClientConnection
from corsproxy.proxy.client.flow import TUNNEL
from corsproxy.proxy.errors import UpstreamError, UpstreamErrorKind
from corsproxy.proxy.plan import RoutePlan
from corsproxy.proxy.request_context import RequestContext
from corsproxy.proxy.request_record import RequestRecord
from corsproxy.proxy.response.head import switching_head
from corsproxy.proxy.upstream.connection import UpstreamConnection
from corsproxy.proxy.upstream.head import ResponseHead

CLOSE_GRACE = 1.0
"""Seconds to deliver the last bytes to the upstream after the client has closed."""


async def switch_protocols(
    context: RequestContext,
    route: RoutePlan,
    upstream: UpstreamConnection,
    head: ResponseHead,
    protocol: bytes,
    via: bytes,
) -> None:
    """Forward the 101 and then bytes both ways until either side closes.

    Raises `UpstreamError` if the upstream switches to another protocol. RFC 9110 section 7.8: "A server MUST NOT switch
    to a protocol that was not indicated by the client in the corresponding request's Upgrade header field."
    """
    record, connection = context.record, context.connection
    record.upstream_duration = time.monotonic() - record.upstream_started
    record.upstream_status = record.status = 101
    offered = [line.value.lower() for line in head.fields if line.name.lower() == b"upgrade"]
    if offered != [protocol.lower()]:
        raise UpstreamError(UpstreamErrorKind.PROTOCOL, "101 to a protocol that was not requested")
    context.started = True
    context.keep = False
    route.pool.count_as_tunnel(upstream)
    answer = switching_head(head, protocol, route.rules, via)
    if context.plan.begun is not None:
        record.raw_answer = answer
    connection.write(answer)
    await OpaqueTunnel(connection, upstream, record, route.upstream.tunnel_timeout).run()


class OpaqueTunnel:
    """Forwards bytes between a client and an upstream that have switched protocols."""

    __slots__ = ("_client", "_client_paused", "_record", "_timeout", "_upstream")

    def __init__(
        self, client: ClientConnection, upstream: UpstreamConnection, record: RequestRecord, timeout: float
    ) -> None:
        self._client = client
        self._timeout = timeout
        """Seconds of silence, both ways; 0 is no limit."""
        self._upstream = upstream
        self._record = record
        self._client_paused = False

    async def run(self) -> None:
        """Forward bytes until either side closes, or both have been silent for too long."""
        client, upstream = self._client, self._upstream
        try:
            early = client.open_tunnel(self)
            if early:
                self.from_client(early)
            done = upstream.stream_to(self, self._timeout)
            if client.deadlines.is_half_closed:
                self.client_eof()
            if done is not None:
                await done
        except UpstreamError as error:
            if error.kind is not UpstreamErrorKind.READ_TIMEOUT:
                raise
            client.abort()  # both peers may have vanished, so silence is not an error

    # --- from the client --------------------------------------------------------------------------------------------

    def from_client(self, data: bytes) -> None:
        """Forward the client's bytes; pause the client if the upstream is slow."""
        if self._upstream.closed:
            return
        self._record.bytes_in += len(data)
        self._upstream.write(data)
        self._note_sign_of_life()
        if self._upstream.writing_paused and not self._client_paused:
            self._client_paused = True
            self._client.flow.pause(TUNNEL)

    def client_eof(self) -> None:
        """Close the upstream too, after the client's last bytes have been delivered."""
        if not self._upstream.closed:
            self._upstream.set_deadline(CLOSE_GRACE, UpstreamErrorKind.READ_TIMEOUT)
            self._upstream.transport.close()

    def client_writable(self) -> None:
        """Resume the upstream, because the client reads again."""
        self._upstream.resume()

    # --- from the upstream ------------------------------------------------------------------------------------------

    def write(self, pieces: list[bytes]) -> None:
        """Forward the upstream's bytes; pause the upstream if the client is slow."""
        transport = self._client.transport
        if transport.is_closing():
            return
        for piece in pieces:
            self._record.bytes_out += len(piece)
            transport.write(piece)
        if self._client.writing_paused:
            self._upstream.pause()
            self._note_sign_of_life()  # the pause stopped the connection's clock, but the tunnel's must go on

    def upstream_writable(self) -> None:
        """Resume the client, because the upstream reads again."""
        if self._client_paused:
            self._client_paused = False
            self._client.flow.resume(TUNNEL)

    def _note_sign_of_life(self) -> None:
        self._upstream.set_deadline(self._timeout, UpstreamErrorKind.READ_TIMEOUT)
