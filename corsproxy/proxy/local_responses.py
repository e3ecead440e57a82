"""The proxy's own responses, with the grant if there is a decision.

Failures of an upstream and of a client get their text here; their status is in `errors`.
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


def reply(context: RequestContext, grant: Grant, status: int, text: bytes, fields: bytes = b"") -> None:
    """Send a response of the proxy itself, with the fields of the grant."""
    request_id = context.record.raw_request_id
    if text and status != 204:
        fields += id_line(request_id)
    fields += b"Vary: Origin\r\n" if grant.varies else b""
    cors = grant.block
    if grant.exposes_all_names:
        names = exposed_names(line.partition(b":")[0] for line in (fields + date_line()).splitlines())
        cors += b"Access-Control-Expose-Headers: %b\r\n" % names
    text = with_id(text, request_id) if text and status != 204 else b""
    send_reply(context, status, answer_head(status, cors + fields, length=len(text)), text)


def answer_preflight(context: RequestContext, grant: Grant) -> None:
    """Send the response that was finished with the decision."""
    if not grant.body:
        send_reply(context, grant.status, grant.answer, b"")
        return
    request_id = context.record.raw_request_id
    body = with_id(grant.body, request_id)
    head, _, _ = grant.answer.rpartition(b"Content-Length: ")
    send_reply(context, grant.status, b"%bContent-Length: %d\r\n%b" % (head, len(body), id_line(request_id)), body)


def send_reply(context: RequestContext, status: int, head: bytes, body: bytes) -> None:
    """Send a finished response, with the fields that depend on the connection."""
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


def fail(context: RequestContext, grant: Grant, status: int, text: str) -> None:
    """Answer a failure; if the response has begun, cut it, so that it cannot look complete (RFC 9112 section 8)."""
    if context.started:
        if context.ends_by_close:
            context.connection.reset()
        context.keep = False
        return
    fields = b"Retry-After: 1\r\n" if status == 503 else b""
    reply(context, grant, status, text.encode() + b"\n", fields)
