"""The CORS decision for a request with its finished bytes, from a cache or from the core.

Decisions are the core's; this only remembers them, in bounded tables keyed by the raw bytes a client sent.
Knows nothing about sockets.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from corsproxy.cors import CorsRequest, Decision, Kind, decide_among
from corsproxy.proxy.response.answers import answer_head, preflight_refusal_text
from corsproxy.proxy.table import Table
from corsproxy.settings import PolicySettings

_REMEMBERED_KEY_BYTES: Final = 256
"""Longer keys are not cached, so that the tables of a policy stay near 4 MiB, whatever clients send.

An origin has 20 to 60 bytes, the names that a page sets together about as many.
"""


class Grant:
    """A decision with the fields that it adds to a response."""

    __slots__ = ("answer", "block", "body", "decision", "exposes_all_names", "owns_timing", "status", "varies")

    def __init__(self, decision: Decision, status: int = 0, answer: bytes = b"", body: bytes = b"") -> None:
        self.decision = decision
        self.block = decision.block
        """The finished CORS field lines."""
        self.varies = decision.varies_on_origin
        self.exposes_all_names = decision.exposes_all_names
        self.owns_timing = False
        """True if the deciding policy, not the upstream, writes Timing-Allow-Origin."""
        self.status = status
        """For a preflight: the status of the response."""
        self.answer = answer
        """For a preflight: the finished head, without the fields that depend on the connection."""
        self.body = body


class CorsGate:
    """Decide on the requests of all routes that share the same policies."""

    __slots__ = ("_actual", "_own_origins", "_policies", "_preflight", "_settings", "enforces")

    def __init__(self, policies: tuple[PolicySettings, ...], own_origins: frozenset[bytes] = frozenset()) -> None:
        """Store the policies; `own_origins` are the proxy's, as browsers know them."""
        self._settings = policies
        self._policies = tuple(policy.cors for policy in policies)
        self._own_origins = own_origins
        self.enforces = all(policy.mode == "enforce" for policy in policies)
        """False in shadow mode: decide, count and log, but change nothing."""
        self._actual: Table[bytes | None, Grant] = Table()
        self._preflight: Table[tuple[bytes, bytes, bytes], Grant] = Table()

    def actual(self, method: str, origins: Sequence[bytes]) -> Grant:
        """Return the decision about a request that is not a preflight."""
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
        """Return the decision about a preflight, with its finished response."""
        key = (origin, method, b"\n".join(header_lines))
        grant = self._preflight.known.get(key)
        if grant is None:
            request = CorsRequest("OPTIONS", (origin,), (method,), tuple(header_lines))
            grant = self._answered(decide_among(self._policies, request))
            size = sum(map(len, key))
            if size <= _REMEMBERED_KEY_BYTES:
                self._preflight.keep(key, size, grant)
        return grant

    def remembered(self) -> Iterator[tuple[tuple[bytes, ...], Grant]]:
        """Yield what was sent, and the grant for it, of each decision that is remembered: strangers choose how many."""
        yield from (((origin,) if origin else (), grant) for origin, grant in self._actual.known.items())
        yield from self._preflight.known.items()

    def _answered(self, decision: Decision) -> Grant:
        vary = b"Vary: Origin\r\n" if decision.varies_on_origin else b""
        if decision.granted or decision.fields:  # a refusal has fields so that the browser names what is refused
            status = self._settings[decision.policy].preflight_status
            return Grant(decision, status, answer_head(status, decision.block + vary, length=0))
        body = preflight_refusal_text(decision.reason)
        return Grant(decision, 403, answer_head(403, decision.block + vary, length=len(body)), body)


NO_GRANT = Grant(Decision(Kind.NONE, granted=False))
"""The empty decision, for a request without one, or with one only for the log."""
