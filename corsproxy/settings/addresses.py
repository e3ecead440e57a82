"""Addresses to listen on, the listener's TLS files, and networks of trusted proxies."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import Literal

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class TcpAddress:
    """A `HOST:PORT` to listen on; port 0 takes a free one."""

    host: str
    """Without brackets, also for IPv6."""
    port: int

    def __str__(self) -> str:
        return f"{bracketed(self.host)}:{self.port}"


@dataclass(frozen=True, slots=True)
class UnixAddress:
    """A `unix:/path` to listen on."""

    path: str

    def __str__(self) -> str:
        return f"unix:{self.path}"


Address = TcpAddress | UnixAddress


def bracketed(host: str) -> str:
    """Return a host as URLs write it: an IPv6 address in brackets (RFC 3986 section 3.2.2)."""
    return f"[{host}]" if ":" in host else host


def authority(scheme: Literal["http", "https"], host: str, port: int) -> str:
    """Return the host and, unless it is the scheme's default, the port (RFC 9110 section 7.2)."""
    host = bracketed(host)
    return host if port == (443 if scheme == "https" else 80) else f"{host}:{port}"


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """The HTTPS listener's certificate chain and key (PEM files)."""

    certificate: str
    private_key: str
