"""The finished head for an upstream, from what the client sent and what the configuration says.

Knows no sockets and no policy.
"""

from __future__ import annotations

from corsproxy.proxy.forwarded import Forwarding
from corsproxy.proxy.passage import Passage
from corsproxy.proxy.plan import RoutePlan
from corsproxy.proxy.request_head import count_down, edit_fields, rewrite_origin, rewrite_references, upstream_head


def head_for_upstream(
    passage: Passage, route: RoutePlan, forwarding: Forwarding, via: bytes, *, expects_continue: bool
) -> bytes:
    """Write the head; raises `Refusal` if its target would leave what the route serves."""
    head, request = passage.head, passage.request
    if route.origins is not None:
        rewrite_origin(head, route.origins, forwarding.proxy_origin)
    names_places = (
        head.has_references
        and route.destinations is not None
        and rewrite_references(head, route.destinations, route.upstream_host(head.host), forwarding.proxy_origin)
    )
    if head.max_forwards is not None and request.method == "OPTIONS":
        count_down(head)
    added = b"%bX-Request-Id: %b\r\n%b" % (
        route.forwarded_block(forwarding, by_own_name=names_places),
        passage.exchange.raw_request_id,
        via,
    )
    if (editor := route.request_edits) is not None:
        edit_fields(head, editor)
        added = editor.kept(added) + editor.block
    return upstream_head(
        head,
        method=request.method,
        target=route.upstream_target(passage.target),
        host_line=route.host_line(head.host),
        added=added,
        upgrade=passage.upgrade,
        expects_continue=expects_continue,
    )
