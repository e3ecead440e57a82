"""Opening a connection to an upstream: name, address, TCP and TLS, with an error kind for each.

Names are resolved at every dial, so that a changed DNS answer is followed as soon as a new connection is needed;
addresses are tried as in RFC 8305 (happy eyeballs).
Knows nothing about requests.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import socket
import ssl
from collections.abc import Callable, Sequence

import aiohappyeyeballs

from corsproxy.proxy.errors import UpstreamError, UpstreamErrorKind
from corsproxy.proxy.upstream.connection import UpstreamConnection
from corsproxy.proxy.upstream.keepalive import keep_alive
from corsproxy.proxy.upstream.tls import described
from corsproxy.settings import Upstream, bracketed

_HAPPY_EYEBALLS_DELAY = 0.25
"""Seconds before the next address is tried too (RFC 8305 section 5 recommends 250 ms)."""


async def dial(
    upstream: Upstream, context: ssl.SSLContext | None, on_closed: Callable[[UpstreamConnection], None]
) -> UpstreamConnection:
    """Open a connection within the upstream's `connect_timeout`; raises `UpstreamError`."""
    try:
        async with asyncio.timeout(upstream.connect_timeout):
            return await _connect(upstream, context, on_closed)
    except TimeoutError:
        raise UpstreamError(UpstreamErrorKind.CONNECT_TIMEOUT) from None
    except ssl.SSLError as error:
        raise UpstreamError(UpstreamErrorKind.TLS, described(error, upstream.name)) from None
    except OSError as error:
        raise UpstreamError(UpstreamErrorKind.CONNECT, _refused(upstream, error)) from None


def _refused(upstream: Upstream, error: OSError) -> str:
    """Return the address and the system's reason; asyncio's own messages contain a Python tuple."""
    why = os.strerror(error.errno) if error.errno else error.strerror or type(error).__name__
    return f"{upstream.unix_path or f'{bracketed(upstream.host)}:{upstream.port}'}: {why}"


async def _connect(
    upstream: Upstream, context: ssl.SSLContext | None, on_closed: Callable[[UpstreamConnection], None]
) -> UpstreamConnection:
    loop = asyncio.get_running_loop()

    def factory() -> UpstreamConnection:
        return UpstreamConnection(loop, on_closed, lenient=upstream.parsing == "lenient")

    name = None if context is None else upstream.tls.server_name or upstream.host
    if upstream.unix_path is not None:
        _, connection = await loop.create_unix_connection(
            factory, upstream.unix_path, ssl=context, server_hostname=name
        )
        return connection
    sock = await aiohappyeyeballs.start_connection(
        await _resolve(loop, upstream.host, upstream.port), loop=loop, happy_eyeballs_delay=_HAPPY_EYEBALLS_DELAY
    )
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        keep_alive(sock)
        _, connection = await loop.create_connection(factory, sock=sock, ssl=context, server_hostname=name)
    except ConnectionError as error:
        sock.close()
        if context is None:
            raise
        # The connection was established, so the failure is in the handshake.
        raise UpstreamError(UpstreamErrorKind.TLS, described(error, upstream.name)) from None
    except BaseException:
        sock.close()
        raise
    return connection


async def _resolve(loop: asyncio.AbstractEventLoop, host: str, port: int) -> Sequence[aiohappyeyeballs.AddrInfoType]:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        pass
    else:
        if address.version == 4:
            return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port))]
        return [(socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port, 0, 0))]
    try:
        return await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    except (OSError, UnicodeError) as error:
        raise UpstreamError(UpstreamErrorKind.DNS, str(error)) from None
