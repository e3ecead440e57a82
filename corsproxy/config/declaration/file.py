"""The top level of the declaration: the sections of the file, and the keys of the process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from corsproxy.config.addresses import (
    parse_admin_host,
    parse_listen,
    parse_network,
    parse_public_origin,
)
from corsproxy.config.declaration.common import LEAST, TEXT
from corsproxy.config.declaration.policy import POLICY, PolicyValues
from corsproxy.config.declaration.route import ROUTE, RouteValues
from corsproxy.config.declaration.upstream import UPSTREAM, UpstreamValues
from corsproxy.config.shape import Bad, Items, ListOf, MapOf, Word, key, record
from corsproxy.config.words import BOOLEAN, choice, duration, integer, size, text
from corsproxy.settings import (
    Address,
    Network,
)

_LISTEN = Word(
    "HOST:PORT, [V6]:PORT, PORT or unix:/path",
    parse_listen,
    (
        {"type": "string", "pattern": "^(unix:/.+|.+:[0-9]+|[0-9]{1,5})$"},
        {"type": "integer", "minimum": 0, "maximum": 65535},
    ),
)
_NETWORK = Word("address or network", parse_network, ({"type": "string", "pattern": r"^[0-9A-Fa-f.:]+(/[0-9]+)?$"},))


_LOG_LEVELS: Final[dict[str, Literal["debug", "info", "warning", "error"]]] = {
    "warn": "warning",
    "fatal": "error",
    "critical": "error",
    "trace": "debug",
    "verbose": "debug",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerTls:
    """The `tls` of the listener, as read."""

    certificate: str | None = key(text("file"), "The certificate with its chain, a PEM file.", required=True)
    private_key: str | None = key(text("file"), "The certificate's private key, a PEM file.", required=True)


_LISTENER_TLS = record("tls", ListenerTls)


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitValues:
    """The `limits`, as read."""

    max_body: int = key(size(), "Largest request body; 0 is no limit, more is 413.", "0")
    max_header_bytes: int = key(size(256, 16 * 1024**2), "Largest request head, all of it; more is 431.", "32KiB")
    max_header_lines: int = key(integer(1, 100_000), "Most header lines of a request; more is 431.", "128")
    header_timeout: float = key(duration(LEAST), "Longest time until a request's head is complete.", "10s")
    body_timeout: float = key(duration(LEAST), "Longest silence in a request body; then 408.", "60s")
    min_rate: int = key(
        size(),
        "Lowest rate in bytes per second, over any `body_timeout` (at least 10s), while the client owes content or "
        "content waits for it; a slower client is disconnected. 0 is no limit.",
        "100",
    )
    idle_timeout: float = key(duration(LEAST), "How long a client's connection may stay idle between requests.", "75s")
    max_connections: int = key(
        integer(1, 10_000_000), "Client connections, per worker; a further one is answered 503 and closed.", "10000"
    )


_LIMITS = record("limits", LimitValues)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShutdownValues:
    """The `shutdown`, as read."""

    delay: float = key(
        duration(), "How long to continue after a stop is requested, while `/readyz` already returns 503.", "0s"
    )
    drain: float = key(duration(), "How long requests in flight may take after that.", "20s")


_SHUTDOWN = record("shutdown", ShutdownValues)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogValues:
    """The `log`, as read."""

    format: Literal["text", "json"] = key(choice("text", "json"), "How lines are written.", "text")
    level: Literal["debug", "info", "warning", "error"] = key(
        choice("debug", "info", "warning", "error", meanings=_LOG_LEVELS),
        "The lowest severity of diagnostics to write.",
        "info",
    )
    access: bool = key(BOOLEAN, "Whether every request is logged to standard output.", "true")


_LOG = record("log", LogValues)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileValues:
    """The whole file, as read."""

    listen: Address = key(
        _LISTEN, "Where the proxy listens; a bare PORT is on loopback, port 0 picks a free one.", "127.0.0.1:8080"
    )
    tls: ListenerTls | None = key(_LISTENER_TLS, "Makes the listener HTTPS.")
    admin: Address | None = key(_LISTEN, "A separate listener for health, metrics and, if enabled, the inspector.")
    admin_hosts: Items[str] = key(
        ListOf(Word("host", parse_admin_host, (TEXT,))),
        "Further host names for the inspector; others get 403, as a defence against DNS rebinding.",
        "[]",
    )
    inspector: bool = key(BOOLEAN, "Whether the admin listener shows requests live on a page.", "false")
    workers: int = key(integer(1, 1024), "Processes that share the listener.", "1")
    trusted_proxies: Items[Network] = key(
        ListOf(_NETWORK), "Peers whose `Forwarded` and `X-Forwarded-*` are believed.", "[]"
    )
    public_origins: Items[str] = key(
        ListOf(Word("origin", parse_public_origin, (TEXT,))),
        "The proxy's own origins as browsers know them: their pages pass `on_refused: reject` and open WebSockets, "
        "and redirects lead to them. If unset, no page counts as the proxy's own, whatever its `Host`.",
        "[]",
    )
    upstreams: Mapping[str, UpstreamValues | Bad] | None = key(
        MapOf("upstream", UPSTREAM, min_items=1, sample="{api: http://localhost:8000}"),
        "The servers, by name; a URL alone is enough.",
        required=True,
    )
    policies: Mapping[str, PolicyValues | Bad] = key(
        MapOf("policy", POLICY, sample="{app: {allow_origins: [https://app.example.com]}}"),
        "The CORS policies, by name.",
        "{}",
    )
    routes: Items[RouteValues] | None = key(
        ListOf(ROUTE, min_items=1, sample="[{path: /, upstream: api}]"),
        "Which requests go to which upstream, under which policy.",
        required=True,
    )
    limits: LimitValues = key(_LIMITS, "Limits on what one client may use.", "{}")
    shutdown: ShutdownValues = key(_SHUTDOWN, "How long a stop waits.", "{}")
    log: LogValues = key(_LOG, "What is logged, and how.", "{}")


FILE: Final = record("configuration", FileValues)
