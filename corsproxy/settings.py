"""What a configuration compiles to, and what the data path and the process read.

Frozen values only: no YAML, no sockets, no defaults guessed late.
`corsproxy.config` makes them, `corsproxy.proxy` and `corsproxy.server` read them; neither of the two knows the other.
Durations are seconds, sizes are bytes.
Of the project this module knows `corsproxy.cors` alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from typing import Literal

from corsproxy.cors import Policy

Network = IPv4Network | IPv6Network

OnRefused = Literal["forward", "reject"]
WebSockets = Literal["policy", "any", "off"]
Mode = Literal["enforce", "shadow"]
HostMode = Literal["upstream", "client", "literal"]
OriginMode = Literal["forward", "remove", "upstream"]
TlsVersion = Literal["1.0", "1.1", "1.2", "1.3"]
ForwardedMode = Literal["all", "client", "none"]
Parsing = Literal["strict", "lenient"]
ConnectionLogin = Literal["auto", "bind", "refuse"]


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
    """True if `Domain` is taken off where the client's host does not lie within it: a browser drops such a cookie."""


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
    """Only where `host_mode` is `literal`."""
    origin_mode: OriginMode = "forward"
    """What becomes of Origin and Referer on the way to the upstream."""
    forwarded: ForwardedMode | None = None
    """As written; `forwarded_mode` is what holds."""
    rewrite_redirects: bool = True
    aliases: tuple[str, ...] = ()
    """Further origins by which the upstream calls itself, serialised."""
    cookies: CookieRules | None = None
    request_headers: FieldEdits = FieldEdits()
    """Of what is sent to the upstream."""
    response_headers: FieldEdits = FieldEdits()
    """Of what the upstream answered; the proxy's own answers are not edited."""
    tls: UpstreamTls = field(default_factory=UpstreamTls)
    """Only meaningful where `scheme` is `https`."""

    @property
    def forwarded_mode(self) -> ForwardedMode:
        """How much the upstream is told of the request's way.

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
        """The URL's own serialised origin."""
        return f"{self.scheme}://{self.authority}"


@dataclass(frozen=True, slots=True)
class PolicySettings:
    """A compiled CORS policy with what the data path does around its decision."""

    name: str
    cors: Policy
    on_refused: OnRefused = "forward"
    websockets: WebSockets = "policy"
    mode: Mode = "enforce"
    preflight_status: int = 204


@dataclass(frozen=True, slots=True)
class Route:
    """Which requests go to which upstream, under which policy."""

    path: str
    """As written; the label in metrics and logs."""
    segments: tuple[str | None, ...]
    """The path split at `/`; None is a `{name}`, which is any one segment that is not empty.

    `/` is `()`, `/orders/{id}` is `("orders", None)`.
    A trailing slash is dropped for a prefix and is an empty last segment for an exact route.
    """
    upstream: Upstream
    policy: PolicySettings | None = None
    """None strips CORS fields and grants nothing."""
    exact: bool = False
    host: str | None = None
    """Lower case, IPv6 in brackets, without port; `*.` before it is one or more labels; None is any host."""
    host_port: int | None = None
    """Only where the port was written."""
    strip_prefix: str = ""
    """Taken off the path before the upstream's base path is put there: empty, or begins with `/`, no trailing slash."""
    methods: tuple[str, ...] = ()
    """Only these; empty is any. HEAD goes with GET unless another route of the path names it."""
    policies_before: tuple[PolicySettings, ...] = ()
    """Tried before `policy`: of all, the first whose origins pass decides, and `policy` where none does."""

    @property
    def policies(self) -> tuple[PolicySettings, ...]:
        """All policies, in the order in which they are tried."""
        return (*self.policies_before, self.policy) if self.policy is not None else ()


@dataclass(frozen=True, slots=True)
class Limits:
    """What a client may take up before it is turned away."""

    max_body: int = 0
    """0 is no limit; more is 413."""
    max_header_bytes: int = 32 * 1024
    """The whole head; more is 431."""
    max_header_lines: int = 128
    """Field lines of a head; more is 431."""
    header_timeout: float = 10.0
    body_timeout: float = 60.0
    """Longest silence in a request body; then 408."""
    min_rate: int = 100
    """Bytes a second that a client moves while it owes content or content waits for it; 0 is none."""
    idle_timeout: float = 75.0
    max_connections: int = 10_000
    """Per worker; one more is answered 503 and closed."""


@dataclass(frozen=True, slots=True)
class Shutdown:
    """How long a stop waits, and for what."""

    delay: float = 0.0
    drain: float = 20.0


@dataclass(frozen=True, slots=True)
class Log:
    """What is written, and how."""

    format: Literal["text", "json"] = "text"
    level: Literal["debug", "info", "warning", "error"] = "info"
    access: bool = True


@dataclass(frozen=True, slots=True)
class Settings:
    """One whole configuration, checked and compiled."""

    routes: tuple[Route, ...]
    listen: Address = TcpAddress("127.0.0.1", 8080)
    tls: TlsFiles | None = None
    admin: Address | None = None
    admin_hosts: tuple[str, ...] = ()
    """Further names by which the admin listener may be addressed (the inspector's guard)."""
    inspector: bool = False
    workers: int = 1
    trusted_proxies: tuple[Network, ...] = ()
    public_origins: tuple[str, ...] = ()
    """The proxy's own origins as browsers know them; empty where nobody has said."""
    by_options: bool = False
    """True in quick mode: texts for people then name options instead of keys."""
    limits: Limits = Limits()
    shutdown: Shutdown = Shutdown()
    log: Log = Log()
