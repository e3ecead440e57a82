"""The strict parser for the origins of a configuration.

A pattern is an origin, an origin whose leftmost label or port is a star, `*`, `null`, or a regular expression.
Anything else is a `PatternError` that names the rule and, if it can be guessed, the correct spelling.
It must not know policies: dangers are judged elsewhere.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from enum import Enum

from corsproxy.cors.hosts import MAX_DOMAIN, is_domain, is_host
from corsproxy.cors.origins import DEFAULT_PORTS, MAX_SCHEME, Origin
from corsproxy.cors.spelling import broken_rules, right_spelling

EXTENSION_SCHEMES = ("chrome-extension", "moz-extension", "safari-web-extension", "vscode-webview")
"""Schemes whose hosts the browser generates, in Firefox anew for each installation, so they cannot be listed."""


class PatternKind(Enum):
    """What a pattern compares."""

    ANY = "any"
    """`*`: every origin."""
    NULL = "null"
    """The literal `null`."""
    EXACT = "exact"
    """One host."""
    SUBDOMAINS = "subdomains"
    """`*.` before a domain: one or more labels there."""
    LABEL = "label"
    """A star inside the leftmost label."""
    SCHEME = "scheme"
    """Any host of an extension's scheme."""
    REGEX = "regex"
    """A regular expression, compared with the whole origin."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """One parsed item of `allow_origins`."""

    text: str
    """As written; for EXACT without `any_port`, the serialized origin itself."""
    kind: PatternKind
    scheme: str = ""
    """Empty for ANY, NULL and REGEX, as are the host and its parts."""
    host: str = ""
    """The whole host for EXACT, else the domain after the leftmost label."""
    port: int | None = None
    """None is the scheme's default, or any port if `any_port` is true."""
    any_port: bool = False
    prefix: str = ""
    """Only for LABEL: the start of the leftmost label; empty, or ends with a hyphen."""
    suffix: str = ""
    """Only for LABEL: the end of the leftmost label; empty, or begins with a hyphen."""
    regex: re.Pattern[str] | None = None
    """Only for REGEX."""

    @property
    def origin(self) -> Origin | None:
        """Return the only origin that this pattern matches; None if it matches several."""
        if self.kind is not PatternKind.EXACT or self.any_port:
            return None
        return Origin(self.scheme, self.host, self.port)


class PatternError(ValueError):
    """Text that is not a pattern; `rule` is the reason, `spelling` the correct form if it is known."""

    def __init__(self, rule: str, spelling: str | None = None) -> None:
        self.rule = rule
        self.spelling = spelling
        super().__init__(f"{rule}; write '{spelling}'" if spelling else rule)


_PATTERN = re.compile(r"([a-z][a-z0-9+.\-]*+)://(\[[0-9a-f:]++\]|[a-z0-9_.\-*]++)(?::(\*|[0-9]++))?")
_STAR_SCHEMES = ("http", "https")


def parse_pattern(text: str) -> Pattern:
    """Parse an origin, an origin with a star, `*` or `null`; raise `PatternError` for anything else."""
    if text == "*":
        return Pattern(text, PatternKind.ANY)
    if text == "null":
        return Pattern(text, PatternKind.NULL)
    match = _PATTERN.fullmatch(text)
    if match is None or len(match[1]) > MAX_SCHEME:
        raise PatternError(broken_rules(text), _checked(right_spelling(text), text))
    scheme, host, port_text = match.groups()
    port = _port(text, scheme, port_text)
    if host == "*" and scheme in EXTENSION_SCHEMES and port_text is None:
        return Pattern(text, PatternKind.SCHEME, scheme)
    any_port = port_text == "*"
    if any_port and scheme not in _STAR_SCHEMES:
        raise PatternError("stars in ports are for http and https origins; name the port")
    if "*" in host:
        return _starred(text, scheme, host, port, any_port=any_port)
    if not is_host(host):
        raise PatternError(broken_rules(text), _checked(right_spelling(text), text))
    return Pattern(text, PatternKind.EXACT, scheme, host, port, any_port)


def parse_regex(text: str) -> Pattern:
    """Compile a regular expression over whole origins; raise `PatternError` if it does not compile."""
    if not text:
        raise PatternError("the regular expression is empty and would match nothing")
    try:
        # `re` warns about future changes of its syntax, on which the user cannot act.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            regex = re.compile(text)
    except re.error as error:
        at = "" if error.pos is None else f" at character {error.pos + 1}"
        everybody = '; for everyone, instead of the regex, write "*"' if text in ("*", "**") else ""
        raise PatternError(f"the regular expression does not compile: {error.msg}{at}{everybody}") from None
    except (OverflowError, RecursionError):
        raise PatternError("the regular expression does not compile: it repeats or nests too much") from None
    return Pattern(text, PatternKind.REGEX, regex=regex)


def _port(text: str, scheme: str, digits: str | None) -> int | None:
    """Return the port, or None for no port or any port."""
    if digits is None or digits == "*":
        return None
    spelling = _checked(right_spelling(text), text)
    # The length first, so that a huge number is never converted.
    if len(digits.lstrip("0")) > 5 or int(digits) > 65535:
        raise PatternError("a port is at most 65535")
    port = int(digits)
    if port == 0:
        raise PatternError("no page can be served from port 0; use the real port, or ':*' for any")
    if port == DEFAULT_PORTS.get(scheme):
        raise PatternError(f"browsers omit {port}, the default port of {scheme}", spelling)
    if digits.startswith("0"):
        raise PatternError("a port has no leading zeros", spelling)
    return port


def _starred(text: str, scheme: str, host: str, port: int | None, *, any_port: bool) -> Pattern:
    """Return the pattern of a host with a star, which is allowed only in the leftmost label."""
    label, dot, domain = host.partition(".")
    if scheme not in _STAR_SCHEMES:
        known = ", ".join(f"{one}://*" for one in EXTENSION_SCHEMES)
        raise PatternError(
            f"stars are for http and https origins, and whole hosts of extensions ({known}); name the host"
        )
    if "*" in domain or "*" not in label:
        raise PatternError("only the leftmost label of a host may have a star; list the hosts, or use 'regex: …'")
    if label.count("*") > 1:
        raise PatternError("a host has at most one star; list the hosts, or use 'regex: …'")
    if not dot:
        raise PatternError("a star needs a domain after it, 'https://*.example.com'; for any origin write \"*\"")
    if not is_domain(domain) or len(host) > MAX_DOMAIN:
        raise PatternError("the star must precede a domain name, as in 'https://*.example.com'")
    prefix, suffix = label.split("*")
    if not prefix and not suffix:
        return Pattern(text, PatternKind.SUBDOMAINS, scheme, domain, port, any_port)
    if (prefix and not prefix.endswith("-")) or (suffix and not suffix.startswith("-")):
        raise PatternError(
            "a star inside a label needs a hyphen or the label's edge on each side, as 'https://shop-*-team.example.com'"
            "; else list the hosts, or use 'regex: …'"
        )
    if len(label) > 63:
        raise PatternError("a label has at most 63 characters")
    return Pattern(text, PatternKind.LABEL, scheme, domain, port, any_port, prefix, suffix)


def _checked(spelling: str | None, text: str) -> str | None:
    """Return the proposed spelling if it is valid and different, else None."""
    if spelling is None or spelling == text:
        return None
    try:
        parse_pattern(spelling)
    except PatternError:
        return None
    return spelling
