"""The `upstreams` section of the declaration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from corsproxy.config.addresses import parse_cookie_domain, parse_host_header, parse_server_name
from corsproxy.config.declaration.common import LEAST, TEXT
from corsproxy.config.field_edits import FieldEditValues, field_edits
from corsproxy.config.paths import parse_cookie_path
from corsproxy.config.shape import Items, ListOf, Word, key, record
from corsproxy.config.upstream_urls import UpstreamUrl, parse_upstream_origin, parse_upstream_url
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
        "`Domain` of the upstream's cookies: removed, so that they belong to the proxy's host, or replaced.",
        "keep",
    )
    path: str = key(
        choice_or(("rewrite", "keep"), Word("path", parse_cookie_path, ({"type": "string", "pattern": "^/"},))),
        "`Path`: mapped from the upstream's base path to the path at the proxy, or replaced.",
        "keep",
    )
    same_site: Literal["none", "lax", "strict", "keep"] = key(
        choice("none", "lax", "strict", "keep"),
        "`SameSite`: browsers send cookies from pages of another site only with `none`, which they accept only with "
        "`Secure`.",
        "keep",
    )
    secure: Literal["add", "remove", "keep"] = key(
        choice("add", "remove", "keep"), "`Secure`: browsers store and send the cookie over HTTPS only.", "keep"
    )
    partitioned: bool | None = key(
        BOOLEAN,
        "`Partitioned`: a separate jar for each top-level site, for browsers that block third-party cookies; true "
        "adds it, false removes it.",
    )


_COOKIES = record("cookies", CookieValues)


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsValues:
    """The `tls` of an upstream, as read."""

    verify: bool = key(
        BOOLEAN, "Whether the upstream's certificate is verified; false lets anyone impersonate the upstream.", "true"
    )
    ca: str | None = key(text("file"), "A PEM file of the authorities to trust instead of the system's.")
    certificate: str | None = key(text("file"), "A client certificate to present to the upstream, a PEM file.")
    private_key: str | None = key(text("file"), "The client certificate's private key, a PEM file.")
    server_name: str | None = key(
        Word("name", parse_server_name, (TEXT,)), "The name to request (SNI) and verify, if it is not the URL's host."
    )
    min_version: TlsVersion | None = key(
        choice("1.0", "1.1", "1.2", "1.3"),
        "The oldest TLS version to accept; below 1.2 it includes the ciphers and the security level that it needs.",
        default_said="`1.2`; with `legacy: true`, `1.0`",
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
        "`min_version` and `ciphers` take precedence if set.",
        "false",
    )


_UPSTREAM_TLS = record("tls", TlsValues)


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamValues:
    """An upstream, as read."""

    url: UpstreamUrl | None = key(
        _URL,
        "The server's address: `http://` or `https://`, or `unix:/path` of a socket. A base path is prepended to the "
        "request's path (`unix:/path:/base` too), a base query to its query.",
        required=True,
    )
    connect_timeout: float = key(duration(LEAST), "Longest time to connect; then 504.", "5s")
    response_timeout: float = key(duration(LEAST), "Longest time until the response's headers; then 504.", "60s")
    read_timeout: float = key(duration(), "Longest silence inside a body, either way; 0 is no limit.", "300s")
    max_connections: int = key(
        integer(1, 1_000_000),
        "Connections to this upstream, per worker; further requests wait at most `connect_timeout`, then 503. "
        "WebSockets are counted separately.",
        "256",
    )
    keepalive_timeout: float = key(
        duration(),
        "How long an idle connection may be reused; keep it below the upstream's own timeout. 0 disables reuse.",
        "4s",
    )
    max_connection_age: float = key(
        duration(),
        "Age after which a connection is not reused, so that a changed DNS record takes effect; 0 is no limit.",
        "10m",
    )
    max_tunnels: int = key(integer(1, 1_000_000), "WebSockets to this upstream, per worker; more is 503.", "1024")
    tunnel_timeout: float = key(duration(), "Longest silence in a WebSocket, both ways; 0 is no limit.", "1h")
    connection_login: ConnectionLogin = key(
        choice("auto", "bind", "refuse"),
        "NTLM and Negotiate, which authenticate a connection: `auto` reserves it for one client, and refuses the "
        "login if the request may have come through an edge; `bind` is for an edge that opens one connection for each"
        " client; `refuse` never allows it.",
        "auto",
    )
    parsing: Parsing = key(
        choice("strict", "lenient"),
        "`lenient` accepts invalid HTTP that browsers accept from old servers; the connection is then closed, with a "
        "warning.",
        "strict",
    )
    host: str = key(
        choice_or(("upstream", "client"), _HOST_HEADER),
        "The `Host` sent: the URL's own, the one the client sent, or this text. `X-Forwarded-Host` has the original.",
        "upstream",
    )
    origin: OriginMode = key(
        choice("forward", "remove", "upstream"),
        "The `Origin` and `Referer` sent: unchanged, none, or the URL's own origin, for servers that refuse foreign "
        "origins. Anything but `forward` disables the upstream's own CSRF check.",
        "forward",
    )
    forwarded: ForwardedMode | None = key(
        choice("all", "client", "none"),
        "The forwarding fields sent: `X-Forwarded-For`, `-Proto`, `-Host`, `-Port`, `Forwarded`, and "
        "`X-Forwarded-Prefix` if a prefix is stripped; only `X-Forwarded-For`; or none.",
        default_said="`all`; with `origin: upstream`, `client`",
    )
    aliases: Items[str] = key(ListOf(_ALIAS), "Further origins of the upstream itself, for `redirects`.", "[]")
    redirects: Literal["rewrite", "keep"] = key(
        choice("rewrite", "keep", meanings=_OFF_IS_KEEP),
        "Whether `Location`, `Content-Location`, `Refresh` and `Link` to the upstream's own origin or an alias are "
        "rewritten to the proxy's, so that the browser stays with it, and `Destination` and `If` in reverse.",
        "rewrite",
    )
    request_headers: FieldEditValues | None = key(
        field_edits("request_headers"),
        "Fields to set and to remove in requests to the upstream, after all other changes.",
    )
    response_headers: FieldEditValues | None = key(
        field_edits("response_headers"),
        "The same for the upstream's responses, 304 and interim responses included; the proxy's own responses are not"
        " changed.",
    )
    cookies: CookieValues | None = key(
        _COOKIES, "Edits of `Set-Cookie` attributes; attributes not named here are untouched."
    )
    tls: TlsValues | None = key(
        _UPSTREAM_TLS, "How an `https` upstream is verified, and the client certificate to present."
    )


UPSTREAM: Final = record("upstream", UpstreamValues, short=_URL, short_for="url")
