"""The objects that a client connection notifies, one protocol for each role.

Imports nothing of the project.
"""

from __future__ import annotations

from typing import Protocol


class Tunnel(Protocol):
    """The receiver of a connection's bytes after a 101."""

    def from_client(self, data: bytes) -> None:
        """Take bytes from the client."""

    def client_eof(self) -> None:
        """Handle a client that has closed its sending side."""

    def client_writable(self) -> None:
        """Continue, because the client reads again."""


class Answering(Protocol):
    """What answers a request without a task that could be cancelled."""

    def client_gone(self) -> None:
        """Stop, because the client is gone."""


class ContentSource(Protocol):
    """The sender of more bytes than a client reads at once."""

    def client_writable(self) -> None:
        """Continue, because the client reads again."""


class EndsWithClient(Protocol):
    """Something that ends with the client's connection."""

    def client_ended(self) -> None:
        """Release everything, because the client is gone."""
