"""Sending the proxy's own responses, with the grant if there is one.

The texts for failures of upstreams and clients are here; their statuses are in `errors`.
"""

from __future__ import annotations

from corsproxy.cors import exposed_names
from corsproxy.proxy.cors_gate import Grant
from corsproxy.proxy.errors import ClientError, ClientErrorKind, UpstreamErrorKind
from corsproxy.proxy.request_context import RequestContext
from corsproxy.proxy.response.answers import answer_head, date_line, id_line, with_id

UPSTREAM_TEXTS: dict[UpstreamErrorKind, str] = {
    UpstreamErrorKind.DNS: "the upstream's name could not be resolved",
    UpstreamErrorKind.CONNECT: "the upstream refused the connection",
    UpstreamErrorKind.CONNECT_TIMEOUT: "the upstream did not accept a connection in time",
    UpstreamErrorKind.TLS: "no secure connection to the upstream could be made",
    UpstreamErrorKind.POOL_TIMEOUT: "too many requests are waiting for the upstream",
    UpstreamErrorKind.TUNNELS_FULL: "too many WebSockets to the upstream are open",
    UpstreamErrorKind.RESPONSE_TIMEOUT: "the upstream did not answer in time",
    UpstreamErrorKind.READ_TIMEOUT: "the upstream fell silent",
    UpstreamErrorKind.CLOSED: "the upstream closed the connection without a whole answer",
    UpstreamErrorKind.PROTOCOL: "the upstream's answer is not valid HTTP",
}

CLIENT_TEXTS: dict[ClientErrorKind, str] = {
    ClientErrorKind.DISCONNECTED: "the client has gone",
    ClientErrorKind.BAD_BODY: "the content of the request is not valid",
    ClientErrorKind.BODY_TIMEOUT: "the content of the request took too long",
    ClientErrorKind.BODY_TOO_LARGE: "the content of the request is larger than this server accepts",
    ClientErrorKind.STALLED: "the client takes nothing",
}


def answer(context: RequestContext, grant: Grant, status: int, text: bytes, fields: bytes = b"") -> None:
    """Send one of the proxy's own responses; `fields` are further finished lines."""
    request_id = context.record.raw_request_id
    if text and status != 204:
        fields += id_line(request_id)
    fields += b"Vary: Origin\r\n" if grant.varies else b""
    cors = grant.block
    if grant.exposes_all_names:
        names = exposed_names(line.partition(b":")[0] for line in (fields + date_line()).splitlines())
        cors += b"Access-Control-Expose-Headers: %b\r\n" % names
    text = with_id(text, request_id) if text and status != 204 else b""
    _send(context, status, answer_head(status, cors + fields, length=len(text)), text)


def answer_preflight(context: RequestContext, grant: Grant) -> None:
    """Send the response to a preflight, whose head and body are part of the grant; a body gets the request id."""
    if not grant.body:
        _send(context, grant.status, grant.answer, b"")
        return
    request_id = context.record.raw_request_id
    body = with_id(grant.body, request_id)
    head, _, _ = grant.answer.rpartition(b"Content-Length: ")
    _send(context, grant.status, b"%bContent-Length: %d\r\n%b" % (head, len(body), id_line(request_id)), body)


def _send(context: RequestContext, status: int, head: bytes, body: bytes) -> None:
    """Send a finished response, with Date and Connection; keep no connection on which content is still to come."""
    if context.connection.takes_no_more or not context.request.content.is_eof():
        context.keep = False
    context.record.status = status
    context.started = True
    if context.request.method == "HEAD":
        body = b""
    context.record.bytes_out = len(body)
    if context.plan.begun is not None:
        context.record.raw_answer = head
    try:
        context.connection.write(b"%b%b%b\r\n%b" % (head, date_line(), context.connection_line, body))
    except ClientError as error:
        context.record.error = error.kind
        context.keep = False


def answer_failure(context: RequestContext, grant: Grant, status: int, text: str) -> None:
    """Answer a failure. If the response has begun, cut it, so that it cannot look complete (RFC 9112 section 8)."""
    if context.started:
        if context.ends_by_close:
            context.connection.reset()
        context.keep = False
        return
    fields = b"Retry-After: 1\r\n" if status == 503 else b""
    answer(context, grant, status, text.encode() + b"\n", fields)
