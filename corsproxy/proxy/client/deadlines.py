"""The time limits of a client: the clocks of one connection, and the action that is due.

The sweeper checks every connection a few times a second, so that no deadline needs a timer.
Knows nothing about loops or transports: times are parameters, in seconds.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

from corsproxy.proxy.client.pace import LEAST_WINDOW, Pace
from corsproxy.settings import Limits

NEVER: Final = float("inf")

HALF_CLOSED_GRACE = 2.0
"""Seconds that a client which has closed its sending side may wait for its response, and then between reading parts
of it.

nginx and Go answer such a client; but a client that is gone looks the same until something is sent to it.
"""

CLIENT_STALL_TIMEOUT = 300.0
"""Seconds for which a client may read nothing: longer than a kernel buffer takes to drain at 1 KiB a second."""

LINGER = 5.0
"""Seconds for reading and dropping further bytes after the last response, so that a reset does not destroy the response
before the client reads it (RFC 9112 section 9.6); nginx lingers 5 s between reads."""


class Due(Enum):
    """The action that is due on a connection."""

    NOTHING = auto()
    FAIL_CONTENT = auto()
    """The content of the current request arrives too slowly."""
    REFUSE_HEAD = auto()
    """A head has begun, but is not complete in time."""
    CLOSE = auto()
    """There is nothing left to wait for."""
    ABORT = auto()
    """The client reads nothing, or is gone."""


class Phase(Enum):
    """What a client connection is doing."""

    WAITING = auto()
    """Waiting for the next request, or for the rest of its head."""
    ANSWERING = auto()
    TUNNEL = auto()
    LINGERING = auto()
    """The last response has been sent; further bytes are dropped."""
    CLOSING = auto()
    """The last bytes are being sent, or the connection has been aborted."""


class Deadlines:
    """The clocks of one connection; each is the start of a wait, or `NEVER`."""

    __slots__ = (
        "_download",
        "_limits",
        "_sent",
        "_unsent",
        "_upload",
        "content_since",
        "half_closed_since",
        "head_since",
        "idle_since",
        "received",
        "sent",
        "stalled_since",
    )

    def __init__(self, limits: Limits, now: float) -> None:
        self._limits = limits
        self.head_since = now
        """When the current head began; on a new connection, when it was opened."""
        self.idle_since = now
        """When the last request ended or lingering began; on a new connection, when it was opened."""
        self.content_since = NEVER
        """Since when the reader has been waiting for content."""
        self.stalled_since = NEVER
        """Since when the client has read nothing."""
        self.half_closed_since = NEVER
        """When the client closed its sending side, or last read something after that."""
        self.received = 0
        """Bytes of content received."""
        self.sent = 0
        """Bytes of content sent to the client, or waiting for it."""
        self._unsent = 0
        self._sent = 0
        """The value of `sent` at the last check, as `_unsent` is."""
        self._upload: Pace | None = None
        self._download: Pace | None = None

    @property
    def is_half_closed(self) -> bool:
        """True if the client has closed its sending side and still waits for a response."""
        return self.half_closed_since < NEVER

    def content_came(self, now: float, size: int) -> None:
        """Count `size` bytes of received content, and restart the clock of a reader that waits for it."""
        self.received += size
        if self.content_since < NEVER:
            self.content_since = now

    def stall(self, now: float, unsent: int) -> None:
        """Start the clock of a client that has stopped reading; `unsent` bytes wait for it."""
        self.stalled_since = now
        self._unsent = unsent

    def half_close(self, now: float, unsent: int) -> None:
        """Start the clock of a client that has closed its sending side; `unsent` bytes wait for it."""
        self.half_closed_since = now
        self._unsent = unsent
        self._sent = self.sent

    def due(self, now: float, phase: Phase, unsent: int, *, head_has_begun: bool) -> Due:
        """Return the action that is due, once for each deadline; `unsent` bytes wait for the client."""
        limits = self._limits
        match phase:
            case Phase.ANSWERING | Phase.TUNNEL:
                if now - self.content_since > limits.body_timeout:
                    self.content_since = NEVER
                    return Due.FAIL_CONTENT
                if phase is Phase.ANSWERING and limits.min_rate:
                    if self._uploads_too_slowly(now):
                        return Due.FAIL_CONTENT
                    if self._downloads_too_slowly(now, unsent):
                        return Due.ABORT
                return Due.ABORT if self._is_unresponsive(now, phase, unsent) else Due.NOTHING
            case Phase.LINGERING:
                return Due.CLOSE if now - self.idle_since > LINGER else Due.NOTHING
            case Phase.CLOSING:
                is_over = now - self.idle_since > CLIENT_STALL_TIMEOUT and not self._progressed(now, unsent)
                is_over = is_over or (limits.min_rate > 0 and self._downloads_too_slowly(now, unsent))
                return Due.ABORT if is_over else Due.NOTHING
            case Phase.WAITING if self._upload is not None or self._download is not None:
                self._upload = self._download = None
                return Due.NOTHING
            case Phase.WAITING if now - self.head_since > limits.header_timeout:
                self.head_since = NEVER
                return Due.REFUSE_HEAD if head_has_begun else Due.CLOSE
            case _:
                is_idle = self.head_since == NEVER and now - self.idle_since > limits.idle_timeout
                return Due.CLOSE if is_idle else Due.NOTHING

    def _new_pace(self, now: float, moved: int) -> Pace:
        limits = self._limits
        return Pace(limits.min_rate, max(limits.body_timeout, LEAST_WINDOW), now, moved)

    def _uploads_too_slowly(self, now: float) -> bool:
        """Return whether content arrives more slowly than `min_rate`; True only once."""
        is_owed = self.content_since < NEVER
        if self._upload is None:
            if is_owed:
                self._upload = self._new_pace(now, self.received)
            return False
        if not self._upload.is_too_slow(now, self.received, is_owed=is_owed):
            return False
        self._upload = None
        self.content_since = NEVER
        return True

    def _downloads_too_slowly(self, now: float, unsent: int) -> bool:
        """Return whether the client reads more slowly than `min_rate`."""
        if self._download is None:
            if unsent:
                self._download = self._new_pace(now, self.sent - unsent)
            return False
        return self._download.is_too_slow(now, self.sent - unsent, is_owed=unsent > 0)

    def _is_unresponsive(self, now: float, phase: Phase, unsent: int) -> bool:
        """Return whether a client has read nothing for too long, or is half-closed for too long."""
        is_late = now - self.stalled_since > CLIENT_STALL_TIMEOUT or now - self.half_closed_since > HALF_CLOSED_GRACE
        return is_late and phase is not Phase.TUNNEL and not self._progressed(now, unsent)

    def _progressed(self, now: float, unsent: int) -> bool:
        """Return whether the client has read bytes since the last check; if so, restart the clocks."""
        progressed = unsent < self._unsent or (self.sent > self._sent and not unsent)
        self._unsent = unsent
        self._sent = self.sent
        if progressed:
            if self.stalled_since < NEVER:
                self.stalled_since = now
            if self.half_closed_since < NEVER:
                self.half_closed_since = now
        return progressed
