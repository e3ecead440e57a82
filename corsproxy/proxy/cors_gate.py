"""A CORS policy at work: the decision for a request with its finished bytes, looked up before it is made.

Decisions are the core's; this only remembers them, in bounded tables keyed by the raw bytes a client sent.
Knows no sockets.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from corsproxy.cors import CorsRequest, Decision, Kind, decide_among
from corsproxy.proxy.response.answers import answer_head, preflight_refusal_text
from corsproxy.proxy.table import Table
from corsproxy.settings import PolicySettings

_REMEMBERED_KEY_BYTES: Final = 256
"""Longer keys are decided each time: what the tables of a policy can hold stays near 4 MiB.

An origin has 20 to 60 bytes, the names that a page sets together about as many.
"""


class Grant:
    """A decision with what it puts on a response."""

    __slots__ = ("answer", "block", "body", "decision", "exposes_all_names", "owns_timing", "status", "varies")

    def __init__(self, decision: Decision, status: int = 0, answer: bytes = b"", body: bytes = b"") -> None:
        self.decision = decision
        self.block = decision.block
        """The finished CORS field lines."""
        self.varies = decision.varies_on_origin
        self.exposes_all_names = decision.exposes_all_names
        self.owns_timing = False
        """True if Timing-Allow-Origin is the deciding policy's to write and not the upstream's."""
        self.status = status
        """Of a preflight: what it is answered."""
        self.answer = answer
        """Of a preflight: the finished head, but for what depends on the connection."""
        self.body = body


class CorsGate:
    """Decides for the requests of the routes that share their policies."""

    __slots__ = ("_actual", "_own_origins", "_policies", "_preflight", "_settings", "enforces")

    def __init__(self, policies: tuple[PolicySettings, ...], own_origins: frozenset[bytes] = frozenset()) -> None:
        """`own_origins` are the proxy's, as browsers know them."""
        self._settings = policies
        self._policies = tuple(policy.cors for policy in policies)
        self._own_origins = own_origins
        self.enforces = all(policy.mode == "enforce" for policy in policies)
        """False in shadow mode: decide, count and log, but change nothing."""
        self._actual: Table[bytes | None, Grant] = Table()
        self._preflight: Table[tuple[bytes, bytes, bytes], Grant] = Table()

    def actual(self, method: str, origins: Sequence[bytes]) -> Grant:
        """Decide for a request that is not a preflight."""
        key = origins[0] if origins else None
        if len(origins) <= 1:
            grant = self._actual.known.get(key)
            if grant is not None:
                return grant
        decision = decide_among(self._policies, CorsRequest(method, tuple(origins), (), ()), self._own_origins)
        grant = Grant(decision)
        grant.owns_timing = bool(self._policies) and self._policies[decision.policy].timing
        size = len(key) if key is not None else 0
        if len(origins) <= 1 and size <= _REMEMBERED_KEY_BYTES:
            self._actual.keep(key, size, grant)
        return grant

    def preflight(self, origin: bytes, method: bytes, header_lines: Sequence[bytes]) -> Grant:
        """Decide for a CORS-preflight request, and make its answer."""
        key = (origin, method, b"\n".join(header_lines))
        grant = self._preflight.known.get(key)
        if grant is None:
            request = CorsRequest("OPTIONS", (origin,), (method,), tuple(header_lines))
            grant = self._answered(decide_among(self._policies, request))
            size = sum(map(len, key))
            if size <= _REMEMBERED_KEY_BYTES:
                self._preflight.keep(key, size, grant)
        return grant

    def _answered(self, decision: Decision) -> Grant:
        vary = b"Vary: Origin\r\n" if decision.varies_on_origin else b""
        if decision.granted or decision.fields:  # a refusal has fields so that the browser names what is refused
            status = self._settings[decision.policy].preflight_status
            return Grant(decision, status, answer_head(status, decision.block + vary, length=0))
        body = preflight_refusal_text(decision.reason)
        return Grant(decision, 403, answer_head(403, decision.block + vary, length=len(body)), body)


NO_GRANT = Grant(Decision(Kind.NONE, granted=False))
"""Of a request that nothing is decided for, or only for the log: it puts nothing on a response."""
