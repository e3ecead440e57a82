"""One request as the data path gets it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corsproxy.proxy.client.content import RequestContent
from corsproxy.proxy.client.head import ParsedHead

if TYPE_CHECKING:
    from corsproxy.proxy.client.connection import ClientConnection


class ClientRequest:
    """One request as it was sent, its content, and its connection."""

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
        """The minor version of HTTP/1; -1 for another major version."""
        self.lines = head.lines
        self.section = head.section
        """The cached section that has these `lines`, if there is one."""
        self.keep_alive = head.keep_alive
        self.upgrade = head.upgrade
        """True if the request asks to switch protocols, validly or not."""
