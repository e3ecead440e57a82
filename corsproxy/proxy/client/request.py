"""One request as it stands on the wire, its content, and the connection it came on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from corsproxy.proxy.client.content import RequestContent
from corsproxy.proxy.client.head import ParsedHead
from corsproxy.proxy.errors import ClientError, ClientErrorKind

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
        "on_gone",
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
        self.keep_alive = head.keep_alive
        self.upgrade = head.upgrade
        """True if the request asks to switch protocols, properly or not."""
        self.on_gone: Callable[[], None] | None = None
        """Called if the client goes away while no task answers the request."""

    def client_gone(self) -> None:
        """The connection is gone: whoever reads the content, or answers without a task, learns it."""
        self.content.set_exception(ClientError(ClientErrorKind.DISCONNECTED))
        if self.on_gone is not None:
            self.on_gone()
