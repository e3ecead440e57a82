"""An upstream: where requests are forwarded, and how messages to it and from it are changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from corsproxy.settings.addresses import authority

HostMode = Literal["upstream", "client", "literal"]
OriginMode = Literal["forward", "remove", "upstream"]
TlsVersion = Literal["1.0", "1.1", "1.2", "1.3"]
ForwardedMode = Literal["all", "client", "none"]
Parsing = Literal["strict", "lenient"]
ConnectionLogin = Literal["auto", "bind", "refuse"]

LEGACY_CIPHERS = "ALL:!aNULL:!eNULL:@SECLEVEL=0"
"""Every suite that authenticates and encrypts, with keys and digests of any strength."""


@dataclass(frozen=True, slots=True)
class UpstreamTls:
    """How an `https` upstream is verified, and the client certificate we present."""

    verify: bool = True
    ca: str | None = None
    certificate: str | None = None
    private_key: str | None = None
    server_name: str | None = None
    min_version: TlsVersion | None = None
    """As written; `least_version` is in force."""
    ciphers: str | None = None
    """As written; `cipher_list` is in force."""
    legacy: bool = False

    @property
    def least_version(self) -> TlsVersion:
        """The oldest version of TLS to accept."""
        return self.min_version or ("1.0" if self.legacy else "1.2")

    @property
    def cipher_list(self) -> str | None:
        """The suites up to TLS 1.2, in OpenSSL's spelling; None is Python's own choice.

        Python's choice has no suite of TLS 1.0 and 1.1, and OpenSSL 3 allows their SHA-1 signatures only at security
        level 0.
        """
        is_old = self.least_version in ("1.0", "1.1")
        ciphers = self.ciphers or (LEGACY_CIPHERS if self.legacy else "DEFAULT" if is_old else None)
        if ciphers and is_old and "@SECLEVEL" not in ciphers:
            ciphers += ":@SECLEVEL=0"
        return ciphers


@dataclass(frozen=True, slots=True)
class CookieRules:
    """Edits of `Set-Cookie` attributes; None leaves the attribute alone (RFC 6265 section 4.1)."""

    domain: str | None = None
    """`remove`, or the domain that replaces it."""
    path: str | None = None
    """`rewrite` maps the upstream's base path to the proxy's; anything else begins with `/` and replaces it."""
    same_site: Literal["none", "lax", "strict"] | None = None
    secure: Literal["add", "remove"] | None = None
    partitioned: bool | None = None
    removes_foreign_domain: bool = False
    """True if a `Domain` that does not contain the proxy's host is removed: a browser would drop such a cookie."""


@dataclass(frozen=True, slots=True)
class FieldEdits:
    """Fields to set in a message and to remove from it, after all other changes."""

    set: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """Names and values; a value may be a credential, so it is never shown."""
    remove: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Return whether nothing is edited."""
        return not self.set and not self.remove


@dataclass(frozen=True, slots=True)
class Upstream:
    """One configured server that requests are forwarded to."""

    name: str
    scheme: Literal["http", "https"]
    host: str
    """Without brackets; `localhost` for a Unix socket."""
    port: int
    unix_path: str | None = None
    base_path: str = ""
    """Prepended to the request's path: empty, or begins with `/` and does not end with one."""
    base_query: str = ""
    """Prepended to the request's query; without the `?`."""
    connect_timeout: float = 5.0
    response_timeout: float = 60.0
    """Until the head of the final response."""
    read_timeout: float = 300.0
    """Longest silence inside a body; 0 is no limit."""
    max_connections: int = 256
    """Per worker; a request waits at most `connect_timeout` for one."""
    keepalive_timeout: float = 4.0
    """How long an idle connection may be reused; 0 disables reuse."""
    max_connection_age: float = 600.0
    """Age after which a connection is not reused; 0 is no limit."""
    max_tunnels: int = 1024
    """Per worker; they do not count towards `max_connections`."""
    tunnel_timeout: float = 3600.0
    """Longest silence in a tunnel, both ways; 0 is no limit."""
    parsing: Parsing = "strict"
    """`strict` makes invalid HTTP that browsers accept from old servers an error, `lenient` a warning."""
    connection_login: ConnectionLogin = "auto"
    """How logins that authenticate a whole connection (NTLM, Negotiate) are handled."""
    host_mode: HostMode = "upstream"
    host_literal: str = ""
    """Only if `host_mode` is `literal`."""
    origin_mode: OriginMode = "forward"
    """Which Origin and Referer the upstream gets."""
    forwarded: ForwardedMode | None = None
    """As written; `forwarded_mode` is in force."""
    rewrite_redirects: bool = True
    aliases: tuple[str, ...] = ()
    """Further origins of the upstream itself, serialized."""
    cookies: CookieRules | None = None
    request_headers: FieldEdits = FieldEdits()
    """Edits of requests to the upstream."""
    response_headers: FieldEdits = FieldEdits()
    """Edits of its responses; the proxy's own responses are not edited."""
    tls: UpstreamTls = field(default_factory=UpstreamTls)
    """Only meaningful if `scheme` is `https`."""

    @property
    def forwarded_mode(self) -> ForwardedMode:
        """Which forwarding fields the upstream gets.

        Unless configured, the origin mode `upstream` leaves out X-Forwarded-Host: a CSRF check would compare it with an
        Origin that is now the upstream's own.
        """
        return self.forwarded or ("client" if self.origin_mode == "upstream" else "all")

    @property
    def authority(self) -> str:
        """The URL's host and, unless it is the scheme's default, port."""
        return authority(self.scheme, self.host, self.port)

    @property
    def origin(self) -> str:
        """The URL's own serialized origin."""
        return f"{self.scheme}://{self.authority}"
