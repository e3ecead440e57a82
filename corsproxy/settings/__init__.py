"""A compiled configuration: frozen values that `corsproxy.config` makes and the data path and the server read.

The data path knows these values and not where they came from: no YAML, no files, no key paths.
Durations are seconds, sizes are bytes.
Of the project this package imports only `corsproxy.cors`.
"""

from corsproxy.settings.addresses import Address, Network, TcpAddress, TlsFiles, UnixAddress, authority, bracketed
from corsproxy.settings.process import Limits, Log, Settings, Shutdown
from corsproxy.settings.route import Mode, OnRefused, PolicySettings, Route, WebSockets
from corsproxy.settings.upstream import (
    LEGACY_CIPHERS,
    ConnectionLogin,
    CookieRules,
    FieldEdits,
    ForwardedMode,
    HostMode,
    OriginMode,
    Parsing,
    TlsVersion,
    Upstream,
    UpstreamTls,
)

__all__ = [
    "LEGACY_CIPHERS",
    "Address",
    "ConnectionLogin",
    "CookieRules",
    "FieldEdits",
    "ForwardedMode",
    "HostMode",
    "Limits",
    "Log",
    "Mode",
    "Network",
    "OnRefused",
    "OriginMode",
    "Parsing",
    "PolicySettings",
    "Route",
    "Settings",
    "Shutdown",
    "TcpAddress",
    "TlsFiles",
    "TlsVersion",
    "UnixAddress",
    "Upstream",
    "UpstreamTls",
    "WebSockets",
    "authority",
    "bracketed",
]
