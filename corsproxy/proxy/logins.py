"""Connection-based logins (NTLM, Negotiate): which upstream connections are reserved, and when a login is refused.

From the first `Authorization` or challenge with such a scheme on, the client's connection and the upstream's belong
together; when either ends, the other is closed.
If the client's connection may carry requests of several people, such a login is refused: an edge would send the next
person's request on it. RFC 4559 section 6: a proxy "must take care to not share authenticated connections between
different authenticated clients to the same server".
Knows nothing about policies or grants.
"""

from __future__ import annotations

import logging

from corsproxy.proxy.client.connection import ClientConnection
from corsproxy.proxy.errors import Refusal
from corsproxy.proxy.fields.challenges import login_scheme, without_logins
from corsproxy.proxy.fields.forwarded import ConnectionForwarding
from corsproxy.proxy.fields.lines import FieldLine
from corsproxy.proxy.fields.names import ResponseField
from corsproxy.proxy.plan import RoutePlan
from corsproxy.proxy.request.head import RequestHead
from corsproxy.proxy.upstream.connection import UpstreamConnection
from corsproxy.proxy.upstream.head import ResponseHead
from corsproxy.proxy.upstream.lease import Lease
from corsproxy.proxy.upstream.pool import UpstreamPool

log = logging.getLogger(__name__)

_EDGE_FIELDS = frozenset({b"forwarded", b"x-forwarded-for"})
"""Besides Via, the fields that show that an edge has forwarded a request; browsers send none of them."""


class ConnectionLogins:
    """The upstream connections reserved for one client connection, at most one of each pool."""

    __slots__ = ("_client", "_reserved")

    def __init__(self, client: ClientConnection) -> None:
        self._client = client
        self._reserved: dict[UpstreamPool, UpstreamConnection] = {}
        client.logins = self

    def take(self, pool: UpstreamPool) -> Lease | None:
        """Lend the client its reserved connection, if there is one; if it has ended, so does the client's, soon."""
        connection = self._reserved.get(pool)
        if connection is None:
            return None
        lease = pool.take_reserved(connection)
        if lease is None:
            self.upstream_ended(connection)
        return lease

    def bind(self, pool: UpstreamPool, connection: UpstreamConnection) -> None:
        """Reserve a lent connection for this client, instead of any other of the pool."""
        if connection.owner is self:
            return
        self.end(pool)
        connection.owner = self
        self._reserved[pool] = connection

    def end(self, pool: UpstreamPool) -> bool:
        """Close the client's reserved connection of a pool; return whether there was one."""
        connection = self._reserved.pop(pool, None)
        if connection is not None:
            connection.abort()
        return connection is not None

    def upstream_ended(self, connection: UpstreamConnection) -> None:
        """Close the client's connection after the current request, because its login has ended with the upstream's."""
        for pool, reserved in tuple(self._reserved.items()):
            if reserved is connection:
                del self._reserved[pool]
                self._client.close_when_idle()

    def client_ended(self) -> None:
        """Close the reserved connections, so that no other client can use the logins on them."""
        for pool in tuple(self._reserved):
            self.end(pool)


def logins_of(connection: ClientConnection) -> ConnectionLogins | None:
    """Return the connections reserved for this client, if any."""
    logins = connection.logins
    return logins if isinstance(logins, ConnectionLogins) else None


def note_edge(connection: ClientConnection, head: RequestHead) -> None:
    """Remember it if an edge has forwarded this request: other clients may share the connection then."""
    if head.via or any(name.lower() in _EDGE_FIELDS for name, _ in head.forwarded):
        connection.carries_many = True


def admit_login(connection: ClientConnection, head: RequestHead, route: RoutePlan) -> None:
    """Close a reserved connection if the client connection may be shared by now; refuse a login on it.

    Raises `Refusal` with 502 for a request with such a login.
    """
    if may_log_in(connection, route):
        return
    logins = logins_of(connection)
    if logins is not None and logins.end(route.pool):
        connection.close_when_idle()  # other clients may have used a connection that was reserved for one
    if head.login is not None:
        raise _refusal(route, head.login)


def may_log_in(connection: ClientConnection, route: RoutePlan) -> bool:
    """Return whether an upstream connection may be reserved for this client connection."""
    mode = route.upstream.connection_login
    if mode != "auto":
        return mode == "bind"
    return not connection.carries_many and not _is_trusted(connection) and bool(connection.peer)


def settle_challenges(
    connection: ClientConnection, upstream: UpstreamConnection, head: ResponseHead, route: RoutePlan
) -> None:
    """Reserve the connection on which a 401 asks for such a login. If that is not allowed, remove these challenges.

    Raises `Refusal` with 502 if no challenge is left then.
    """
    lines = [line for line in head.fields if line.name.lower() == b"www-authenticate"]
    scheme = next((found for line in lines if (found := login_scheme(line.value))), None)
    if scheme is None:
        return
    if may_log_in(connection, route):
        bind(connection, upstream, route)
        return
    kept: list[FieldLine[ResponseField]] = []
    has_challenge = False
    for line in head.fields:
        if line in lines:
            value = without_logins(line.value) if login_scheme(line.value) else line.value
            if not value:
                continue
            has_challenge = True
            line = line.with_value(value)
        kept.append(line)
    if not has_challenge:
        raise _refusal(route, scheme)
    head.fields = kept


def bind(connection: ClientConnection, upstream: UpstreamConnection, route: RoutePlan) -> None:
    """Reserve the upstream connection for the client connection."""
    (logins_of(connection) or ConnectionLogins(connection)).bind(route.pool, upstream)


def _is_trusted(connection: ClientConnection) -> bool:
    """Return whether the peer is a trusted proxy; a peer without an address (a Unix socket) never is."""
    known = connection.forwarding
    return isinstance(known, tuple) and isinstance(known[1], ConnectionForwarding) and known[1].trusted


def _refusal(route: RoutePlan, scheme: bytes) -> Refusal:
    name = scheme.decode("ascii", "replace")
    if route.upstream.connection_login == "refuse":
        why = "'connection_login: refuse' does not pass it on"
    else:
        why = (
            "'connection_login: auto' does not forward it if a connection may carry the requests of several clients "
            "(from a trusted proxy or a Unix socket, or with X-Forwarded-For, Forwarded or Via); behind an edge that "
            "gives each client a connection of its own, set 'connection_login: bind'"
        )
    text = f"the login {name} belongs to the connection, and {why}"
    log.warning("upstream %s: %s", route.upstream.name, text)
    return Refusal(502, text)
