"""`healthcheck`: asks `/healthz`, for the HEALTHCHECK of a container whose image has no curl.

Finds the admin listener from the same options, environment and file as `serve`.
Knows nothing about the running process.
"""

from __future__ import annotations

import http.client
import socket
import sys
from collections.abc import Mapping

from corsproxy.config import Options, find_admin
from corsproxy.errors import UsageError
from corsproxy.escape import printable
from corsproxy.health import LOOPBACK_OF, TIMEOUT
from corsproxy.settings import Address, TcpAddress, UnixAddress


def healthcheck(options: Options, environ: Mapping[str, str]) -> int:
    """Return 0 if the proxy is healthy; print a line to stderr and return 1 if it is not, or cannot be reached.

    Raises `UsageError` or `ConfigError` if there is no admin listener to ask.
    """
    address = find_admin(options, environ)
    if address is None:
        raise UsageError("no admin listener to ask: set admin: 127.0.0.1:8081 in the file, or --admin")
    if isinstance(address, TcpAddress) and not address.port:
        raise UsageError(f"the admin listener is on a free port ({address}) that only the running process knows")
    try:
        status = _ask(address)
    except (OSError, http.client.HTTPException) as error:
        detail = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
        print(f"unhealthy: {address}: {printable(detail.strip())}", file=sys.stderr)
        return 1
    if status != http.client.OK:
        print(f"unhealthy: {address}: /healthz answers {status}", file=sys.stderr)
        return 1
    return 0


def _ask(address: Address) -> int:
    connection: http.client.HTTPConnection
    if isinstance(address, UnixAddress):
        connection = http.client.HTTPConnection("localhost", timeout=TIMEOUT)
        connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.sock.settimeout(TIMEOUT)
    else:
        connection = http.client.HTTPConnection(
            LOOPBACK_OF.get(address.host, address.host), address.port, timeout=TIMEOUT
        )
    try:
        if isinstance(address, UnixAddress):
            connection.sock.connect(address.path)
        connection.request("GET", "/healthz")
        return connection.getresponse().status
    finally:
        connection.close()
