"""The path of a route, and the prefix that it strips: text to segments, strictly.

A route path is compared with what clients send byte for byte, so it is written as it appears on the wire.
Spellings that the data path refuses as ambiguous (encoded slashes, dot segments) could never match: they are refused.
It must not know upstreams, nor which route wins.
"""

from __future__ import annotations

import re
from itertools import count
from posixpath import normpath
from urllib.parse import quote as percent_encode

from corsproxy.config.problems import RefusedError, quote

_PARAMETER = re.compile(r"\{[A-Za-z_][A-Za-z0-9_-]*\}")
_PCHAR = "A-Za-z0-9._~!$&'()+,;=:@-"
"""The characters of a segment that need no escape (RFC 3986 section 3.3), except the star: see `_refuse_star`."""
_LITERAL = re.compile(f"(?:[{_PCHAR}]|%[0-9A-F]{{2}})*")
_SAFE = "._~!$&'()*+,;=:@-/%{}"
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_REGEX = re.compile(r"^\^|\$$|\.[*+]|\\[dwSs./]|\[[^\]]+\][*+]?|\(\?")
"""Signs of a regular expression, as other gateways have them; no URL contains them."""
_NGINX_SIGNS = re.compile(r"\A(?:=|~\*?|\^~)\s*\^?")
_HOST_BEFORE = re.compile(r"https?://|[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::[0-9]+)?/", re.IGNORECASE)
_PARAMETER_SLIP = re.compile(r"(?:<(?:\w+:)?|\{)(?P<name>[A-Za-z_][\w-]*)(?::[^/{}<>]*|\.\.\.|\?)?[>}]", re.ASCII)
_COLON_PARAMETER = re.compile(r":(?P<name>[A-Za-z_][A-Za-z0-9_]*)\??")
_AMBIGUOUS = {
    "%2F": "an encoded slash",
    "%5C": "an encoded backslash",
    "%25": "an encoded percent sign",
    "%2E": "an encoded dot",
}
"""Two servers read these differently: a request with one is refused wherever it would change the route."""

Segments = tuple[str | None, ...]


def parse_route_path(text: str) -> str:
    """Check the path of a route and return it unchanged; raise `RefusedError` with the correct spelling."""
    _refuse_regex(text)
    if not text.startswith("/"):
        if text.startswith("*"):
            _refuse_star(f"/{text}", text)
        rule = "a path begins with '/'"
        right = _canonical("/" + _NGINX_SIGNS.sub("", text).lstrip("/"))
        if _HOST_BEFORE.match(text):
            rule += ", and the key 'host' takes a host"
            right = "/" + text.partition("://")[2 if "://" in text else 0].partition("/")[2]
        raise RefusedError(f"invalid path {quote(text)}: {rule}: write {right}")
    for sign, noun in (("?", "query"), ("#", "fragment")):
        if sign in text:
            raise RefusedError(
                f"invalid path {quote(text)}: a route has no {noun}; a literal {sign} is %{ord(sign):02X}"
            )
    _refuse_star(text)
    if any(_PARAMETER_SLIP.fullmatch(part) and not _PARAMETER.fullmatch(part) for part in _split(text)):
        raise RefusedError(
            f"invalid path {quote(text)}: a parameter is written {{name}}: write {with_parameters(text)}"
        )
    for segment in _split(text):
        _check_segment(segment, text)
    for segment in _split(text):  # last, so that the spelling shown is right in everything else
        if not _PARAMETER.fullmatch(segment) and (not _LITERAL.fullmatch(segment) or _canonical(segment) != segment):
            raise RefusedError(f"invalid path {quote(text)}: paths are written as sent: write {_canonical(text)}")
    return text


def with_parameters(text: str) -> str:
    """Return a path with `{name}` in place of the parameters of other programs: `:name`, `<int:name>`, `{name:int}`."""
    found = ((_PARAMETER_SLIP.fullmatch(part) or _COLON_PARAMETER.fullmatch(part), part) for part in text.split("/"))
    return "/".join(f"{{{match['name']}}}" if match else part for match, part in found)


def segments(path: str, *, exact: bool) -> Segments:
    """Return the segments of a checked path; None is a `{name}`.

    A trailing slash is dropped for a prefix and is an empty last segment for an exact route; `/` is `()`.
    """
    parts: Segments = tuple(None if _PARAMETER.fullmatch(part) else part for part in _split(path))
    return (*parts, "") if exact and path.endswith("/") and path != "/" else parts


def literal_prefix(path: str) -> str:
    """Return the leading part of a checked path before the first `{name}`, without a trailing slash."""
    literal = []
    for part in segments(path, exact=False):
        if part is None:
            break
        literal.append(part)
    return "".join(f"/{part}" for part in literal)


