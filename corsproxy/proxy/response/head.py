"""The head of a response for the client, from the upstream's head and the grant.

Strip first, then add: hop-by-hop fields and every `Access-Control-*` are removed, the rest stays byte for byte and in
order, Vary is merged, and the grant comes last.
It must not know sockets, or how the grant was decided.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from corsproxy.cors import exposed_names
from corsproxy.proxy.cors_gate import Grant
from corsproxy.proxy.fields.connection_options import named_fields, names_fields
from corsproxy.proxy.fields.cookies import CookieRewriter
from corsproxy.proxy.fields.edits import FieldEditor
from corsproxy.proxy.fields.lines import FieldLine, joined
from corsproxy.proxy.fields.names import RESPONSE_FIELDS, ResponseField
from corsproxy.proxy.fields.redirects import RedirectRewriter
from corsproxy.proxy.response.answers import date_value, status_line
from corsproxy.proxy.table import NameTable
from corsproxy.proxy.upstream.head import Framing, ResponseHead

# Python 3.11 looks up members of an enum slowly; these are used for every field line.
_CONNECTION: Final = ResponseField.CONNECTION
_CONTENT_LENGTH: Final = ResponseField.CONTENT_LENGTH
_DATE: Final = ResponseField.DATE
_LINK: Final = ResponseField.LINK
_LOCATION: Final = ResponseField.LOCATION
_SET_COOKIE: Final = ResponseField.SET_COOKIE
_TRAILER: Final = ResponseField.TRAILER
_VARY: Final = ResponseField.VARY
_FORWARD: Final = ResponseField.FORWARD
_LENGTH: Final = Framing.LENGTH
_NONE: Final = Framing.NONE

_PROTECTED_FROM_CONNECTION: Final = frozenset({b"content-length", b"content-type", b"location", b"set-cookie", b"vary"})
"""Fields that a connection option must not remove: without Content-Length, for one, the client could not tell where the
content ends."""


@dataclass(frozen=True, slots=True)
class ResponseRules:
    """The changes that a route makes to the fields of a response, compiled when the configuration is loaded."""

    enforces: bool
    """False in shadow mode, in which the upstream's CORS fields stay and no grant is written."""
    redirects: RedirectRewriter | None
    """None if the upstream's addresses stay as they are."""
    cookies: CookieRewriter | None
    edits: FieldEditor | None
    reports_lost_cookies: bool = False
    """True in quick mode, which reports cookies that a browser will reject on the terminal."""


def client_head(
    head: ResponseHead,
    grant: Grant,
    rules: ResponseRules,
    *,
    proxy_origin: bytes,
    client_host: bytes,
    via: bytes,
    framing: bytes,
    trailers: bool,
) -> list[bytes]:
    """Write the head of the final response as a list of pieces, without the empty line.

    `framing` is the finished lines of Transfer-Encoding, Content-Length and Connection that the proxy writes itself.
    """
    lines, vary_at, options = _forwarded_lines(
        head,
        rules,
        proxy_origin=proxy_origin,
        client_host=client_host,
        owns_timing=grant.owns_timing,
        trailers=trailers,
    )
    block = b""
    if rules.enforces:
        if grant.varies:
            _merge_vary(lines, vary_at)
        block = grant.block
    if options:
        lines = _without_named(lines, options)
    edited = b""
    set_names: tuple[bytes, ...] = ()
    if (editor := rules.edits) is not None:
        lines = [line for line in lines if not editor.edits(line.name)]
        via = editor.kept(via)
        edited, set_names = editor.block, editor.set_names
    if rules.enforces and grant.exposes_all_names:
        # The list replaces a wildcard, which would cover the proxy's own fields too, so they are listed.
        own = [line.partition(b":")[0] for line in (via + framing).splitlines()]
        names = exposed_names((*(line.name for line in lines), *set_names, *own))
        if names:
            block += b"Access-Control-Expose-Headers: %b\r\n" % names
    if head.status == 426 and any(line.meaning is ResponseField.UPGRADE for line in lines):
        # RFC 9110 section 7.8: "A sender of Upgrade MUST also send an "Upgrade" connection option".
        framing = b"Connection: Upgrade\r\n" + framing
    return [status_line(head.status, head.reason), joined(lines), edited, block, via, framing]


def _forwarded_lines(
    head: ResponseHead,
    rules: ResponseRules,
    *,
    proxy_origin: bytes,
    client_host: bytes,
    owns_timing: bool,
    trailers: bool,
) -> tuple[list[FieldLine[ResponseField]], list[int], list[bytes]]:
    """Return the lines to forward, the indexes of the Vary lines among them, and the values of Connection."""
    lines: list[FieldLine[ResponseField]] = []
    vary_at: list[int] = []
    options: list[bytes] = []
    is_dated = False
    for line in head.fields:
        meaning = line.meaning
        if meaning is _FORWARD:
            lines.append(line)
        elif meaning is _DATE:
            is_dated = True
            lines.append(line)
        elif meaning is _CONTENT_LENGTH:
            if _keeps_length(head):
                lines.append(line)
        elif meaning is _CONNECTION:
            options.append(line.value)
        elif meaning is _VARY:
            vary_at.append(len(lines))
            lines.append(line)
        elif meaning is _SET_COOKIE:
            cookies = rules.cookies
            lines.append(line if cookies is None else line.with_value(cookies.rewrite(line.value, proxy_origin)))
        elif meaning is _LOCATION or meaning is _LINK:
            lines.append(_rewritten(line, rules, proxy_origin, client_host))
        elif meaning is _TRAILER:
            if trailers and (names := _trailer_names(line.value, rules)):
                lines.append(line.with_value(names))
        elif _is_kept(meaning, rules, owns_timing=owns_timing, status=head.status):
            lines.append(line)
    if not is_dated:
        # RFC 9110 section 6.6.1: "A recipient with a clock that receives a response message without a Date header field
        # MUST record the time it was received and append a corresponding Date header field to the message's header
        # section if it is cached or forwarded downstream."
        lines.append(FieldLine(_DATE, b"Date", date_value()))
    return lines, vary_at, options


