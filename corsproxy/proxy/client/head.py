"""A parsed request head, and its consequences for the connection."""

from __future__ import annotations

from corsproxy.proxy.fields.lines import FieldLine
from corsproxy.proxy.fields.names import RequestField
from corsproxy.proxy.fields.sections import FieldSection


class ParsedHead:
    """The request line and the field lines of one request."""

    __slots__ = ("keep_alive", "length", "lines", "method", "minor", "section", "target", "upgrade")

    def __init__(
        self,
        method: str,
        target: bytes,
        minor: int,
        lines: list[FieldLine[RequestField]],
        *,
        keep_alive: bool,
        upgrade: bool,
        length: int,
        section: FieldSection | None = None,
    ) -> None:
        self.method = method
        self.target = target
        self.minor = minor
        """The minor version of HTTP/1; -1 for another major version."""
        self.lines = lines
        """The field lines, in order."""
        self.keep_alive = keep_alive
        self.upgrade = upgrade
        """True if the request asks to switch protocols, validly or not."""
        self.length = length
        """Bytes of content; -1 if it is chunked."""
        self.section = section
        """The cached section that has these `lines`, if there is one."""
