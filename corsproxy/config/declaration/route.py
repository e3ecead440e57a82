"""The `routes` section of the declaration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from corsproxy.config.addresses import (
    parse_method,
    parse_route_host,
)
from corsproxy.config.declaration.common import TEXT
from corsproxy.config.paths import parse_route_path, parse_strip_prefix
from corsproxy.config.shape import Items, ListOf, Word, key, record
from corsproxy.config.words import BOOLEAN, boolean_or, name

_HOST = Word("HOST or HOST:PORT", parse_route_host, ({"type": "string", "pattern": r"^(\*\.)?[^/*]+$"},))
_PATH = Word("path", parse_route_path, ({"type": "string", "pattern": "^/[^?#*]*$"},))
_PREFIX = Word("path", parse_strip_prefix, ({"type": "string", "pattern": "^/[^?#*{]*$"},))


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteValues:
    """A route, as read."""

    path: str | None = key(
        _PATH,
        "Matched by whole segments as a prefix: `/orders` matches `/orders/7`, never `/orders2`. "
        "`{name}` is any one segment.",
        required=True,
    )
    exact: bool = key(BOOLEAN, "Whether only this path itself matches, and nothing below it.", "false")
    methods: Items[str] | None = key(
        ListOf(Word("method", parse_method, (TEXT,)), min_items=1),
        "Only these methods; GET includes HEAD. A preflight is matched by the method it asks for, and a route whose "
        "methods do not match is skipped: if none is left, 405.",
    )
    host: tuple[str, int | None] | None = key(
        _HOST,
        "Only requests for this host; letter case is ignored, and so is the port unless it is given here. A leading "
        "`*.` stands for one or more labels.",
    )
    upstream: str | None = key(name("an upstream"), "Where such requests go.", required=True)
    policy: Items[str] | None = key(
        ListOf(name("a policy"), min_items=1),
        "What they are granted: one policy, or several, of which the first whose origins match decides; without a "
        "policy CORS headers are stripped and none are added.",
    )
    strip_prefix: bool | str = key(
        boolean_or(_PREFIX),
        "The prefix to remove from the path: true is the route's own path up to its first `{name}`.",
        "false",
    )


ROUTE: Final = record("route", RouteValues)
