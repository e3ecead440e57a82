"""Whom a connection of a client tells what happens on it, by what they are to it.

Knows nothing of how they do it.
"""

from __future__ import annotations

from typing import Protocol


class Tunnel(Protocol):
    """What takes the bytes of a connection after a 101."""

    def from_client(self, data: bytes) -> None:
        """Take bytes from the client."""

    def client_eof(self) -> None:
        """The client has closed its sending side."""

    def client_writable(self) -> None:
        """The client takes bytes again."""


class Answering(Protocol):
    """What answers a request for which there is no task that could be cancelled."""

    def client_gone(self) -> None:
        """The client is gone: there is nobody to answer any more."""


class ContentSource(Protocol):
    """What sends to a client more than it takes at once."""

    def client_writable(self) -> None:
        """The client takes bytes again."""


class EndsWithClient(Protocol):
    """What ends when the client's connection does."""

    def client_ended(self) -> None:
        """The client is gone."""
