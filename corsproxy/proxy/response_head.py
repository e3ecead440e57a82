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
from corsproxy.proxy.fields import ResponseField, field_lines
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
    fields, vary_at, options = _pass_on(head, rules, proxy_origin=proxy_origin, trailers=trailers)
    block = b""
    if rules.enforces:
        if grant.varies:
            _merge_vary(fields, vary_at)
        block = grant.block
    if options:
        fields = _without_named(fields, options)
    if rules.enforces and grant.exposes_all_names:
        names = exposed_names(name for name, _ in fields)
        if names:
            block += b"Access-Control-Expose-Headers: %b\r\n" % names
    return [status_line(head.status, head.reason), field_lines(fields), block, via, framing]


def _pass_on(
    head: ResponseHead, rules: ResponseRules, *, proxy_origin: bytes, trailers: bool
) -> tuple[list[tuple[bytes, bytes]], list[int], list[bytes]]:
    """Return the fields that go on, where among them Vary stands, and the values of Connection."""
    fields: list[tuple[bytes, bytes]] = []
    vary_at: list[int] = []
    options: list[bytes] = []
    for code, name, value in head.fields:
        said = value
        if code:
            if code is _CONTENT_LENGTH:
                if not _keeps_length(head):
                    continue
            elif code is _CONNECTION:
                options.append(value)
                continue
            elif code is _VARY:
                vary_at.append(len(fields))
            elif code is _SET_COOKIE:
                said = rules.cookies.rewrite(value) if rules.cookies is not None else value
            elif code is _LOCATION:
                said = rules.redirects.rewrite(name.lower(), value, proxy_origin) if rules.redirects else value
            elif not _is_kept(code, rules, trailers=trailers):
                continue
        fields.append((name, said))
    return fields, vary_at, options


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


def _without_named(fields: list[tuple[bytes, bytes]], options: list[bytes]) -> list[tuple[bytes, bytes]]:
    """RFC 9110 section 7.6.1: what the upstream's Connection names was for this hop only."""
    if len(options) == 1 and options[0].lower() in _PLAIN_OPTIONS:
        return fields
    named = {item.strip().lower() for value in options for item in value.split(b",")} - _PLAIN_OPTIONS
    named -= _PROTECTED_FROM_CONNECTION
    return [field for field in fields if field[0].lower() not in named]


def _merge_vary(fields: list[tuple[bytes, bytes]], vary_at: list[int]) -> None:
    """Add Origin to the upstream's Vary, whichever of its lines it is on; `*` covers it (RFC 9110 section 12.5.5)."""
    if not vary_at:
        fields.append((b"Vary", b"Origin"))
        return
    for index in vary_at:
        members = {member.strip().lower() for member in fields[index][1].split(b",")}
        if b"*" in members or b"origin" in members:
            return
    name, value = fields[vary_at[-1]]
    fields[vary_at[-1]] = (name, value + b", Origin" if value else b"Origin")
