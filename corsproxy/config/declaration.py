"""The declaration of the file: every key with its shape, its default and what it is for.

The one source of the validation, the JSON Schema and (held to it by a test) the reference in docs/configuration.md.
"""

from __future__ import annotations

from typing import Final

from corsproxy.config.addresses import (
    parse_admin_host,
    parse_cookie_domain,
    parse_host_header,
    parse_listen,
    parse_method,
    parse_network,
    parse_public_origin,
    parse_route_host,
    parse_upstream_origin,
    parse_upstream_url,
)
from corsproxy.config.cookies import parse_cookie_path
from corsproxy.config.field_edits import field_edits
from corsproxy.config.paths import parse_route_path, parse_strip_prefix
from corsproxy.config.shape import Key, ListOf, MapOf, Record, Word
from corsproxy.config.words import BOOLEAN, boolean_or, choice, choice_or, duration, integer, name, size, text
from corsproxy.cors import DANGERS, MAX_MAX_AGE

_SHORT = 0.001
"""The least duration of what must not be 0: a millisecond."""
_TEXT = {"type": "string", "minLength": 1}

_LISTEN = Word(
    "HOST:PORT, [V6]:PORT, PORT or unix:/path",
    parse_listen,
    (
        {"type": "string", "pattern": "^(unix:/.+|.+:[0-9]+|[0-9]{1,5})$"},
        {"type": "integer", "minimum": 0, "maximum": 65535},
    ),
)
_URL = Word("URL", parse_upstream_url, ({"type": "string", "pattern": "^(https?://[^@#]+|unix:/[^#]+)$"},))
_HOST = Word("HOST or HOST:PORT", parse_route_host, ({"type": "string", "pattern": r"^(\*\.)?[^/*]+$"},))
_HOST_HEADER = Word("HOST[:PORT]", parse_host_header, ({"type": "string", "pattern": "^[^/]+$"},))
_PATH = Word("path", parse_route_path, ({"type": "string", "pattern": "^/[^?#*]*$"},))
_PREFIX = Word("path", parse_strip_prefix, ({"type": "string", "pattern": "^/[^?#*{]*$"},))
_ALIAS = Word("origin", parse_upstream_origin, ({"type": "string", "pattern": "^https?://[^/?@#]+$"},))
_NETWORK = Word("address or network", parse_network, ({"type": "string", "pattern": r"^[0-9A-Fa-f.:]+(/[0-9]+)?$"},))
_ORIGIN = Word(
    "origin or pattern",
    text("origin").parse,
    (_TEXT, {"type": "null"}),  # `null` is the text of an origin; a YAML library makes a null of it
)

_OFF_IS_KEEP = {"off": "keep", "no": "keep", "false": "keep", "none": "keep", "on": "rewrite", "true": "rewrite"}
_LOG_LEVELS = {"warn": "warning", "fatal": "error", "critical": "error", "trace": "debug", "verbose": "debug"}

_LISTENER_TLS = Record(
    "tls",
    (
        Key("certificate", text("file"), "The certificate with its chain, a PEM file.", required=True),
        Key("private_key", text("file"), "The certificate's private key, a PEM file.", required=True),
    ),
)

_COOKIES = Record(
    "cookies",
    (
        Key(
            "domain",
            choice_or(("remove", "keep"), Word("domain", parse_cookie_domain, (_TEXT,))),
            "`Domain` of the upstream's cookies: taken off, so that they belong to the proxy's host, or replaced.",
            "keep",
        ),
        Key(
            "path",
            choice_or(("rewrite", "keep"), Word("path", parse_cookie_path, ({"type": "string", "pattern": "^/"},))),
            "`Path`: mapped from the upstream's base path to the path at the proxy, or replaced.",
            "keep",
        ),
        Key(
            "same_site",
            choice("none", "lax", "strict", "keep"),
            "`SameSite`: cookies go along from pages of another site only with `none`, "
            "which browsers take only with `Secure`.",
            "keep",
        ),
        Key(
            "secure", choice("add", "remove", "keep"), "`Secure`: the cookie is kept and sent over HTTPS only.", "keep"
        ),
        Key(
            "partitioned",
            BOOLEAN,
            "`Partitioned`: a jar for each top-level site, where third-party cookies are blocked; "
            "true adds it, false removes it.",
        ),
    ),
)

