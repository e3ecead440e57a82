"""A CORS policy at work: the decision for a request with its finished bytes, looked up before it is made.

Decisions are the core's; this only remembers them, in bounded tables keyed by the raw bytes a client sent.
Knows no sockets.
"""

from __future__ import annotations

from collections.abc import Sequence

from corsproxy.cors import CorsRequest, Decision, decide
from corsproxy.proxy.answers import answer_head, preflight_refusal_text
from corsproxy.proxy.table import Table
from corsproxy.settings import PolicySettings

_REMEMBERED_KEY_BYTES = 256
"""Longer keys are decided each time: what the tables of a policy can hold stays near 4 MiB.

An origin has 20 to 60 bytes, the names that a page sets together about as many.
"""


class Grant:
    """A decision with what it puts on a response."""

    __slots__ = ("answer", "block", "body", "decision", "exposes_all_names", "status", "varies")

    def __init__(self, decision: Decision, status: int = 0, answer: bytes = b"", body: bytes = b"") -> None:
        self.decision = decision
        self.block = decision.block
        """The finished CORS field lines."""
        self.varies = decision.varies_on_origin
        self.exposes_all_names = decision.exposes_all_names
        self.status = status
        """Of a preflight: what it is answered."""
        self.answer = answer
        """Of a preflight: the finished head, but for what depends on the connection."""
        self.body = body


class CorsGate:
    """Decides for the requests under one policy, on whichever of its routes."""

    __slots__ = ("_actual", "_policy", "_preflight", "_status", "enforces", "own_timing")

    def __init__(self, policy: PolicySettings | None) -> None:
        self._policy = policy.cors if policy is not None else None
        self._status = policy.preflight_status if policy is not None else 204
        self.enforces = policy is None or policy.mode == "enforce"
        """False in shadow mode: decide, count and log, but change nothing."""
        self.own_timing = policy is not None and policy.cors.timing
        """True where Timing-Allow-Origin is the policy's and not the upstream's."""
        self._actual: Table[bytes | None, Grant] = Table()
        self._preflight: Table[tuple[bytes, bytes, bytes], Grant] = Table()

    def actual(self, method: str, origins: Sequence[bytes]) -> Grant:
        """Decide for a request that is not a preflight."""
        key = origins[0] if origins else None
        if len(origins) <= 1:
            grant = self._actual.known.get(key)
            if grant is not None:
                return grant
        grant = Grant(decide(self._policy, CorsRequest(method, tuple(origins), (), ())))
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
            grant = self._answered(decide(self._policy, request))
            size = sum(map(len, key))
            if size <= _REMEMBERED_KEY_BYTES:
                self._preflight.keep(key, size, grant)
        return grant

    def _answered(self, decision: Decision) -> Grant:
        vary = b"Vary: Origin\r\n" if decision.varies_on_origin else b""
        if decision.granted:
            return Grant(decision, self._status, answer_head(self._status, decision.block + vary, length=0))
        body = preflight_refusal_text(decision.reason)
        return Grant(decision, 403, answer_head(403, decision.block + vary, length=len(body)), body)
