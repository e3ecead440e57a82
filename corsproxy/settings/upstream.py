"""A server that requests are forwarded to, and what is done to what goes there and comes from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

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
    """How an `https` upstream is verified, and who we are to it."""

    verify: bool = True
    ca: str | None = None
    certificate: str | None = None
    private_key: str | None = None
    server_name: str | None = None
    min_version: TlsVersion | None = None
    """As written; `least_version` is what holds."""
    ciphers: str | None = None
    """As written; `cipher_list` is what holds."""
    legacy: bool = False

    @property
    def least_version(self) -> TlsVersion:
        """The oldest version of TLS that is spoken."""
        return self.min_version or ("1.0" if self.legacy else "1.2")

    @property
    def cipher_list(self) -> str | None:
        """The suites up to TLS 1.2, in OpenSSL's spelling; None is Python's own choice.

        Python's choice has no suite that TLS 1.0 and 1.1 know, and OpenSSL 3 signs for them, with SHA-1, at security
        level 0 alone.
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
    """`remove`, or a domain to put there."""
    path: str | None = None
    """`rewrite` maps the upstream's base path to the proxy's; anything else begins with `/` and replaces it."""
    same_site: Literal["none", "lax", "strict"] | None = None
    secure: Literal["add", "remove"] | None = None
    partitioned: bool | None = None
    removes_foreign_domain: bool = False
    """True if `Domain` is taken off if the client's host does not lie within it: a browser drops such a cookie."""


@dataclass(frozen=True, slots=True)
class FieldEdits:
    """Fields to write and to leave out of a message, after everything else that is done to it."""

    set: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """Name and value; a value may be a credential and is shown nowhere."""
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
    """Put before the request's path: empty, or begins with `/` and does not end with one."""
    base_query: str = ""
    """Put before the request's query, without the `?`."""
    connect_timeout: float = 5.0
    response_timeout: float = 60.0
    """Until the head of the final response."""
    read_timeout: float = 300.0
    """Longest silence inside a body; 0 is none."""
    max_connections: int = 256
    """Per worker; a request waits at most `connect_timeout` for one."""
    keepalive_timeout: float = 4.0
    """How long an idle connection is reused; 0 is never."""
    max_connection_age: float = 600.0
    """Then a connection is not reused; 0 is no limit."""
    max_tunnels: int = 1024
    """Per worker; they do not count towards `max_connections`."""
    tunnel_timeout: float = 3600.0
    """Longest silence in a tunnel, both ways; 0 is none."""
    parsing: Parsing = "strict"
    """True if what only browsers take is taken from the upstream."""
    connection_login: ConnectionLogin = "auto"
    """What becomes of logins that belong to the connection (NTLM, Negotiate)."""
    host_mode: HostMode = "upstream"
    host_literal: str = ""
    """Only if `host_mode` is `literal`."""
    origin_mode: OriginMode = "forward"
    """What becomes of Origin and Referer on the way to the upstream."""
    forwarded: ForwardedMode | None = None
    """As written; `forwarded_mode` is what holds."""
    rewrite_redirects: bool = True
    aliases: tuple[str, ...] = ()
    """Further origins by which the upstream calls itself, serialized."""
    cookies: CookieRules | None = None
    request_headers: FieldEdits = FieldEdits()
    """Of what is sent to the upstream."""
    response_headers: FieldEdits = FieldEdits()
    """Of what the upstream answered; the proxy's own answers are not edited."""
    tls: UpstreamTls = field(default_factory=UpstreamTls)
    """Only meaningful if `scheme` is `https`."""

    @property
    def forwarded_mode(self) -> ForwardedMode:
        """How much the upstream learns about the request's way.

        A CSRF check that reads X-Forwarded-Host would compare it with an Origin that is now the upstream's own.
        """
        return self.forwarded or ("client" if self.origin_mode == "upstream" else "all")

    @property
    def authority(self) -> str:
        """The URL's host and, unless it is the scheme's default, port (RFC 9110 section 7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        default = 443 if self.scheme == "https" else 80
        return host if self.port == default else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """The URL's own serialized origin."""
        return f"{self.scheme}://{self.authority}"
