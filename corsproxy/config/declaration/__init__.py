"""The declaration of the file: every key with its shape, its default and its purpose.

It is the single source of the validation, of the values' types, of the JSON Schema and of the reference in
docs/configuration.md (a test compares them).
"""

from corsproxy.config.declaration.common import TEXT
from corsproxy.config.declaration.file import FILE, FileValues, LimitValues, ListenerTls
from corsproxy.config.declaration.policy import POLICY, OriginItem, PolicyValues
from corsproxy.config.declaration.route import ROUTE, RouteValues
from corsproxy.config.declaration.upstream import UPSTREAM, CookieValues, TlsValues, UpstreamValues

__all__ = [
    "FILE",
    "POLICY",
    "ROUTE",
    "TEXT",
    "UPSTREAM",
    "CookieValues",
    "FileValues",
    "LimitValues",
    "ListenerTls",
    "OriginItem",
    "PolicyValues",
    "RouteValues",
    "TlsValues",
    "UpstreamValues",
]
