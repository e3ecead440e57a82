"""The finished head of a request for the upstream, from the client's request and the configuration.

Knows nothing about sockets or policies.
"""

from __future__ import annotations

from typing import Final

from corsproxy.proxy.admission import Admitted
from corsproxy.proxy.fields.destinations import DestinationRewriter
from corsproxy.proxy.fields.edits import FieldEditor
from corsproxy.proxy.fields.names import RequestField
from corsproxy.proxy.fields.referer import OriginRewriter
from corsproxy.proxy.plan import RoutePlan
from corsproxy.proxy.request.head import Line, RequestHead
from corsproxy.proxy.request_context import RequestContext

_NEEDS_LENGTH: Final = frozenset({"POST", "PUT", "PATCH"})
"""RFC 9110 section 8.6: "A user agent SHOULD send Content-Length in a request when the method defines a meaning for
enclosed content and it is not sending Transfer-Encoding." Old servers answer 411 otherwise."""

_REFERENCE: Final = RequestField.REFERENCE


def head_for_upstream(
    context: RequestContext,
    admitted: Admitted,
    route: RoutePlan,
    via: bytes,
    *,
    upgrade: bytes | None,
    expects_continue: bool,
) -> bytes:
    """Return the finished head, its empty line included.

    `upgrade` is the protocol that the upstream is asked to switch to.
    Raises `Refusal` with 400 if the target, or a Destination, would leave the route.
    """
    head, forwarding, method = admitted.head, admitted.forwarding, context.request.method
    if route.origins is not None:
        rewrite_origin(head, route.origins, forwarding.proxy_origin)
    has_upstream_addresses = (
        head.has_references
        and route.destinations is not None
        and rewrite_references(head, route.destinations, route.upstream_host(head.host), forwarding.proxy_origin)
    )
    if head.max_forwards is not None and method == "OPTIONS":
        decrement_max_forwards(head, head.max_forwards)
    added = b"%bX-Request-Id: %b\r\n%b" % (
        route.forwarded_block(forwarding, has_upstream_addresses=has_upstream_addresses),
        context.record.raw_request_id,
        via,
    )
    if (editor := route.request_edits) is not None:
        edit_fields(head, editor)
        added = editor.kept(added) + editor.block
    return upstream_head(
        head,
        method=method,
        target=route.upstream_target(admitted.target),
        host_line=route.host_line(head.host),
        added=added,
        upgrade=upgrade,
        expects_continue=expects_continue,
    )


def rewrite_origin(head: RequestHead, origins: OriginRewriter, proxy_origin: bytes) -> None:
    """Rewrite Origin and Referer for the upstream."""
    lines: list[Line] = []
    for line in head.fields:
        match line.meaning:
            case RequestField.ORIGIN:
                value = origins.origin(line.value)
            case RequestField.REFERER:
                value = origins.referer(line.value, proxy_origin)
            case _:
                lines.append(line)
                continue
        if value is not None:
            lines.append(line.with_value(value))
    head.fields = lines


def rewrite_references(head: RequestHead, destinations: DestinationRewriter, host: bytes, proxy_origin: bytes) -> bool:
    """Rewrite addresses in Destination and If to the upstream's own; return whether any was rewritten."""
    lines: list[Line] = []
    changed = False
    for line in head.fields:
        if line.meaning is _REFERENCE:
            value = destinations.rewrite(line.name.lower(), line.value, host=host, proxy_origin=proxy_origin)
            changed = changed or value != line.value
            lines.append(line.with_value(value))
        else:
            lines.append(line)
    head.fields = lines
    return changed


def decrement_max_forwards(head: RequestHead, received: int) -> None:
    """Forward Max-Forwards with one less than it was received with.

    RFC 9110 section 7.6.2: "If the received Max-Forwards value is greater than zero, the intermediary MUST generate an
    updated Max-Forwards field in the forwarded message".
    """
    value = b"%d" % (received - 1)
    head.fields = [one.with_value(value) if one.meaning is RequestField.MAX_FORWARDS else one for one in head.fields]


def edit_fields(head: RequestHead, editor: FieldEditor) -> None:
    """Remove the lines of all fields that the configuration sets or removes."""
    head.fields = [one for one in head.fields if not editor.edits(one.name)]


def upstream_head(
    head: RequestHead,
    *,
    method: str,
    target: bytes,
    host_line: bytes,
    added: bytes,
    upgrade: bytes | None,
    expects_continue: bool,
) -> bytes:
    """Return the finished head; `added` are the proxy's own lines, `upgrade` is the requested protocol."""
    parts = [method.encode("ascii"), b" ", target, b" HTTP/1.1\r\n", host_line]
    parts += [line.line for line in head.fields]
    if head.chunked:
        parts.append(b"Transfer-Encoding: chunked\r\n")
    elif not head.content_length and method in _NEEDS_LENGTH and not head.has_length_field:
        parts.append(b"Content-Length: 0\r\n")
    if expects_continue:
        parts.append(b"Expect: %b\r\n" % head.expect)
    if upgrade is not None:
        parts.append(b"Connection: Upgrade\r\nUpgrade: %b\r\n" % upgrade)
    elif head.te and head.wants_trailers:
        parts.append(b"Connection: TE\r\nTE: trailers\r\n")
    parts.append(added)
    parts.append(b"\r\n")
    return b"".join(parts)
