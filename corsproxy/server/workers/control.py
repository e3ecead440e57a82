"""The channel between the parent and a worker: messages, each behind its length, over a socket pair.

A socket pair because its end is the end of the other process, however it came: nothing else tells a worker that its
parent was killed.
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
"""Of a message: the text of the largest configuration (4 MiB) may be six times as long in JSON."""

_LENGTH = struct.Struct("!I")


class Channel(Generic[Sent, Received]):
    """One end of the pair, in a running loop."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, known: dict[str, type]) -> None:
        self._reader = reader
        self._writer = writer
        self._known = known

    @staticmethod
    async def of_parent(sock: socket.socket) -> Channel[FromParent, FromWorker]:
        """Take over the parent's end; the socket is closed with the channel."""
        return Channel(*await asyncio.open_unix_connection(sock=sock), _by_name(FromWorker))

    @staticmethod
    async def of_worker(sock: socket.socket) -> Channel[FromWorker, FromParent]:
        """Take over a worker's end."""
        return Channel(*await asyncio.open_unix_connection(sock=sock), _by_name(FromParent))

    def send(self, message: Sent) -> None:
        """Send a message; one to a process that is gone is lost, and `receive` says so."""
        if self._writer.is_closing():
            return
        content = encode(message)
        # uvloop closes a transport whose other end has gone before it says so, and then refuses to write on it.
        with contextlib.suppress(RuntimeError):
            self._writer.write(_LENGTH.pack(len(content)) + content)

    async def receive(self) -> Received | None:
        """Return the next message; None once the other process is gone or has closed its end.

        Raises `MalformedMessageError` for anything else, after which the channel cannot be used.
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
        """Close this end when everything is sent."""
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except ConnectionError:
            return


def _by_name(messages: object) -> dict[str, type]:
    return {kind.__name__: kind for kind in get_args(messages)}