_UPSTREAM_TLS = Record(
    "tls",
    (
        Key(
            "verify",
            BOOLEAN,
            "Whether the upstream's certificate is checked; false lets anyone play the upstream.",
            "true",
        ),
        Key("ca", text("file"), "A PEM file of the authorities to trust instead of the system's."),
        Key("certificate", text("file"), "A client certificate to show to the upstream, a PEM file."),
        Key("private_key", text("file"), "The client certificate's private key, a PEM file."),
        Key("server_name", text("name"), "The name asked for (SNI) and verified, where it is not the URL's host."),
        Key(
            "min_version",
            choice("1.0", "1.1", "1.2", "1.3"),
            "The oldest version of TLS that is spoken; below 1.2 with the ciphers and security level that it needs.",
            default_said="`1.2`; with `legacy: true` `1.0`",
        ),
        Key(
            "ciphers",
            text("ciphers"),
            "The cipher suites up to TLS 1.2, as OpenSSL spells them (`DEFAULT`, `DEFAULT@SECLEVEL=0`). "
            "Lists that lead to anonymous or null suites are refused while `verify` is true.",
            default_said="Python's own",
        ),
        Key(
            "legacy",
            BOOLEAN,
            "TLS 1.0, every cipher that authenticates and encrypts, keys of any length, and old renegotiation; "
            "`min_version` and `ciphers` win where they are named.",
            "false",
        ),
    ),
)

UPSTREAM: Final = Record(
    "upstream",
    (
        Key(
            "url",
            _URL,
            "Where the server is: `http://` or `https://`, or `unix:/path` of a socket. "
            "A base path is put before the request's path (`unix:/path:/base` too), a base query before its query.",
            required=True,
        ),
        Key("connect_timeout", duration(_SHORT), "Longest time until a connection stands; then 504.", "5s"),
        Key("response_timeout", duration(_SHORT), "Longest time until the response's headers; then 504.", "60s"),
        Key("read_timeout", duration(), "Longest silence inside a body, either way; 0 is none.", "300s"),
        Key(
            "max_connections",
            integer(1, 1_000_000),
            "Connections to this upstream, per worker; further requests wait at most `connect_timeout`, then 503. "
            "WebSockets are counted apart.",
            "256",
        ),
        Key(
            "keepalive_timeout",
            duration(),
            "How long an idle connection may be used again; keep it below the upstream's own. 0 is never.",
            "4s",
        ),
        Key(
            "max_connection_age",
            duration(),
            "Then a connection is not used again, so that a name that has moved is followed; 0 is no limit.",
            "10m",
        ),
        Key("max_tunnels", integer(1, 1_000_000), "WebSockets to this upstream, per worker; more is 503.", "1024"),
        Key("tunnel_timeout", duration(), "Longest silence in a WebSocket, both ways; 0 is none.", "1h"),
        Key(
            "connection_login",
            choice("auto", "bind", "refuse"),
            "NTLM and Negotiate, which log in a connection: `auto` keeps it for the one client, and refuses where an "
            "edge may have passed the request on; `bind` is for an edge that gives each client a connection of its "
            "own.",
            "auto",
        ),
        Key(
            "parsing",
            choice("strict", "lenient"),
            "`lenient` takes what browsers take from old servers though it is no valid HTTP, and closes the connection "
            "behind it, with a warning.",
            "strict",
        ),
        Key(
            "host",
            choice_or(("upstream", "client"), _HOST_HEADER),
            "The `Host` sent: the URL's own, the one the client sent, or this text. "
            "`X-Forwarded-Host` tells the original.",
            "upstream",
        ),
        Key(
            "origin",
            choice("forward", "remove", "upstream"),
            "The `Origin` and `Referer` sent: as they came, none, or the URL's own origin, "
            "for servers that refuse foreign origins. Anything but `forward` takes away the upstream's own CSRF check.",
            "forward",
        ),
        Key(
            "forwarded",
            choice("all", "client", "none"),
            "What the upstream is told of the request's way: `X-Forwarded-For`, `-Proto`, `-Host`, `-Port`, "
            "`Forwarded` of a trusted proxy, and `X-Forwarded-Prefix` where a prefix is stripped; "
            "`X-Forwarded-For` alone; or nothing.",
            default_said="`all`; with `origin: upstream` `client`",
        ),
        Key(
            "aliases",
            ListOf(_ALIAS),
            "Further origins by which the upstream calls itself, in `redirects`.",
            "[]",
        ),
        Key(
            "redirects",
            choice("rewrite", "keep", meanings=_OFF_IS_KEEP),
            "Whether `Location`, `Content-Location`, `Refresh` and `Link` at the upstream's own origin or an alias "
            "become the proxy's, so that the browser stays with it; and `Destination` and `If` the other way.",
            "rewrite",
        ),
        Key(
            "request_headers",
            field_edits("request_headers"),
            "Fields to set and to remove on the way to the upstream, after everything else.",
        ),
        Key(
            "response_headers",
            field_edits("response_headers"),
            "The same for what the upstream answers, 304 and interim responses included; "
            "the proxy's own answers stay as they are.",
        ),
        Key("cookies", _COOKIES, "Edits of `Set-Cookie` attributes; what is not named here is untouched."),
        Key("tls", _UPSTREAM_TLS, "How an `https` upstream is verified, and who we are to it."),
    ),
    short=_URL,
    short_for="url",
)

