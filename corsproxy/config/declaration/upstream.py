"""The `upstreams` section of the declaration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from corsproxy.config.addresses import (
    UpstreamUrl,
    parse_cookie_domain,
    parse_host_header,
    parse_upstream_origin,
    parse_upstream_url,
)
from corsproxy.config.declaration.common import LEAST, TEXT
from corsproxy.config.field_edits import FieldEditValues, field_edits
from corsproxy.config.paths import parse_cookie_path
from corsproxy.config.shape import Items, ListOf, Word, key, record
from corsproxy.config.words import BOOLEAN, choice, choice_or, duration, integer, text
from corsproxy.settings import (
    ConnectionLogin,
    ForwardedMode,
    OriginMode,
    Parsing,
    TlsVersion,
)

_URL = Word("URL", parse_upstream_url, ({"type": "string", "pattern": "^(https?://[^@#]+|unix:/[^#]+)$"},))
_HOST_HEADER = Word("HOST[:PORT]", parse_host_header, ({"type": "string", "pattern": "^[^/]+$"},))
_ALIAS = Word("origin", parse_upstream_origin, ({"type": "string", "pattern": "^https?://[^/?@#]+$"},))
_OFF_IS_KEEP: Final[dict[str, Literal["rewrite", "keep"]]] = {
    "off": "keep",
    "no": "keep",
    "false": "keep",
    "none": "keep",
    "on": "rewrite",
    "true": "rewrite",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CookieValues:
    """The `cookies` of an upstream, as read."""

    domain: str = key(
        choice_or(("remove", "keep"), Word("domain", parse_cookie_domain, (TEXT,))),
        "`Domain` of the upstream's cookies: taken off, so that they belong to the proxy's host, or replaced.",
        "keep",
    )
    path: str = key(
        choice_or(("rewrite", "keep"), Word("path", parse_cookie_path, ({"type": "string", "pattern": "^/"},))),
        "`Path`: mapped from the upstream's base path to the path at the proxy, or replaced.",
        "keep",
    )
    same_site: Literal["none", "lax", "strict", "keep"] = key(
        choice("none", "lax", "strict", "keep"),
        "`SameSite`: cookies go along from pages of another site only with `none`, "
        "which browsers take only with `Secure`.",
        "keep",
    )
    secure: Literal["add", "remove", "keep"] = key(
        choice("add", "remove", "keep"), "`Secure`: the cookie is kept and sent over HTTPS only.", "keep"
    )
    partitioned: bool | None = key(
        BOOLEAN,
        "`Partitioned`: a jar for each top-level site, where third-party cookies are blocked; "
        "true adds it, false removes it.",
    )


_COOKIES = record("cookies", CookieValues)


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsValues:
    """The `tls` of an upstream, as read."""

    verify: bool = key(
        BOOLEAN, "Whether the upstream's certificate is checked; false lets anyone play the upstream.", "true"
    )
    ca: str | None = key(text("file"), "A PEM file of the authorities to trust instead of the system's.")
    certificate: str | None = key(text("file"), "A client certificate to show to the upstream, a PEM file.")
    private_key: str | None = key(text("file"), "The client certificate's private key, a PEM file.")
    server_name: str | None = key(
        text("name"), "The name asked for (SNI) and verified, where it is not the URL's host."
    )
    min_version: TlsVersion | None = key(
        choice("1.0", "1.1", "1.2", "1.3"),
        "The oldest version of TLS that is spoken; below 1.2 with the ciphers and security level that it needs.",
        default_said="`1.2`; with `legacy: true` `1.0`",
    )
    ciphers: str | None = key(
        text("ciphers"),
        "The cipher suites up to TLS 1.2, as OpenSSL spells them (`DEFAULT`, `DEFAULT@SECLEVEL=0`). "
        "Lists that lead to anonymous or null suites are refused while `verify` is true.",
        default_said="Python's own",
    )
    legacy: bool = key(
        BOOLEAN,
        "TLS 1.0, every cipher that authenticates and encrypts, keys of any length, and old renegotiation; "
        "`min_version` and `ciphers` win where they are named.",
        "false",
    )


_UPSTREAM_TLS = record("tls", TlsValues)


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamValues:
    """An upstream, as read."""

    url: UpstreamUrl | None = key(
        _URL,
        "Where the server is: `http://` or `https://`, or `unix:/path` of a socket. "
        "A base path is put before the request's path (`unix:/path:/base` too), a base query before its query.",
        required=True,
    )
    connect_timeout: float = key(duration(LEAST), "Longest time until a connection stands; then 504.", "5s")
    response_timeout: float = key(duration(LEAST), "Longest time until the response's headers; then 504.", "60s")
    read_timeout: float = key(duration(), "Longest silence inside a body, either way; 0 is none.", "300s")
    max_connections: int = key(
        integer(1, 1_000_000),
        "Connections to this upstream, per worker; further requests wait at most `connect_timeout`, then 503. "
        "WebSockets are counted apart.",
        "256",
    )
    keepalive_timeout: float = key(
        duration(), "How long an idle connection may be used again; keep it below the upstream's own. 0 is never.", "4s"
    )
    max_connection_age: float = key(
        duration(),
        "Then a connection is not used again, so that a name that has moved is followed; 0 is no limit.",
        "10m",
    )
    max_tunnels: int = key(integer(1, 1_000_000), "WebSockets to this upstream, per worker; more is 503.", "1024")
    tunnel_timeout: float = key(duration(), "Longest silence in a WebSocket, both ways; 0 is none.", "1h")
    connection_login: ConnectionLogin = key(
        choice("auto", "bind", "refuse"),
        "NTLM and Negotiate, which log in a connection: `auto` keeps it for the one client, and refuses where an "
        "edge may have passed the request on; `bind` is for an edge that gives each client a connection of its "
        "own.",
        "auto",
    )
    parsing: Parsing = key(
        choice("strict", "lenient"),
        "`lenient` takes what browsers take from old servers though it is no valid HTTP, and closes the connection "
        "behind it, with a warning.",
        "strict",
    )
    host: str = key(
        choice_or(("upstream", "client"), _HOST_HEADER),
        "The `Host` sent: the URL's own, the one the client sent, or this text. `X-Forwarded-Host` tells the original.",
        "upstream",
    )
    origin: OriginMode = key(
        choice("forward", "remove", "upstream"),
        "The `Origin` and `Referer` sent: as they came, none, or the URL's own origin, "
        "for servers that refuse foreign origins. Anything but `forward` takes away the upstream's own CSRF check.",
        "forward",
    )
    forwarded: ForwardedMode | None = key(
        choice("all", "client", "none"),
        "What the upstream is told of the request's way: `X-Forwarded-For`, `-Proto`, `-Host`, `-Port`, "
        "`Forwarded` of a trusted proxy, and `X-Forwarded-Prefix` where a prefix is stripped; "
        "`X-Forwarded-For` alone; or nothing.",
        default_said="`all`; with `origin: upstream` `client`",
    )
    aliases: Items[str] = key(
        ListOf(_ALIAS), "Further origins by which the upstream calls itself, in `redirects`.", "[]"
    )
    redirects: Literal["rewrite", "keep"] = key(
        choice("rewrite", "keep", meanings=_OFF_IS_KEEP),
        "Whether `Location`, `Content-Location`, `Refresh` and `Link` at the upstream's own origin or an alias "
        "become the proxy's, so that the browser stays with it; and `Destination` and `If` the other way.",
        "rewrite",
    )
    request_headers: FieldEditValues | None = key(
        field_edits("request_headers"), "Fields to set and to remove on the way to the upstream, after everything else."
    )
    response_headers: FieldEditValues | None = key(
        field_edits("response_headers"),
        "The same for what the upstream answers, 304 and interim responses included; "
        "the proxy's own answers stay as they are.",
    )
    cookies: CookieValues | None = key(
        _COOKIES, "Edits of `Set-Cookie` attributes; what is not named here is untouched."
    )
    tls: TlsValues | None = key(_UPSTREAM_TLS, "How an `https` upstream is verified, and who we are to it.")


UPSTREAM: Final = record("upstream", UpstreamValues, short=_URL, short_for="url")