def _rewritten(
    line: FieldLine[ResponseField], rules: ResponseRules, proxy_origin: bytes, client_host: bytes
) -> FieldLine[ResponseField]:
    """Return the line with the upstream's address replaced by the proxy's."""
    if rules.redirects is None:
        return line
    return line.with_value(rules.redirects.rewrite(line.name.lower(), line.value, proxy_origin, client_host))


def _keeps_length(head: ResponseHead) -> bool:
    """Return whether Content-Length is forwarded: not in a 204 (RFC 9110 section 8.6); a 205 gets the proxy's own."""
    return (head.framing is _LENGTH or head.framing is _NONE) and head.status != 204 and head.status != 205


def _trailer_names(value: bytes, rules: ResponseRules) -> bytes:
    """Return the value of Trailer without the fields that are removed on the way."""
    names = [name.strip(b" \t") for name in value.split(b",")]
    return b", ".join(
        name
        for name in names
        if name and RESPONSE_FIELDS[name] is _FORWARD and not (rules.edits is not None and rules.edits.edits(name))
    )


def _is_kept(code: ResponseField, rules: ResponseRules, *, owns_timing: bool, status: int) -> bool:
    """Return whether a line is forwarded unchanged, if its meaning alone does not decide."""
    match code:
        case ResponseField.CORS:
            return not rules.enforces
        case ResponseField.TIMING:
            return not (owns_timing and rules.enforces)
        case ResponseField.UPGRADE:
            # RFC 9110 section 15.5.22: "The server MUST send an Upgrade header field in a 426 response".
            return status == 426
        case _:
            return False


def interim_head(head: ResponseHead, rules: ResponseRules, proxy_origin: bytes, client_host: bytes) -> bytes:
    """Return an interim (1xx) response, without hop-by-hop and CORS fields."""
    kept = [
        _rewritten(line, rules, proxy_origin, client_host) if line.meaning is _LINK else line
        for line in head.fields
        if line.meaning in {_FORWARD, _DATE, _LINK}
    ]
    lines = _edited(kept, rules)
    return b"%b%b\r\n" % (status_line(head.status, head.reason), lines)


def client_trailers(trailers: Sequence[tuple[bytes, bytes]], rules: ResponseRules) -> Sequence[tuple[bytes, bytes]]:
    """Return the trailer fields for the client: a field that is removed from the head must not come as a trailer."""
    return trailers if rules.edits is None else rules.edits.kept_pairs(trailers)


def _edited(lines: list[FieldLine[ResponseField]], rules: ResponseRules) -> bytes:
    """Return the finished lines after the configuration's edits."""
    if (editor := rules.edits) is None:
        return joined(lines)
    return editor.kept(joined(lines)) + editor.block


def switching_head(head: ResponseHead, protocol: bytes, rules: ResponseRules, via: bytes) -> bytes:
    """Return the 101: the upstream's choice of sub-protocol and extensions is forwarded, CORS fields are not."""
    lines = _edited(
        [line for line in head.fields if line.meaning in {_FORWARD, _DATE, _LINK, _SET_COOKIE, _VARY}], rules
    )
    return b"%b%bConnection: Upgrade\r\nUpgrade: %b\r\n%b\r\n" % (
        status_line(101, head.reason),
        lines,
        protocol,
        via,
    )


def _without_named(lines: list[FieldLine[ResponseField]], options: list[bytes]) -> list[FieldLine[ResponseField]]:
    """Return the lines without those that the upstream's Connection names (RFC 9110 section 7.6.1)."""
    if len(options) == 1 and not names_fields(options[0]):
        return lines
    named = named_fields(options, _PROTECTED_FROM_CONNECTION)
    return [line for line in lines if line.name.lower() not in named]


def _merge_vary(lines: list[FieldLine[ResponseField]], vary_at: list[int]) -> None:
    """Add Origin to the last line of the upstream's Vary, unless a line has it or `*` (RFC 9110 section 12.5.5)."""
    if not vary_at:
        lines.append(_VARY_ORIGIN)
    elif not any(_COVERS_ORIGIN[lines[index].value] for index in vary_at):
        last = lines[vary_at[-1]]
        value = last.value.rstrip(b", \t")  # without empty members at the end (RFC 9110 section 5.6.1.2)
        lines[vary_at[-1]] = last.with_value(value + b", Origin" if value else b"Origin")


_VARY_ORIGIN: Final = FieldLine(_VARY, b"Vary", b"Origin")


def _covers_origin(value: bytes) -> bool:
    """Return whether a value of Vary names Origin, or is `*`."""
    members = {member.strip().lower() for member in value.split(b",")}
    return b"*" in members or b"origin" in members


_COVERS_ORIGIN: Final = NameTable(_covers_origin)
"""The cached results of `_covers_origin`; an upstream sends few different values."""
