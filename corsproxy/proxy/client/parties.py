"""The parties that a client connection notifies, by their role.

Knows nothing of how they do it.
"""

from __future__ import annotations

from typing import Protocol


class Tunnel(Protocol):
    """The receiver of a connection's bytes after a 101."""

    def from_client(self, data: bytes) -> None:
        """Take bytes from the client."""

    def client_eof(self) -> None:
        """The client has closed its sending side."""

    def client_writable(self) -> None:
        """Continue, because the client reads again."""


class Answering(Protocol):
    """The handler of a request that has no task to cancel."""

    def client_gone(self) -> None:
        """Stop, because the client is gone."""


class ContentSource(Protocol):
    """The sender of more bytes than a client reads at once."""

    def client_writable(self) -> None:
        """Continue, because the client reads again."""


class EndsWithClient(Protocol):
    """Something that ends with the client's connection."""

    def client_ended(self) -> None:
        """The client is gone."""
