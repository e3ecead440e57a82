"""The head of a response for the client, from the upstream's head and the grant.

Strip first, then add: hop-by-hop fields and every `Access-Control-*` are removed from every response; the rest
stays byte for byte and in order; Vary is merged and the grant comes last.
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
"""Fields that a connection option must not take away: without Content-Length the client could not tell where the
content ends."""


@dataclass(frozen=True, slots=True)
class ResponseRules:
    """The changes that a route makes to the fields of a response, compiled when the configuration is loaded."""

    enforces: bool
    """False in shadow mode: the upstream's CORS fields stay and no grant is written."""
    redirects: RedirectRewriter | None
    cookies: CookieRewriter | None
    edits: FieldEditor | None
    tells_lost_cookies: bool = False
    """True in quick mode, whose terminal reports cookies that a browser will reject."""


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

    `framing` are the finished lines that say where the content ends and what becomes of the connection.
    """
    lines, vary_at, options = _pass_on(
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
        # A wildcard would cover the proxy's own fields too, so the list that replaces it has them.
        own = [line.partition(b":")[0] for line in (via + framing).splitlines()]
        names = exposed_names((*(line.name for line in lines), *set_names, *own))
        if names:
            block += b"Access-Control-Expose-Headers: %b\r\n" % names
    if head.status == 426 and any(line.meaning is ResponseField.UPGRADE for line in lines):
        framing = b"Connection: Upgrade\r\n" + framing  # RFC 9110 section 7.8: beside any Upgrade
    return [status_line(head.status, head.reason), joined(lines), edited, block, via, framing]


def _pass_on(
    head: ResponseHead,
    rules: ResponseRules,
    *,
    proxy_origin: bytes,
    client_host: bytes,
    owns_timing: bool,
    trailers: bool,
) -> tuple[list[FieldLine[ResponseField]], list[int], list[bytes]]:
    """Return the lines to forward, the indexes of Vary among them, and the values of Connection."""
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
            lines.append(line if cookies is None else _saying(line, cookies.rewrite(line.value, proxy_origin)))
        elif meaning is _LOCATION or meaning is _LINK:
            lines.append(_turned_back(line, rules, proxy_origin, client_host))
        elif meaning is _TRAILER:
            if trailers and (names := _announced(line.value, rules)):
                lines.append(_saying(line, names))
        elif _is_kept(meaning, rules, owns_timing=owns_timing, status=head.status):
            lines.append(line)
    if not is_dated:
        # RFC 9110 section 6.6.1: a recipient with a clock adds what an origin server without one has left out.
        lines.append(FieldLine(_DATE, b"Date", date_value()))
    return lines, vary_at, options


def _turned_back(
    line: FieldLine[ResponseField], rules: ResponseRules, proxy_origin: bytes, client_host: bytes
) -> FieldLine[ResponseField]:
    """Return the line with the upstream's address replaced by the proxy's."""
    if rules.redirects is None:
        return line
    return _saying(line, rules.redirects.rewrite(line.name.lower(), line.value, proxy_origin, client_host))


def _saying(line: FieldLine[ResponseField], value: bytes) -> FieldLine[ResponseField]:
    """Return the line with another value."""
    return FieldLine(line.meaning, line.name, value)


def _keeps_length(head: ResponseHead) -> bool:
    return (head.framing is _LENGTH or head.framing is _NONE) and head.status != 204 and head.status != 205


def _announced(value: bytes, rules: ResponseRules) -> bytes:
    """Return the names of the trailer fields that the client will get; removed ones are not announced."""
    names = [name.strip(b" \t") for name in value.split(b",")]
    return b", ".join(
        name
        for name in names
        if name and RESPONSE_FIELDS[name] is _FORWARD and not (rules.edits is not None and rules.edits.edits(name))
    )


def _is_kept(code: ResponseField, rules: ResponseRules, *, owns_timing: bool, status: int) -> bool:
    """True if the line goes on as it is."""
    match code:
        case ResponseField.CORS:
            return not rules.enforces
        case ResponseField.TIMING:
            return not (owns_timing and rules.enforces)
        case ResponseField.UPGRADE:
            return status == 426  # it names the protocol that is required (RFC 9110 section 15.5.22)
        case _:
            return False


def interim_head(head: ResponseHead, rules: ResponseRules, proxy_origin: bytes, client_host: bytes) -> bytes:
    """Write an interim (1xx) response, without hop-by-hop and CORS fields."""
    kept = [
        _turned_back(line, rules, proxy_origin, client_host) if line.meaning is _LINK else line
        for line in head.fields
        if line.meaning in {_FORWARD, _DATE, _LINK}
    ]
    lines = _edited(kept, rules)
    return b"%b%b\r\n" % (status_line(head.status, head.reason), lines)


def client_trailers(trailers: Sequence[tuple[bytes, bytes]], rules: ResponseRules) -> Sequence[tuple[bytes, bytes]]:
    """Return the trailer fields for the client: a field that the head loses must not come back as a trailer."""
    return trailers if rules.edits is None else rules.edits.kept_pairs(trailers)


def _edited(lines: list[FieldLine[ResponseField]], rules: ResponseRules) -> bytes:
    """Return the lines as the configuration's edits leave them."""
    if (editor := rules.edits) is None:
        return joined(lines)
    return editor.kept(joined(lines)) + editor.block


def switching_head(head: ResponseHead, protocol: bytes, rules: ResponseRules, via: bytes) -> bytes:
    """Write the 101: the upstream's choice of sub-protocol and extensions goes to the client, no CORS field does."""
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
    """RFC 9110 section 7.6.1: what the upstream's Connection names was for this hop only."""
    if len(options) == 1 and not names_fields(options[0]):
        return lines
    named = named_fields(options, _PROTECTED_FROM_CONNECTION)
    return [line for line in lines if line.name.lower() not in named]


def _merge_vary(lines: list[FieldLine[ResponseField]], vary_at: list[int]) -> None:
    """Add Origin to the upstream's Vary, whichever of its lines it is on; `*` covers it (RFC 9110 section 12.5.5)."""
    if not vary_at:
        lines.append(_VARY_ORIGIN)
    elif not any(_COVERS_ORIGIN[lines[index].value] for index in vary_at):
        last = lines[vary_at[-1]]
        said = last.value.rstrip(b", \t")  # empty members are none (RFC 9110 section 5.6.1.2)
        lines[vary_at[-1]] = _saying(last, said + b", Origin" if said else b"Origin")


_VARY_ORIGIN: Final = FieldLine(_VARY, b"Vary", b"Origin")


def _covers_origin(value: bytes) -> bool:
    members = {member.strip().lower() for member in value.split(b",")}
    return b"*" in members or b"origin" in members


_COVERS_ORIGIN: Final = NameTable(_covers_origin)
"""For each value of Vary, whether it names Origin already; an upstream sends few different values."""