_ORIGIN_ITEM = Record(
    "origin",
    (
        Key("regex", text("regex"), "A Python regular expression, always matched in full."),
        Key(
            "file",
            text("file"),
            "A file beside the configuration with one origin or pattern a line; `#` begins a comment. "
            "It is read again when it changes.",
        ),
    ),
    short=_ORIGIN,
    short_for="origin",
)

POLICY: Final = Record(
    "policy",
    (
        Key(
            "extends",
            name("a policy"),
            "A policy from which every key is taken that is not written here, `dangerously_allow` apart; "
            "lists are replaced, not joined.",
        ),
        Key(
            "allow_origins",
            ListOf(_ORIGIN_ITEM, min_items=1),
            "Who may read: origins (`https://app.example.com`), patterns (`https://*.example.com`, "
            "`http://localhost:*`, `moz-extension://*`), `{regex: ...}`, `{file: ...}`, "
            '`"*"` for everybody, or `null`. Only a policy that others extend may lack it.',
        ),
        Key(
            "allow_methods",
            ListOf(text("method")),
            'The methods granted, or `["*"]`; browsers never ask for GET, HEAD and POST.',
            "[GET, HEAD, POST]",
        ),
        Key(
            "allow_headers",
            ListOf(text("header name")),
            'The request headers granted, or `["*"]`, which never covers `Authorization`: name it beside the star.',
            "[]",
        ),
        Key(
            "expose_headers",
            ListOf(text("header name")),
            'The response headers a page may read besides the safelisted ones, or `["*"]`.',
            "[]",
        ),
        Key("allow_credentials", BOOLEAN, "Whether cookies, client certificates and HTTP login are granted.", "false"),
        Key(
            "max_age",
            duration(0, MAX_MAX_AGE, whole=True, zero="no caching"),
            "How long a browser may remember a preflight; 0 is no caching, and no browser remembers longer than 24h.",
            "10m",
        ),
        Key(
            "on_refused",
            choice("forward", "reject", meanings={"deny": "reject", "block": "reject", "allow": "forward"}),
            "An actual request whose origin is not allowed: forwarded without CORS headers, or refused with 403.",
            "forward",
        ),
        Key(
            "websockets",
            choice("policy", "any", "off", meanings={"on": "policy", "true": "policy", "false": "off", "no": "off"}),
            "`Origin` on an upgrade: judged by this policy (same origin as `Host`, or none, is fine too; `*` names "
            "nobody), not judged, or no upgrades at all. CORS does not cover WebSockets: nobody else checks.",
            "policy",
        ),
        Key(
            "mode",
            choice("enforce", "shadow", meanings={"dry-run": "shadow", "report": "shadow", "on": "enforce"}),
            "Whether the policy acts, or is only decided, counted and logged while the upstream's CORS stays as it is.",
            "enforce",
        ),
        Key(
            "timing",
            ListOf(text("origin"), alone=BOOLEAN),
            "`Timing-Allow-Origin`: true writes it with the same grant, and where a request has no Origin the exact "
            'origins of this file; or a list of its own, sent whole on every response, or `"*"`; '
            "false leaves the upstream's alone.",
            "false",
        ),
        Key(
            "diagnostics",
            BOOLEAN,
            "Whether a preflight that is refused for its method or headers alone is answered with the rest of the "
            "grant, so that the browser's console names what is missing; it stays refused.",
            "false",
        ),
        Key(
            "preflight_status",
            choice("204", "200"),
            "The status of a granted preflight; 200 is for old clients.",
            "204",
        ),
        Key(
            "dangerously_allow",
            ListOf(choice(*DANGERS)),
            "What is refused otherwise because it lets strangers in.",
            "[]",
        ),
    ),
)

