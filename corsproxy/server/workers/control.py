"""The channel between the parent and a worker: messages with their lengths, over a socket pair.

When a process ends, however that happens, its end of the socket pair is closed: so a worker notices that its parent was
killed.
Does not know what the messages mean.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from typing import Generic, TypeVar, get_args

from corsproxy.server.workers.codec import MalformedMessageError, decode, encode
from corsproxy.server.workers.messages import FromParent, FromWorker

Sent = TypeVar("Sent", FromParent, FromWorker)
Received = TypeVar("Received", FromWorker, FromParent)

MOST_BYTES = 64 * 1024 * 1024
"""The most bytes of a message: the text of the largest configuration (4 MiB) may be six times as long in JSON."""

_LENGTH = struct.Struct("!I")


class Channel(Generic[Sent, Received]):
    """One end of the socket pair, in a running loop."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, known: dict[str, type]) -> None:
        self._reader = reader
        self._writer = writer
        self._known = known

    @staticmethod
    async def of_parent(sock: socket.socket) -> Channel[FromParent, FromWorker]:
        """Return the parent's channel over `sock`, which is closed with it."""
        return Channel(*await asyncio.open_unix_connection(sock=sock), _by_name(FromWorker))

    @staticmethod
    async def of_worker(sock: socket.socket) -> Channel[FromWorker, FromParent]:
        """Return a worker's channel over `sock`, which is closed with it."""
        return Channel(*await asyncio.open_unix_connection(sock=sock), _by_name(FromParent))

    def send(self, message: Sent) -> None:
        """Send a message; it is lost if the other process is gone, which `receive` reports."""
        if self._writer.is_closing():
            return
        content = encode(message)
        # uvloop closes a transport whose peer is gone before it reports that, and then raises at a write.
        with contextlib.suppress(RuntimeError):
            self._writer.write(_LENGTH.pack(len(content)) + content)

    async def receive(self) -> Received | None:
        """Return the next message; None once the other process is gone or has closed its end.

        Raises `MalformedMessageError` for an invalid message, after which the channel cannot be used.
        """
        try:
            (length,) = _LENGTH.unpack(await self._reader.readexactly(_LENGTH.size))
            if length > MOST_BYTES:
                raise MalformedMessageError(f"it is longer than {MOST_BYTES} bytes")
            message: Received = decode(await self._reader.readexactly(length), self._known)
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        return message

    async def close(self) -> None:
        """Close this end after everything has been sent."""
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except ConnectionError:
            return


def _by_name(messages: object) -> dict[str, type]:
    return {kind.__name__: kind for kind in get_args(messages)}
