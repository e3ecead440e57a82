"""The closed list of invalid HTTP from old servers that only `parsing: lenient` accepts.

Each has one reading that is safe if the connection is closed afterwards; everything else is refused.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from corsproxy.proxy.errors import UpstreamError, UpstreamErrorKind

REPORT_INTERVAL: Final = 60.0
"""Seconds between two log lines about the same oddity, which an old server has in every response."""


class Oddity(StrEnum):
    """One form of invalid HTTP, as the log names it."""

    LENGTH_AND_CODING = "Content-Length beside Transfer-Encoding"
    CHUNKED_IN_1_0 = "chunked content in HTTP/1.0"
    IDENTITY = "the transfer coding 'identity'"
    CHUNKED_TWICE = "the transfer coding 'chunked' named twice"
    BARE_LF = "a bare LF in chunk framing"
    NO_COLON = "a field line without a colon"
    CONTROL = "a control byte in a field value"
    TLS_CUT = "a TLS connection that ended without its closing alert"


class Oddities:
    """The oddities of one connection; strict parsing refuses the first."""

    __slots__ = ("_lenient", "found")

    def __init__(self, *, lenient: bool) -> None:
        self._lenient = lenient
        self.found: list[Oddity] = []
        """Each one once, in order of occurrence."""

    def note(self, oddity: Oddity, kind: UpstreamErrorKind = UpstreamErrorKind.PROTOCOL) -> None:
        """Accept an oddity in lenient parsing; in strict parsing raise `UpstreamError` of this kind."""
        if not self._lenient:
            raise UpstreamError(kind, f"{oddity}, which 'parsing: lenient' takes")
        if oddity not in self.found:
            self.found.append(oddity)


class OddityReports:
    """Limits the log lines about the oddities of one upstream."""

    __slots__ = ("_reported",)

    def __init__(self) -> None:
        self._reported: dict[Oddity, float] = {}
        """When each oddity was last logged."""

    def is_due(self, oddity: Oddity, now: float) -> bool:
        """Return whether to log this oddity, which is then due again after `REPORT_INTERVAL`; `now` is in seconds."""
        last = self._reported.get(oddity)
        if last is not None and now < last + REPORT_INTERVAL:
            return False
        self._reported[oddity] = now
        return True


def protocol_error(detail: str) -> UpstreamError:
    """Return the error for a response that is not valid HTTP."""
    return UpstreamError(UpstreamErrorKind.PROTOCOL, detail)
