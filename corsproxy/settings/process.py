"""The whole configuration, and its settings for the process."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from corsproxy.settings.addresses import Address, Network, TcpAddress, TlsFiles
from corsproxy.settings.route import Route


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits on what clients may send, hold open and delay."""

    max_body: int = 0
    """0 is no limit; more is 413."""
    max_header_bytes: int = 32 * 1024
    """The whole head; more is 431."""
    max_header_lines: int = 128
    """Field lines of a head; more is 431."""
    header_timeout: float = 10.0
    """Longest time until a head is complete; then 408."""
    body_timeout: float = 60.0
    """Longest silence in a request body; then 408."""
    min_rate: int = 100
    """Lowest rate in bytes per second while the client owes content or content waits for it; 0 is no limit."""
    idle_timeout: float = 75.0
    """How long a connection may stay idle between requests."""
    max_connections: int = 10_000
    """Per worker; one more is answered 503 and closed."""


@dataclass(frozen=True, slots=True)
class Shutdown:
    """How long a stop waits."""

    delay: float = 0.0
    """Requests are still accepted while /readyz already answers 503, so that a load balancer can react."""
    drain: float = 20.0
    """Longest time after that for requests in flight."""


@dataclass(frozen=True, slots=True)
class Log:
    """The format and the contents of the log."""

    format: Literal["text", "json"] = "text"
    level: Literal["debug", "info", "warning", "error"] = "info"
    access: bool = True


@dataclass(frozen=True, slots=True)
class Settings:
    """One whole configuration, checked and compiled."""

    routes: tuple[Route, ...]
    listen: Address = field(default=TcpAddress("127.0.0.1", 8080))
    tls: TlsFiles | None = None
    admin: Address | None = None
    admin_hosts: tuple[str, ...] = ()
    """Further names by which the admin listener may be addressed (the inspector's guard)."""
    inspector: bool = False
    workers: int = 1
    trusted_proxies: tuple[Network, ...] = ()
    public_origins: tuple[str, ...] = ()
    """The proxy's own origins as browsers know them; empty if not configured."""
    by_options: bool = False
    """True in quick mode: texts for people then name options instead of keys."""
    limits: Limits = Limits()
    shutdown: Shutdown = Shutdown()
    log: Log = Log()