ROUTE: Final = Record(
    "route",
    (
        Key(
            "path",
            _PATH,
            "Matched by whole segments as a prefix: `/orders` matches `/orders/7`, never `/orders2`. "
            "`{name}` is any one segment.",
            required=True,
        ),
        Key("exact", BOOLEAN, "Whether only this very path matches, and nothing below it.", "false"),
        Key(
            "methods",
            ListOf(Word("method", parse_method, (_TEXT,)), min_items=1),
            "Only these methods; GET includes HEAD. A preflight is matched by the method it asks for, and a route "
            "whose methods do not match is passed over: where none is left, 405.",
        ),
        Key(
            "host",
            _HOST,
            "Only requests for this host; letter case is ignored, the port too unless it is written. "
            "`*.` before it stands for one or more labels.",
        ),
        Key("upstream", name("an upstream"), "Where such requests go.", required=True),
        Key(
            "policy",
            ListOf(name("a policy"), min_items=1),
            "What they are granted, one name or several, of which the first whose origins pass decides; "
            "without one CORS headers are stripped and none are given.",
        ),
        Key(
            "strip_prefix",
            boolean_or(_PREFIX),
            "What is taken off the path before it is sent: true is the route's own path up to its first `{name}`.",
            "false",
        ),
    ),
)

_LIMITS = Record(
    "limits",
    (
        Key("max_body", size(), "Largest request body; 0 is no limit, more is 413.", "0"),
        Key("max_header_bytes", size(256, 16 * 1024**2), "Largest request head, all of it; more is 431.", "32KiB"),
        Key("max_header_lines", integer(1, 100_000), "Most header lines of a request; more is 431.", "128"),
        Key("header_timeout", duration(_SHORT), "Longest time until a request's head is complete.", "10s"),
        Key("body_timeout", duration(_SHORT), "Longest silence in a request body; then 408.", "60s"),
        Key(
            "min_rate",
            size(),
            "Least bytes a second, over any `body_timeout` (at least 10s), while the client owes content or content "
            "waits for it; slower is ended. 0 is none.",
            "100",
        ),
        Key("idle_timeout", duration(_SHORT), "How long a client's connection may stay idle between requests.", "75s"),
        Key(
            "max_connections",
            integer(1, 10_000_000),
            "Client connections, per worker; one more is answered 503 and closed.",
            "10000",
        ),
    ),
)

_SHUTDOWN = Record(
    "shutdown",
    (
        Key(
            "delay", duration(), "How long to go on after a stop is asked for, while `/readyz` already says 503.", "0s"
        ),
        Key("drain", duration(), "How long requests in flight may take after that.", "20s"),
    ),
)

_LOG = Record(
    "log",
    (
        Key("format", choice("text", "json"), "How lines are written.", "text"),
        Key(
            "level",
            choice("debug", "info", "warning", "error", meanings=_LOG_LEVELS),
            "The least important diagnostics that are written.",
            "info",
        ),
        Key("access", BOOLEAN, "Whether every request is logged, on standard output.", "true"),
    ),
)

FILE: Final = Record(
    "configuration",
    (
        Key(
            "listen",
            _LISTEN,
            "Where the proxy listens; a bare PORT is on loopback, port 0 takes a free one.",
            "127.0.0.1:8080",
        ),
        Key("tls", _LISTENER_TLS, "Makes the listener HTTPS."),
        Key("admin", _LISTEN, "A listener of its own for health, metrics and, if asked for, the inspector."),
        Key(
            "admin_hosts",
            ListOf(Word("host", parse_admin_host, (_TEXT,))),
            "Further names by which a browser may reach the inspector; others get 403, against DNS rebinding.",
            "[]",
        ),
        Key("inspector", BOOLEAN, "Whether the admin listener shows requests live on a page.", "false"),
        Key("workers", integer(1, 1024), "Processes that share the listener.", "1"),
        Key(
            "trusted_proxies",
            ListOf(_NETWORK),
            "Peers whose `Forwarded` and `X-Forwarded-*` are believed.",
            "[]",
        ),
        Key(
            "public_origins",
            ListOf(Word("origin", parse_public_origin, (_TEXT,))),
            "The proxy's own origins as browsers know them: their pages pass `on_refused: reject` and open WebSockets, "
            "and redirects lead to them. Without it no page is believed to be the proxy's own, whatever `Host` says.",
            "[]",
        ),
        Key(
            "upstreams",
            MapOf("upstream", UPSTREAM, min_items=1, sample="{api: http://localhost:8000}"),
            "The servers, by name; a bare URL will do.",
            required=True,
        ),
        Key(
            "policies",
            MapOf("policy", POLICY, sample="{app: {allow_origins: [https://app.example.com]}}"),
            "The CORS policies, by name.",
            "{}",
        ),
        Key(
            "routes",
            ListOf(ROUTE, min_items=1, sample="[{path: /, upstream: api}]"),
            "Which requests go where, under which policy.",
            required=True,
        ),
        Key("limits", _LIMITS, "What a client may take up before it is turned away.", "{}"),
        Key("shutdown", _SHUTDOWN, "How long a stop waits, and for what.", "{}"),
        Key("log", _LOG, "What is written, and how.", "{}"),
    ),
)
