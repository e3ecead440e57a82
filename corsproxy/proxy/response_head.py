"""The head of a response as the client gets it, from the upstream's head and the grant.

Strip first, then add: hop-by-hop fields and every `Access-Control-*` go, whoever asked; what is left stays byte for
byte and in order; Vary is merged and the grant comes last.
Knows no sockets and does not know how the grant was decided.
"""

from __future__ import annotations

from dataclasses import dataclass

from corsproxy.cors import exposed_names
from corsproxy.proxy.answers import status_line
from corsproxy.proxy.cookies import CookieRewriter
from corsproxy.proxy.cors_gate import Grant
from corsproxy.proxy.fields import ResponseField
from corsproxy.proxy.redirects import RedirectRewriter
from corsproxy.proxy.upstream.head import Framing, ResponseHead

_PLAIN_OPTIONS = frozenset({b"close", b"keep-alive", b"upgrade", b""})

# Python 3.11 finds an enum's members by a slow look-up; these are asked for at every field line.
_CONNECTION = ResponseField.CONNECTION
_CONTENT_LENGTH = ResponseField.CONTENT_LENGTH
_LOCATION = ResponseField.LOCATION
_SET_COOKIE = ResponseField.SET_COOKIE
_VARY = ResponseField.VARY
_LENGTH = Framing.LENGTH
_NONE = Framing.NONE

_PROTECTED_FROM_CONNECTION = frozenset({b"content-length", b"content-type", b"location", b"set-cookie", b"vary"})
"""Fields that a connection option must not take away: without Content-Length the client could not tell where the
content ends."""


@dataclass(frozen=True, slots=True)
class ResponseRules:
    """What a route does to the fields of a response, settled when the configuration is loaded."""

    enforces: bool
    """False in shadow mode: the upstream's CORS fields stay and no grant is written."""
    own_timing: bool
    """Timing-Allow-Origin is the policy's."""
    redirects: RedirectRewriter | None
    cookies: CookieRewriter | None


def client_head(
    head: ResponseHead,
    grant: Grant,
    rules: ResponseRules,
    *,
    proxy_origin: bytes,
    via: bytes,
    framing: bytes,
    trailers: bool,
) -> list[bytes]:
    """Write the head of the final response as a list of pieces, without the empty line.

    `framing` are the finished lines that say where the content ends and what becomes of the connection.
    """
    parts = [status_line(head.status, head.reason)]
    vary_at: list[int] = []
    options: list[bytes] = []
    for code, name, value in head.fields:
        if code:
            if code is _CONTENT_LENGTH:
                if not _keeps_length(head):
                    continue
            elif code is _CONNECTION:
                options.append(value)
                continue
            elif code is _VARY:
                vary_at.append(len(parts))
            elif code is _SET_COOKIE:
                if rules.cookies is not None:
                    value = rules.cookies.rewrite(value)
            elif code is _LOCATION:
                if rules.redirects is not None:
                    value = rules.redirects.rewrite(name.lower(), value, proxy_origin)
            elif not _is_kept(code, rules, trailers=trailers):
                continue
        parts.append(b"%b: %b\r\n" % (name, value))
    if options:
        _strip_named_fields(parts, options)
    if rules.enforces:
        _grant(parts, grant, vary_at)
    parts.append(via)
    parts.append(framing)
    return parts


def _keeps_length(head: ResponseHead) -> bool:
    return (head.framing is _LENGTH or head.framing is _NONE) and head.status not in {204, 205}


def _is_kept(code: ResponseField, rules: ResponseRules, *, trailers: bool) -> bool:
    """True where the line goes on as it is."""
    match code:
        case ResponseField.CORS:
            return not rules.enforces
        case ResponseField.TIMING:
            return not (rules.own_timing and rules.enforces)
        case ResponseField.TRAILER:
            return trailers
        case _:
            return False


def interim_head(head: ResponseHead) -> bytes:
    """Write an interim (1xx) response: hop-by-hop and CORS fields are of no use to anybody here."""
    lines = [b"%b: %b\r\n" % (name, value) for code, name, value in head.fields if code is ResponseField.FORWARD]
    return b"".join((status_line(head.status, head.reason), *lines, b"\r\n"))


def switching_head(head: ResponseHead, protocol: bytes, via: bytes) -> bytes:
    """Write the 101: the upstream's choice of sub-protocol and extensions goes to the client, no CORS field does."""
    kept = (ResponseField.FORWARD, ResponseField.SET_COOKIE, ResponseField.VARY)
    lines = [b"%b: %b\r\n" % (name, value) for code, name, value in head.fields if code in kept]
    return b"".join(
        (status_line(101, head.reason), *lines, b"Connection: Upgrade\r\nUpgrade: %b\r\n" % protocol, via, b"\r\n")
    )


def _strip_named_fields(parts: list[bytes], options: list[bytes]) -> None:
    """RFC 9110 section 7.6.1: what the upstream's Connection names was for this hop only."""
    if len(options) == 1 and options[0].lower() in _PLAIN_OPTIONS:
        return
    named = {item.strip().lower() for value in options for item in value.split(b",")} - _PLAIN_OPTIONS
    named -= _PROTECTED_FROM_CONNECTION
    for index in range(1, len(parts)) if named else ():
        line = parts[index]
        if line[: line.index(b":")].lower() in named:
            parts[index] = b""


def _grant(parts: list[bytes], grant: Grant, vary_at: list[int]) -> None:
    """Add what the policy's decision puts on the response."""
    if grant.varies:
        _merge_vary(parts, vary_at)
    parts.append(grant.block)
    if grant.exposes_all_names:
        names = exposed_names(line[: line.index(b":")] for line in parts[1:] if b":" in line)
        if names:
            parts.append(b"Access-Control-Expose-Headers: %b\r\n" % names)


def _merge_vary(parts: list[bytes], vary_at: list[int]) -> None:
    """Add Origin to the upstream's Vary, whichever of its lines it is on; `*` covers it (RFC 9110 section 12.5.5)."""
    if not vary_at:
        parts.append(b"Vary: Origin\r\n")
        return
    for index in vary_at:
        members = {member.strip().lower() for member in parts[index][5:].split(b",")}
        if b"*" in members or b"origin" in members:
            return
    line = parts[vary_at[-1]].rstrip()
    parts[vary_at[-1]] = (line if line.endswith(b":") else line + b",") + b" Origin\r\n"
