"""URLs of upstreams, and their further origins.

Text to values: nothing is resolved or opened.
Every parser raises `RefusedError`, with the right spelling if there is one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from corsproxy.config.addresses import parse_authority, punycode, unix_socket_path
from corsproxy.config.problems import RefusedError, nearest, quote
from corsproxy.cors import is_scheme_alone, mend_separator
from corsproxy.settings import authority

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_SOCKET = re.compile(r"/(?:var/run|run|tmp)/.+|/.+\.sock(?:et)?")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True)
class UpstreamUrl:
    """The parts of an upstream's URL, named as in `settings.Upstream`."""

    scheme: Literal["http", "https"]
    host: str
    port: int
    unix_path: str | None = None
    base_path: str = ""
    base_query: str = ""

    @property
    def origin(self) -> str:
        """The URL's origin, serialized."""
        return f"{self.scheme}://{authority(self.scheme, self.host, self.port)}"


def parse_upstream_url(text: str) -> UpstreamUrl:
    """Parse `http://HOST[:PORT][/base][?query]`, the same with `https`, or `unix:/path[:/base][?query]`."""
    _refuse_user_information(text)
    _refuse_slips(text)
    _refuse_characters(text)
    if "#" in text:
        raise RefusedError(
            f"invalid URL {quote(text)}: a fragment is never sent to a server; remove '#' and everything after it"
        )
    address, _, query = text.partition("?")
    _refuse_escapes(address, text)
    if address.startswith("unix:"):
        socket, _, base = address.removeprefix("unix:").partition(":")
        unix_path = unix_socket_path(socket, text)
        return UpstreamUrl("http", "localhost", 80, unix_path, _base_path(base, text), query)
    scheme = _scheme(address, text)
    host_and_port, slash, path = address.partition("://")[2].partition("/")
    if re.fullmatch("(?::[0-9]*)?", host_and_port):
        right = f"{address.partition('://')[0]}://localhost{host_and_port}{slash}{path}"
        hint = f": write {right}" if host_and_port else f", as in {scheme}://localhost:8000"
        raise RefusedError(f"missing host in {quote(text)}{hint}", "missing")
    host, port = parse_authority(host_and_port)
    if port == 0:
        raise RefusedError(f"invalid URL {quote(text)}: nothing listens on port 0")
    port = port or (443 if scheme == "https" else 80)
    return UpstreamUrl(scheme, host.strip("[]"), port, None, _base_path(slash + path, text), query)


def parse_upstream_origin(text: str) -> str:
    """Parse a further origin of an upstream, and return it serialized: lower case, no default port."""
    url = parse_upstream_url(text)
    if url.unix_path is not None:
        raise RefusedError(f"invalid origin {quote(text)}: an alias is an http or https origin")
    if url.base_path or url.base_query or text.endswith(("/", "?")):
        raise RefusedError(f"invalid origin {quote(text)}: an origin has no path: write {url.origin}")
    return url.origin


def _scheme(address: str, text: str) -> Literal["http", "https"]:
    if not (found := _SCHEME.match(address)):
        if _SOCKET.fullmatch(address):
            raise RefusedError(f"invalid URL {quote(text)}: a socket has a scheme too: write unix:{text}")
        rest = address.lstrip("/") or "localhost:8000"
        raise RefusedError(f"invalid URL {quote(text)}: the scheme is missing: write http://{rest}")
    scheme = found[1].lower()
    if scheme == "http":
        return "http"
    if scheme == "https":
        return "https"
    if scheme in ("ws", "wss"):
        right = scheme.replace("ws", "http") + text[len(scheme) :]
        raise RefusedError(f"invalid URL {quote(text)}: a WebSocket starts as HTTP: write {right}")
    if near := nearest(scheme, ("http", "https")):
        raise RefusedError(f"invalid scheme {quote(scheme)}: write {near}{text[len(scheme) :]}")
    raise RefusedError(f"invalid scheme {quote(scheme)}: an upstream is http://, https:// or unix:/path")


def _base_path(path: str, text: str) -> str:
    if path and not path.startswith("/"):
        raise RefusedError(f"invalid URL {quote(text)}: the base path begins with '/': write unix:/path:/base")
    trimmed = path.removesuffix("/")
    if any(segment in ("", ".", "..") for segment in trimmed.split("/")[1:]) or "\\" in trimmed:
        raise RefusedError(f"invalid base path {quote(path)}: write it without '//', '/./', '/../' and backslash")
    return trimmed


def _refuse_user_information(text: str) -> None:
    """Refuse a URL with a password before any message quotes it."""
    address = re.sub(r"\A\W*(?:https?(?=[:;/\\])|[A-Za-z][A-Za-z0-9+.-]*(?=:[/\\]))[:;/\\]*", "", text)
    written = re.split(r"[/?#\\]", address, maxsplit=1)[0]
    if "@" in written and not text.startswith("unix:"):
        raise RefusedError(
            f"prohibited user information in the URL of {quote(written.rpartition('@')[2])}: "
            "passwords in URLs end up in logs; remove it, clients send their own Authorization",
            "prohibited",
        )


def _refuse_slips(text: str) -> None:
    """Refuse what is around a URL, or in the place of its `://`."""
    bare = text.strip("\"'`<> \t\r\n")
    if bare != text and "://" in bare:
        raise RefusedError(f"invalid URL {quote(text)}: nothing else may stand around it: write {bare}")
    if is_scheme_alone(text):
        raise RefusedError(f"missing host in {quote(text)}, as in http://localhost:8000", "missing")
    if (right := mend_separator(text)) != text:
        right = re.sub(r"\A(https?://)(?=[0-9]+(?:/|\Z))", r"\1localhost:", right, flags=re.IGNORECASE)
        raise RefusedError(f"invalid URL {quote(text)}: '://' stands between scheme and host: write {right}")
    if text.lower().startswith(("http://unix:/", "https://unix:/")):
        raise RefusedError(f"invalid URL {quote(text)}: write {text.partition('://')[2]}")


def _refuse_characters(text: str) -> None:
    if not text:
        raise RefusedError("missing URL: write http://HOST:PORT", "missing")
    for character in text:
        if not character.isascii():
            host = _SCHEME.sub("", text).partition("/")[0]
            right = punycode(host) if not host.isascii() else f": {_percent(character)} for {character!r}"
            raise RefusedError(f"invalid URL {quote(text)}: a URL must be ASCII{right}")
        if character <= " " or character == "\x7f":
            raise RefusedError(
                f"invalid URL {quote(text)}: remove the {character!r}, or write it as {_percent(character)}"
            )


def _refuse_escapes(address: str, text: str) -> None:
    if found := _BAD_ESCAPE.search(address):
        raise RefusedError(
            f"invalid URL {quote(text)}: {address[found.start() : found.start() + 3]!r} is not a percent-escape"
        )


def _percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogateescape"))
