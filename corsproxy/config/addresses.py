"""Hosts, ports, addresses to listen on and networks, as the file and the command line write them.

Text to values: nothing is resolved or opened.
Every parser raises `RefusedError`, with the right spelling if there is one.
"""

from __future__ import annotations

import contextlib
import ipaddress
import re

from corsproxy.config.problems import RefusedError, did_you_mean, quote
from corsproxy.cors import CARRIED, PatternError, parse_pattern
from corsproxy.settings import Address, Network, TcpAddress, UnixAddress

_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
"""A label of a host name (RFC 1123 section 2.1), plus the underscore of service names in container networks."""
_MAX_HOST = 253
_MAX_UNIX_PATH = 107
"""sun_path holds 108 bytes on Linux, the last of them zero (unix(7))."""
_NUMERIC = re.compile(r"[0-9]+|0x[0-9a-f]*")
"""A last label like this makes the host an IPv4 address in another spelling (WHATWG URL, "ends in a number")."""


def parse_listen(text: str) -> Address:
    """Parse `HOST:PORT`, `[V6]:PORT`, a bare `PORT` (loopback) or `unix:/path`."""
    if text.startswith("unix:"):
        return UnixAddress(unix_socket_path(text.removeprefix("unix:"), text))
    if text.isascii() and text.isdecimal():
        if len(text) > 5 or int(text) > 65535:
            raise RefusedError(f"invalid port {quote(text)}: expected a number of at most 65535")
        return TcpAddress("127.0.0.1", int(text))
    if text.startswith((":", "*:")) and text.count(":") == 1:
        port = text.rpartition(":")[2]
        right = f"0.0.0.0:{port if port.isascii() and port.isdecimal() else 8080}"
        raise RefusedError(f"invalid address {quote(text)}: for all addresses of the machine write {right}")
    if "://" in text:
        right = text.partition("://")[2].partition("/")[0]
        raise RefusedError(f"invalid address {quote(text)}: it must not have a scheme or path: write {right}")
    host, port_number = parse_authority(text)
    if port_number is None:
        raise RefusedError(f"invalid address {quote(text)}: the port is missing: write {text}:8080")
    return TcpAddress(host.strip("[]"), port_number)


def parse_authority(text: str) -> tuple[str, int | None]:
    """Parse `HOST` or `HOST:PORT`: the host in lower case, IPv6 in brackets; the port None if there is none."""
    if text.count(":") > 1 and not text.startswith("["):
        raise RefusedError(f"invalid host {quote(text)}: an IPv6 address needs brackets: [::1] or [::1]:8080")
    if text.startswith("["):
        inside, bracket, rest = text.partition("]")
        host, separator, port = inside + bracket, rest[:1], rest[1:]
        if not bracket or separator not in ("", ":"):
            raise RefusedError(f"invalid host {quote(text)}: expected [V6] or [V6]:PORT")
    else:
        host, separator, port = text.partition(":")
    return parse_host(host), _port(port, text) if separator else None


def parse_host(text: str) -> str:
    """Parse a host name or address; return it in lower case, IPv6 compressed and in brackets."""
    if not text:
        raise RefusedError("missing host: the value is empty; write one, or remove it", "missing")
    if text.startswith("["):
        try:
            return f"[{ipaddress.IPv6Address(text[1:-1]).compressed}]"
        except ValueError:
            raise RefusedError(f"invalid IPv6 address {quote(text)}") from None
    if not text.isascii():
        raise RefusedError(f"invalid host {quote(text)}: write it in its ASCII form{punycode(text)}")
    host = text.lower()
    name = host.removesuffix(".")
    labels = name.split(".")
    if _NUMERIC.fullmatch(labels[-1]):
        try:
            return str(ipaddress.IPv4Address(name))
        except ValueError:
            raise RefusedError(
                f"invalid IPv4 address {quote(text)}: four numbers of 0 to 255, as in 127.0.0.1"
            ) from None
    if len(name) > _MAX_HOST or not all(map(_LABEL.fullmatch, labels)):
        raise RefusedError(
            f"invalid host {quote(text)}: a host has letters, digits, '-' and '_', in labels separated by dots"
        )
    return host


def parse_route_host(text: str) -> tuple[str, int | None]:
    """Parse the `host` of a route: the host in lower case, and the port if it is written."""
    _refuse_url(text)
    star, rest = ("*.", text[2:]) if text.startswith("*.") else ("", text)
    if "*" in rest or not rest:
        raise RefusedError(
            f"invalid host {quote(text)}: a star stands for whole leading labels, as in '*.example.com'; "
            "omit the key to match every host"
        )
    host, port = parse_authority(rest)
    if star and (host.startswith("[") or _NUMERIC.fullmatch(host.rpartition(".")[2])):
        raise RefusedError(f"invalid host {quote(text)}: an address has no labels; write it without the star")
    if port == 0:
        raise RefusedError(f"invalid host {quote(text)}: no request can have port 0")
    if host.endswith("."):
        raise RefusedError(
            f"invalid host {quote(text)}: the final dot is not sent: write {text.replace(host, host[:-1])}"
        )
    return star + host, port


def parse_public_origin(text: str) -> str:
    """Parse an origin of the proxy's own, as browsers know it."""
    try:
        origin = parse_pattern(text).origin
    except PatternError as error:
        raise RefusedError(f"invalid origin {quote(text)}: {error}") from None
    if origin is None or origin.scheme not in ("http", "https"):
        raise RefusedError(
            f"invalid origin {quote(text)}: write one http or https origin, such as https://api.example.com"
        )
    return text


