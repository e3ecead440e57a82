"""What a configuration compiles to, and what the data path and the process read.

Frozen values only: no YAML, no sockets, no defaults guessed late.
`corsproxy.config` makes them, `corsproxy.proxy` and `corsproxy.server` read them; neither of the two knows the other.
Durations are seconds, sizes are bytes.
Of the project this package knows `corsproxy.cors` alone.
"""

from corsproxy.settings.addresses import Address, Network, TcpAddress, TlsFiles, UnixAddress
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
]
