"""One request as it stands on the wire, its content, and the connection it came on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corsproxy.proxy.client.content import RequestContent
from corsproxy.proxy.client.head import ParsedHead

if TYPE_CHECKING:
    from corsproxy.proxy.client.connection import ClientConnection


class ClientRequest:
    """One request as it stands on the wire, and the connection it came on."""

    __slots__ = (
        "connection",
        "content",
        "keep_alive",
        "lines",
        "method",
        "minor",
        "section",
        "target",
        "upgrade",
    )

    def __init__(self, connection: ClientConnection, head: ParsedHead, content: RequestContent) -> None:
        self.connection = connection
        self.content = content
        self.method = head.method
        self.target = head.target
        self.minor = head.minor
        """HTTP/1.`minor`; -1 if the major version is not 1."""
        self.lines = head.lines
        self.section = head.section
        """The kept field section that `lines` are of, if it is one that comes again."""
        self.keep_alive = head.keep_alive
        self.upgrade = head.upgrade
        """True if the request asks to switch protocols, properly or not."""
