"""The Host values of the inspector: the defence against DNS rebinding.

A site can have its own name resolve to 127.0.0.1, so that its page reads what is there as its own origin. But the
browser then sends that name as Host.
So the inspector answers only to names of its own. Ports are not compared, because ports are often forwarded.
Text in, yes or no out.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

_HOST = re.compile(r"(?:\[([^\]]*)\]|([^:\[\]]*))(?::[0-9]*)?")
"""A name or address, IPv6 in brackets, with or without port; it must match the whole value."""


class HostGuard:
    """Decides whether a Host field names the admin listener itself."""

    def __init__(self, own_host: str, further: Iterable[str] = ()) -> None:
        """`own_host` is the configured host of the listener, `further` the names of `admin_hosts`."""
        self._names = frozenset(name.lower().strip("[]") for name in (own_host, *further) if name) | {"localhost"}

    def allows(self, host: str, local_address: str) -> bool:
        """Return whether a request with this Host, on a connection to this local address, may see the inspector."""
        name = _without_port(host).lower()
        if not name:
            return False
        if name in self._names or name == local_address:
            return True
        try:
            return ipaddress.ip_address(name).is_loopback
        except ValueError:
            return False


def _without_port(host: str) -> str:
    match = _HOST.fullmatch(host)
    return match[1] or match[2] or "" if match is not None else ""
