"""The only parser of `host` and `host:port`, as in a Host field, an absolute-form target and an origin.

The bytes come from strangers; only what every server reads the same way is valid.
Knows nothing about fields or policies.
"""

from __future__ import annotations

import re
from typing import Final

from corsproxy.proxy.table import NameTable

_PORT = rb"(?:0[0-9]{0,4}|[1-5]?[0-9]{1,4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
"""At most 65535 in at most five digits: some servers truncate a larger number to 16 bits, which is another port."""

_MOST_PORT_DIGITS: Final = 5

_HOST = re.compile(rb"(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::" + _PORT + rb")?")
"""RFC 9110 section 7.2 and RFC 3986 section 3.2.2, without the sub-delims and escapes that no real host name has:
servers have read a comma or `@` here as another host."""

_PORT_ALONE = re.compile(_PORT)


def is_valid_host(value: bytes) -> bool:
    """Return whether `value` is `host` or `host:port` (RFC 9110 section 7.2), IPv6 in brackets."""
    return _HOSTS[value]


def _is_host(value: bytes) -> bool:
    return _HOST.fullmatch(value) is not None


_HOSTS: Final = NameTable(_is_host)
"""The cached results of `_is_host`; clients send the same few values."""


def is_port(digits: bytes) -> bool:
    """Return whether `digits` are a port."""
    return _PORT_ALONE.fullmatch(digits) is not None


def port_of(host: bytes) -> bytes:
    """Return the port of a valid host as written; empty if it names none."""
    return host.rpartition(b":")[2] if host[-1:] != b"]" and b":" in host else b""


def split_host(value: bytes) -> tuple[bytes, int | None]:
    """Return the lower-case name and the port of a host; None without a port. An invalid host is all name."""
    name, _, port = value.rpartition(b":")
    if port.isdigit() and len(port) <= _MOST_PORT_DIGITS:
        return name.lower(), int(port)
    return value.lower(), None


def is_address(host: bytes) -> bool:
    """Return whether a host is an IP address rather than a name."""
    return host.startswith(b"[") or host.replace(b".", b"").isdigit()


def is_within(host: bytes, domain: bytes) -> bool:
    """Return whether a lower-case host domain-matches a cookie's Domain (RFC 6265 section 5.1.3)."""
    return host == domain or (not is_address(host) and host.endswith(b"." + domain))


def is_same_host(one: bytes, other: bytes, default_port: int) -> bool:
    """Return whether two valid hosts are the same; a missing port is `default_port`."""
    named = [(name, default_port if port is None else port) for name, port in map(split_host, (one, other))]
    return named[0] == named[1]