def parse_method(text: str) -> str:
    """Parse a method of a route: one that the proxy can carry."""
    if text.encode("ascii", "replace") in CARRIED:
        return text
    known = [method.decode() for method in CARRIED]
    if text.upper() in known:
        raise RefusedError(f"invalid method {quote(text)}: methods are case-sensitive: write {text.upper()}")
    if text == "*":
        raise RefusedError("invalid method '*': omit the key to match every method")
    hint = did_you_mean(text, known) or ": this proxy cannot carry it; remove it"
    raise RefusedError(f"invalid method {quote(text)}{hint}")


def parse_host_header(text: str) -> str:
    """Check a value for the Host field (RFC 9110 section 7.2), and return it as written."""
    _refuse_url(text)
    parse_authority(text)
    return text


def parse_admin_host(text: str) -> str:
    """Parse a host name for the admin listener; it has no port, because every port is accepted."""
    _refuse_url(text)
    host, port = parse_authority(text)
    if port is not None:
        raise RefusedError(f"invalid host {quote(text)}: it applies to every port: write {host}")
    return host


def parse_server_name(text: str) -> str:
    """Parse the name to request from a TLS server: a host name, or an address without brackets.

    Anything else would fail in the IDNA encoder at every handshake.
    """
    _refuse_url(text)
    if text.startswith("*."):
        raise RefusedError(f"invalid name {quote(text)}: a client asks for one name: write www{text[1:]}")
    if text.count(":") > 1:
        return parse_host(f"[{text.strip('[]')}]").strip("[]")
    host, port = parse_authority(text)
    if port is not None:
        raise RefusedError(f"invalid name {quote(text)}: a certificate's name has no port: write {host}")
    return host


def parse_cookie_domain(text: str) -> str:
    """Parse a Domain attribute (RFC 6265 section 5.2.3 ignores a leading dot, so it is refused here)."""
    if text.startswith("."):
        raise RefusedError(f"invalid domain {quote(text)}: a leading dot has no effect: write {text.lstrip('.')}")
    if "/" in text or ":" in text.rpartition("]")[2]:
        host = re.split("[:/?#]", text.partition("://")[2] or text, maxsplit=1)[0]
        raise RefusedError(f"invalid domain {quote(text)}: a cookie's domain has no scheme, port or path: write {host}")
    return parse_host(text)


def parse_network(text: str) -> Network:
    """Parse an address or a network in CIDR notation."""
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        pass
    try:
        wider = ipaddress.ip_network(text, strict=False)
    except ValueError:
        hint = "expected an address or a network, such as 10.0.0.0/8 or fd00::/8"
        if right := _likely_network(text):
            hint += f": write {right}"
        elif re.fullmatch(r"[a-z][a-z0-9.-]*", text, re.IGNORECASE) and text.lower() not in ("any", "all", "none"):
            hint += "; names are not looked up"
        raise RefusedError(f"invalid network {quote(text)}: {hint}") from None
    raise RefusedError(
        f"invalid network {quote(text)}: the address has bits set beyond the mask; for the whole network write {wider}"
    )


def _likely_network(text: str) -> str | None:
    """Return the network of `10.0.*`, or the address of `10.0.0.1:80`."""
    right = ""
    if found := re.fullmatch(r"([0-9.]+?)(?:\.\*){1,3}", text):
        octets = found[1].split(".")
        right = ".".join([*octets, "0", "0", "0"][:4]) + f"/{8 * len(octets)}"
    elif found := re.fullmatch(r"([0-9.]+):[0-9]+|\[([0-9a-fA-F:.]+)\](?::[0-9]+)?", text):
        right = found[1] or found[2]
    with contextlib.suppress(ValueError):
        return str(ipaddress.ip_network(right)).removesuffix("/32").removesuffix("/128")
    return None


def _refuse_url(text: str) -> None:
    if "/" in text:
        host = (text.partition("://")[2] or text).partition("/")[0]
        raise RefusedError(f"invalid host {quote(text)}: a host has no scheme or path: write {host}")


def unix_socket_path(path: str, text: str) -> str:
    """Check the path of a Unix socket, part of `text`."""
    if path.startswith("//"):
        raise RefusedError(f"invalid socket {quote(text)}: write unix:{'/' + path.lstrip('/')}")
    if not path.startswith("/") or path.endswith("/"):
        raise RefusedError(
            f"invalid socket {quote(text)}: the path must be absolute: write unix:/{path.strip('/') or 'run/api.sock'}"
        )
    if len(path.encode()) > _MAX_UNIX_PATH:
        raise RefusedError(f"invalid socket {quote(text)}: a socket's path has at most {_MAX_UNIX_PATH} bytes")
    if "\0" in path:
        raise RefusedError(f"invalid socket {quote(text)}: a path has no NUL")
    return path


def _port(text: str, whole: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 5 and int(text) <= 65535):
        raise RefusedError(f"invalid port in {quote(whole)}: expected a number of at most 65535 after the colon")
    return int(text)


def punycode(host: str) -> str:
    """Return `: ` and the ASCII form of a host with its port, or nothing if there is none to show."""
    name, colon, port = host.partition(":")
    try:
        right = name.encode("idna").decode().lower()
    except UnicodeError:
        return ""
    return f": {right}{colon}{port}" if all(map(_LABEL.fullmatch, right.split("."))) and port.isascii() else ""
