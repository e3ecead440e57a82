"""Field lines as objects: the meaning of a line and its finished bytes, parsed once and then looked up.

A program repeats the same `Server`, `Content-Type` or `User-Agent` in every message, byte for byte. Such a line is
parsed when it is first seen and then kept in a bounded table. What may identify a person (a cookie, a credential, any
name that is not known to be harmless) is never kept.
Knows nothing about sockets or policies.
"""

from __future__ import annotations

from typing import Final, Generic, TypeVar

from corsproxy.proxy.table import Table, marking_all_but

Meaning = TypeVar("Meaning")
Key = TypeVar("Key")

_LONGEST_LINE: Final = 512
"""The most bytes of a line to keep; the User-Agent of a browser inside an app has about 300."""

_REPEATED: Final = frozenset(
    b"""
    accept accept-charset accept-encoding accept-language accept-ranges access-control-allow-credentials
    access-control-allow-headers access-control-allow-methods access-control-allow-origin
    access-control-expose-headers access-control-max-age access-control-request-headers access-control-request-method
    age allow alt-svc cache-control connection content-encoding content-language content-length
    content-security-policy content-type cross-origin-embedder-policy cross-origin-opener-policy
    cross-origin-resource-policy date dnt expires host keep-alive last-modified nel origin permissions-policy pragma
    priority proxy-connection referrer-policy report-to sec-ch-ua sec-ch-ua-mobile sec-ch-ua-platform sec-fetch-dest
    sec-fetch-mode sec-fetch-site sec-fetch-user sec-gpc server strict-transport-security te timing-allow-origin
    transfer-encoding upgrade upgrade-insecure-requests user-agent vary via x-aspnet-version x-content-type-options
    x-dns-prefetch-control x-frame-options x-powered-by x-requested-with x-xss-protection
    """.split()
)
"""Fields whose values describe programs and resources, never a person or a session."""


TEXT: Final = marking_all_but(bytes((0x09, *range(0x20, 0x7F), *range(0x80, 0x100))))
"""For `bytes.translate`: changes what neither a field value (RFC 9110 section 5.5) nor a reason phrase (RFC 9112
section 4) may contain."""


class FieldLine(Generic[Meaning]):
    """One field line; immutable, because messages share it."""

    __slots__ = ("line", "meaning", "name", "once")

    def __init__(self, meaning: Meaning, name: bytes, value: bytes, once: int = 0) -> None:
        self.meaning = meaning
        self.once = once
        """The bit of this name if a message may have only one such line; otherwise 0."""
        self.name = name
        """As the sender spelled it."""
        self.line = b"%b: %b\r\n" % (name, value)
        """The finished line, as it is forwarded."""

    @property
    def value(self) -> bytes:
        """The field value, as it was given to the constructor."""
        return self.line[len(self.name) + 2 : -2]

    def with_value(self, value: bytes) -> FieldLine[Meaning]:
        """Return a line of the same name with another value; it may occur more than once."""
        return FieldLine(self.meaning, self.name, value)


def is_repeated(name: bytes) -> bool:
    """Return whether lines with this lower-case name may be cached."""
    return name in _REPEATED


def keep_line(table: Table[Key, FieldLine[Meaning]], key: Key, line: FieldLine[Meaning]) -> FieldLine[Meaning]:
    """Cache a parsed line, unless it is long or may identify a person; return it."""
    size = len(line.line)
    return table.keep(key, size, line) if size <= _LONGEST_LINE and line.name.lower() in _REPEATED else line


def joined(lines: list[FieldLine[Meaning]]) -> bytes:
    """Return the finished bytes of the lines."""
    return b"".join([line.line for line in lines])