def parse_cookie_path(text: str) -> str:
    """Parse a Path attribute (RFC 6265 section 4.1.1: any characters but controls and `;`; here ASCII)."""
    if not text.startswith("/"):
        raise RefusedError(f"invalid path {quote(text)}: expected rewrite, keep, or a path that begins with '/'")
    if ";" in text or not text.isascii() or not text.isprintable():
        raise RefusedError(f"invalid path {quote(text)}: a cookie's path is printable ASCII without ';'")
    return text


def parse_strip_prefix(text: str) -> str:
    """Check a prefix to strip; the route checks that it is a prefix of its path."""
    if not text.startswith("/"):
        raise RefusedError(f"invalid prefix {quote(text)}: expected true, false or a path that begins with '/'")
    parse_route_path(text)
    if None in segments(text, exact=False):
        raise RefusedError(f"invalid prefix {quote(text)}: a prefix is literal and cannot contain a {{name}}")
    return text if text == "/" else text.removesuffix("/")


def is_whole_prefix(prefix: str, path: str) -> bool:
    """Return whether `prefix` is made of the leading segments of `path`, all literal."""
    literal = literal_prefix(path)
    return prefix in ("/", literal) or literal.startswith(f"{prefix}/")


def _split(path: str) -> list[str]:
    trimmed = path.removeprefix("/").removesuffix("/")
    return trimmed.split("/") if trimmed else ([] if path == "/" else [""])


def _refuse_regex(text: str) -> None:
    """Refuse a regular expression, with the path that matches the same requests."""
    if not _REGEX.search(text):
        return
    plain = text.lstrip("^").removesuffix("$")
    plain = re.sub(r"\(\?P<(\w+)>[^()/]+\)", r"{\1}", plain)
    numbers = count(1)
    plain = re.sub(r"/(\.\*|\(\.\*\)|\(/\.\*\)\?)?$|\(/\.\*\)\?$|\.\*$", "", plain)
    segments = [
        f"{{part{next(numbers)}}}" if re.search(r"[()\[\]*+?\\|^]", segment) and "{" not in segment else segment
        for segment in plain.split("/")
    ]
    right = "/".join(segments).replace("{part1}", "{part}") or "/"
    right = right if right.startswith("/") else f"/{right}"
    raise RefusedError(
        f"invalid path {quote(text)}: a path is not a regular expression, {{name}} is one whole segment and everything "
        f"below matches: write {right}"
    )


def _refuse_star(text: str, written: str = "") -> None:
    if "*" in text:
        right = re.sub(r"(/\*+)+$", "", text) or "/"
        names = count(1)
        rule = "a star is not a wildcard, a route matches everything below its path"
        if "*" in right:
            rule = "a star is not a wildcard, {name} is one whole segment"
            parts = [f"{{name{next(names)}}}" if "*" in part else part for part in right.split("/")]
            right = "/".join(parts).replace("{name1}", "{name}")
        raise RefusedError(f"invalid path {quote(written or text)}: {rule}: write {right}")


def _check_segment(segment: str, text: str) -> None:
    if segment in ("", ".", ".."):
        right = normpath(text).replace("//", "/")
        raise RefusedError(f"invalid path {quote(text)}: it has '//', '/./' or '/../' in it: write {right}")
    if _PARAMETER.fullmatch(segment):
        return
    if "{" in segment or "}" in segment:
        raise RefusedError(
            f"invalid path {quote(text)}: {quote(segment)} is not a {{name}}, which is one whole segment "
            "of letters, digits, '_' and '-'"
        )
    for escape in _ESCAPE.finditer(segment):
        if noun := _AMBIGUOUS.get(escape[0].upper()):
            raise RefusedError(
                f"invalid path {quote(text)}: servers read {noun} ({escape[0]}) in different ways, "
                "so requests with it are refused; route the path above it",
                "unreachable",
            )
    if "\\" in segment:
        raise RefusedError(
            f"invalid path {quote(text)}: some servers read a backslash as a slash, so requests with it are refused",
            "unreachable",
        )
    if segment.count("%") != len(_ESCAPE.findall(segment)):
        raise RefusedError(
            f"invalid path {quote(text)}: a percent sign begins an escape of two hexadecimal digits, such as %20"
        )


def _canonical(path: str) -> str:
    """Return a path as a browser sends it: escapes in upper case, none where none is needed, all others escaped."""

    def spell(escape: re.Match[str]) -> str:
        character = chr(int(escape[1], 16))
        return character if re.fullmatch(f"[{_PCHAR}]", character) else escape[0].upper()

    return _ESCAPE.sub(spell, percent_encode(path, safe=_SAFE, errors="surrogateescape"))
