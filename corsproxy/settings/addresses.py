"""Where the proxy listens, and from whom it believes what."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class TcpAddress:
    """A `HOST:PORT` to listen on; port 0 takes a free one."""

    host: str
    """Without brackets, also for IPv6."""
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class UnixAddress:
    """A `unix:/path` to listen on."""

    path: str

    def __str__(self) -> str:
        return f"unix:{self.path}"


Address = TcpAddress | UnixAddress


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """The HTTPS listener's certificate chain and key (PEM files)."""

    certificate: str
    private_key: str
