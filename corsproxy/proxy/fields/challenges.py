"""The grammar of connection-based logins in `Authorization` and `WWW-Authenticate`.

With NTLM and Negotiate (RFC 4559) a server authenticates the connection: the next request on it is served as the same
user, whichever client sends it.
Bytes in, values out; nothing here raises, because upstreams and clients wrote the input.
It must not know connections; `logins.py` does.
"""

from __future__ import annotations

import re

_SCHEMES = frozenset({b"ntlm", b"negotiate", b"nego2"})
"""Lower case. Nego2 is Microsoft's later name for Negotiate with extensions ([MS-NEGOEX])."""

_SCHEME = rb"(?:ntlm|negotiate|nego2)"

_ANYWHERE = re.compile(rb"(?:^|[\s,])" + _SCHEME + rb"(?:[\s,]|$)", re.IGNORECASE)
"""The scheme as a whole word, for values that cannot be parsed."""

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_ELEMENT = re.compile(rb'((?:[^",]|"(?:[^"\\]|\\.)*")*)(?:,|$)', re.DOTALL)
"""One element of a list (RFC 9110 section 5.6.1); a comma inside quotes does not separate elements."""

_PARAMETER = re.compile(_TOKEN + rb'[ \t]*=[ \t]*(?:"|[^=" \t])')
"""The beginning of an element that is another parameter of the challenge before it (RFC 9110 section 11.2).

A new challenge does not match: `Basic a=b` and `Negotiate YII=` have a space behind the scheme."""


def login_scheme(value: bytes) -> bytes | None:
    """Return the scheme, as written, of a connection-based login in `Authorization` or `WWW-Authenticate`, or None."""
    lower = value.lower()
    if lower.find(b"nego") < 0 and lower.find(b"ntlm") < 0:  # a quick test: the expression is slow on a long token
        return None
    found = _ANYWHERE.search(value)
    if found is None:
        return None
    challenges = _challenges(value)
    if challenges is None:
        return found.group().strip(b" \t\r\n,")
    return next((name for name in map(_name, challenges) if name.lower() in _SCHEMES), None)


def without_logins(value: bytes) -> bytes:
    """Return the other challenges of a `WWW-Authenticate` value; empty if there are none, or it cannot be parsed."""
    challenges = _challenges(value)
    if challenges is None:
        return b""
    return b", ".join(challenge for challenge in challenges if _name(challenge).lower() not in _SCHEMES)


def _name(challenge: bytes) -> bytes:
    return re.split(rb"[ \t]", challenge, maxsplit=1)[0]


def _challenges(value: bytes) -> list[bytes] | None:
    """Return the challenges of a value (RFC 9110 section 11.6.1); None if a quote is not closed."""
    challenges: list[list[bytes]] = []
    position = 0
    while position < len(value):
        match = _ELEMENT.match(value, position)
        if match is None:
            return None
        element = match[1].strip(b" \t")
        position = match.end()
        if not element:
            continue
        if challenges and _PARAMETER.match(element):
            challenges[-1].append(element)
        else:
            challenges.append([element])
    return [b", ".join(elements) for elements in challenges]
