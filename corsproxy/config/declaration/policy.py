"""The `policies` section of the declaration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from corsproxy.config.declaration.common import TEXT
from corsproxy.config.shape import Items, ListOf, Word, key, list_or, record
from corsproxy.config.words import BOOLEAN, choice, name, text, whole_seconds
from corsproxy.cors import DANGERS, MAX_MAX_AGE
from corsproxy.settings import (
    Mode,
    OnRefused,
    WebSockets,
)

_ORIGIN = Word(
    "origin or pattern",
    text("origin").parse,
    (TEXT, {"type": "null"}),  # `null` is an origin here; a YAML library loads it as a null
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginItem:
    """An item of `allow_origins`, as read: one of the three."""

    origin: str | None = None
    """An origin or pattern, written without a key."""
    regex: str | None = key(text("regex"), "A Python regular expression, always matched in full.")
    file: str | None = key(
        text("file"),
        "A file beside the configuration with one origin or pattern per line; `#` begins a comment. It is read again "
        "when it changes.",
    )


_ORIGIN_ITEM = record("origin", OriginItem, short=_ORIGIN, short_for="origin")


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyValues:
    """A policy, as read."""

    extends: str | None = key(
        name("a policy"),
        "A policy whose keys apply unless they are set here, except `dangerously_allow`; lists are replaced, not "
        "joined.",
    )
    allow_origins: Items[OriginItem] | None = key(
        ListOf(_ORIGIN_ITEM, min_items=1),
        "Who may read: origins (`https://app.example.com`), patterns (`https://*.example.com`, `http://localhost:*`, "
        '`moz-extension://*`), `{regex: ...}`, `{file: ...}`, `"*"` for everyone, or `null`. Required, except in a '
        "policy that others extend.",
    )
    allow_methods: Items[str] = key(
        ListOf(text("method")),
        'The methods granted, or `["*"]`; browsers never ask for GET, HEAD and POST.',
        "[GET, HEAD, POST]",
    )
    allow_headers: Items[str] = key(
        ListOf(text("header name")),
        'The request headers granted, or `["*"]`, which never covers `Authorization`: add it to the list.',
        "[]",
    )
    expose_headers: Items[str] = key(
        ListOf(text("header name")),
        'The response headers a page may read besides the safelisted ones, or `["*"]`.',
        "[]",
    )
    allow_credentials: bool = key(BOOLEAN, "Whether cookies, client certificates and HTTP login are granted.", "false")
    max_age: int = key(
        whole_seconds(0, MAX_MAX_AGE, zero="no caching"),
        "How long a browser may cache a preflight; 0 disables caching, and no browser caches longer than 24h.",
        "10m",
    )
    on_refused: OnRefused = key(
        choice("forward", "reject", meanings={"deny": "reject", "block": "reject", "allow": "forward"}),
        "An actual request whose origin is not allowed is forwarded without CORS headers, or rejected with 403.",
        "forward",
    )
    websockets: WebSockets = key(
        choice("policy", "any", "off", meanings={"on": "policy", "true": "policy", "false": "off", "no": "off"}),
        "`Origin` on an upgrade: judged by this policy (the same origin as `Host`, or none, also passes; `*` allows "
        "no page), not judged, or no upgrades at all. CORS does not cover them: browsers make no check.",
        "policy",
    )
    mode: Mode = key(
        choice("enforce", "shadow", meanings={"dry-run": "shadow", "report": "shadow", "on": "enforce"}),
        "Whether the policy is enforced, or only evaluated and logged while the upstream's CORS headers pass.",
        "enforce",
    )
    timing: bool | Items[str] = key(
        list_or(BOOLEAN, text("origin")),
        "`Timing-Allow-Origin`: true sends it with the same grant, and for a request without Origin the exact "
        'origins of this file; a list of origins, sent whole on every response, or `"*"`; '
        "false keeps the upstream's.",
        "false",
    )
    diagnostics: bool = key(
        BOOLEAN,
        "Whether a preflight that is refused only for its method or headers is answered with the rest of the grant, "
        "so that the browser's console names what is missing; it stays refused.",
        "false",
    )
    preflight_status: Literal["204", "200"] = key(
        choice("204", "200"), "The status of a granted preflight; 200 is for old clients.", "204"
    )
    dangerously_allow: Items[str] = key(
        ListOf(choice(*DANGERS)),
        "Dangerous settings to allow, which are otherwise refused because they let strangers in.",
        "[]",
    )


POLICY: Final = record("policy", PolicyValues)
