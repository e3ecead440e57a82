"""Connection-based logins in `Authorization` and `WWW-Authenticate`: grammar only.

With NTLM and Negotiate (RFC 4559) a server remembers for the connection who has logged in: the next request there is
served as that user, whichever client sends it.
Bytes in, values out; nothing here raises, because upstreams and clients wrote the input.
It must not know connections, which are the business of `logins.py`.
"""

from __future__ import annotations

import re

_SCHEMES = frozenset({b"ntlm", b"negotiate", b"nego2"})
"""Lower case. Nego2 is Microsoft's later name for Negotiate with extensions ([MS-NEGOEX])."""

_SCHEME = rb"(?:ntlm|negotiate|nego2)"

_ANYWHERE = re.compile(rb"(?:^|[\s,])" + _SCHEME + rb"(?:[\s,]|$)", re.IGNORECASE)
"""For values that cannot be parsed: the name as a word of its own."""

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_ELEMENT = re.compile(rb'((?:[^",]|"(?:[^"\\]|\\.)*")*)(?:,|$)', re.DOTALL)
"""One element of a list (RFC 9110 section 5.6.1); commas inside quotes separate nothing."""

_PARAMETER = re.compile(_TOKEN + rb'[ \t]*=[ \t]*(?:"|[^=" \t])')
"""How an element begins that belongs to the challenge before it (RFC 9110 section 11.2); `Basic a=b` begins otherwise,
and `Negotiate YII=` has its token68 behind a space."""


def login_scheme(value: bytes) -> bytes | None:
    """Return the scheme, as written, if a value of `Authorization` or `WWW-Authenticate` names such a login."""
    lower = value.lower()
    if lower.find(b"nego") < 0 and lower.find(b"ntlm") < 0:  # at once: the expression takes its time over a token
        return None
    if not _ANYWHERE.search(value):
        return None
    challenges = _challenges(value)
    if challenges is None:
        found = _ANYWHERE.search(value)
        return found.group().strip(b" \t\r\n,") if found else None
    return next((name for name in map(_name, challenges) if name.lower() in _SCHEMES), None)


def without_logins(value: bytes) -> bytes:
    """Return the other challenges of a `WWW-Authenticate` value; nothing if there is none, or it cannot be parsed."""
    challenges = _challenges(value)
    if challenges is None:
        return b""
    return b", ".join(challenge for challenge in challenges if _name(challenge).lower() not in _SCHEMES)


def _name(challenge: bytes) -> bytes:
    return re.split(rb"[ \t]", challenge, maxsplit=1)[0]


def _challenges(value: bytes) -> list[bytes] | None:
    """Split a value into its challenges (RFC 9110 section 11.6.1); None if its quotes do not fit."""
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
