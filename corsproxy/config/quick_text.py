"""The text of the file that the options of quick mode represent."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from corsproxy.config.options import Options
from corsproxy.config.problems import RefusedError
from corsproxy.config.quick_routes import upstream_pairs
from corsproxy.config.upstream_urls import parse_upstream_url
from corsproxy.cors import is_loopback
from corsproxy.settings import bracketed

LOOPBACK_ORIGINS: Final = tuple(
    f"{scheme}://{host}:*" for host in ("localhost", "127.0.0.1", "[::1]") for scheme in ("http", "https")
)
"""Pages served from this machine, on any port."""

POLICY_NAME = "quick"
"""The name of the one policy."""


def quick_text(options: Options, *, insecure: bool = False) -> str:
    """Return the file that the options represent; `insecure` allows plain-http origins with credentials."""
    return "\n".join((*_upstream_lines(options), *_policy_lines(options, insecure), *_route_lines(options))) + "\n"


def _upstream_lines(options: Options) -> Iterator[str]:
    yield "upstreams:"
    for name, _, url in upstream_pairs(options):
        yield f"  {name}:"
        yield f"    url: {quoted(url)}"
        if _is_on_this_machine(url):
            yield "    response_timeout: 1h"
        if options.send_host is not None:
            yield f"    host: {quoted(options.send_host)}"
        if options.send_origin is not None:
            yield f"    origin: {quoted(options.send_origin)}"
        if options.insecure and url.lower().startswith("https:"):
            yield "    tls: {verify: false}"


def _policy_lines(options: Options, insecure: bool) -> Iterator[str]:
    credentials = options.allow_credentials
    rejects = options.send_origin not in (None, "forward")
    yield "policies:"
    yield f"  {POLICY_NAME}:"
    yield "    allow_origins:"
    yield from (f"      - {quoted(origin)}" for origin in options.allow_origins or LOOPBACK_ORIGINS)
    yield f"    allow_methods: {_flow(options.allow_methods or ('*',))}"
    yield f"    allow_headers: {_flow(options.allow_headers or ('*', 'Authorization'))}"
    yield f"    expose_headers: {_flow(options.expose_headers or ('*',))}"
    if credentials is None:
        credentials = "*" not in options.allow_origins  # Fetch: `*` fails with credentials
    yield f"    allow_credentials: {str(credentials).lower()}"
    if options.max_age is not None:
        yield f"    max_age: {quoted(options.max_age)}"
    if options.on_refused is not None or rejects:
        yield f"    on_refused: {quoted(options.on_refused or 'reject')}"
    if options.websockets is not None:
        yield f"    websockets: {quoted(options.websockets)}"
    yield "    diagnostics: true"
    if insecure:
        yield "    dangerously_allow: [insecure_origins]"


def _route_lines(options: Options) -> Iterator[str]:
    if options.trusted_proxies:
        yield f"trusted_proxies: {_flow(options.trusted_proxies)}"
    if options.public_origins:
        yield f"public_origins: {_flow(options.public_origins)}"
    yield "routes:"
    for name, path, _ in upstream_pairs(options):
        yield f"  - path: {quoted(path)}"
        yield f"    upstream: {name}"
        yield f"    policy: {POLICY_NAME}"


def quoted(text: str) -> str:
    """Return a text as YAML; a dollar sign in it is literal."""
    escapes = {'"': r"\"", "\\": r"\\", "$": "$$"}
    text = re.sub("[\ud800-\udfff]", "\ufffd", text)  # bytes of the command line that are not UTF-8
    signs = (escapes.get(sign) or (sign if sign.isprintable() else f"\\U{ord(sign):08x}") for sign in text)
    return f'"{"".join(signs)}"'


def _flow(texts: Sequence[str]) -> str:
    return f"[{', '.join(map(quoted, texts))}]"


def _is_on_this_machine(url: str) -> bool:
    try:
        found = parse_upstream_url(url)
    except RefusedError:
        return False
    return found.unix_path is not None or is_loopback(bracketed(found.host))
