"""The closed list of invalid HTTP from old servers that only `parsing: lenient` accepts.

Each has one safe reading once the connection is closed behind it; everything else stays refused.
"""

from __future__ import annotations

from enum import StrEnum

from corsproxy.proxy.errors import UpstreamError, UpstreamErrorKind


class Oddity(StrEnum):
    """An oddity of a response, as the log names it."""

    LENGTH_AND_CODING = "Content-Length beside Transfer-Encoding"
    CHUNKED_IN_1_0 = "chunked content in HTTP/1.0"
    IDENTITY = "the transfer coding 'identity'"
    CHUNKED_TWICE = "the transfer coding 'chunked' named twice"
    BARE_LF = "a bare LF in chunk framing"
    NO_COLON = "a field line without a colon"
    CONTROL = "a control byte in a field value"
    TLS_CUT = "a TLS connection that ended without its closing alert"


class Oddities:
    """What was odd about one response; strict parsing refuses the first."""

    __slots__ = ("_lenient", "found")

    def __init__(self, *, lenient: bool) -> None:
        self._lenient = lenient
        self.found: list[Oddity] = []
        """Each once, in order."""

    def note(self, oddity: Oddity, kind: UpstreamErrorKind = UpstreamErrorKind.PROTOCOL) -> None:
        """Take it in lenient parsing; raises `UpstreamError` of this kind in strict."""
        if not self._lenient:
            raise UpstreamError(kind, f"{oddity}, which 'parsing: lenient' takes")
        if oddity not in self.found:
            self.found.append(oddity)


def protocol_error(detail: str) -> UpstreamError:
    """Return the error for a response that is not valid HTTP."""
    return UpstreamError(UpstreamErrorKind.PROTOCOL, detail)
