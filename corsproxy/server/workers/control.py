"""Messages between the parent and a worker: JSON, each behind its length, over a socket pair.

A socket pair because its end is the end of the other process, however it came: nothing else tells a worker that its
parent was killed.
Knows nothing of what the messages mean.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
from typing import Any

Message = dict[str, Any]

_LENGTH = struct.Struct("!I")


class Channel:
    """One end of the pair, in a running loop."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, sock: socket.socket) -> Channel:
        """Take over one end; the socket is closed with the channel."""
        return cls(*await asyncio.open_unix_connection(sock=sock))

    def send(self, message: Message) -> None:
        """Send a message; one to a process that is gone is lost, and `receive` says so."""
        if self._writer.is_closing():
            return
        content = json.dumps(message).encode()
        # uvloop closes a transport whose other end has gone before it says so, and then refuses to write on it.
        with contextlib.suppress(RuntimeError):
            self._writer.write(_LENGTH.pack(len(content)) + content)

    async def receive(self) -> Message | None:
        """Return the next message; None once the other process is gone or has closed its end."""
        try:
            (length,) = _LENGTH.unpack(await self._reader.readexactly(_LENGTH.size))
            message: Message = json.loads(await self._reader.readexactly(length))
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
