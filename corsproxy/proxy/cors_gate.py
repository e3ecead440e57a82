"""The CORS decision about a request, with the finished bytes for its response, from a cache or from the core.

The core decides; this module caches its decisions in bounded tables, by the bytes that clients sent.
Knows nothing about sockets.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from corsproxy.cors import CorsRequest, Decision, Kind, decide_among
from corsproxy.proxy.response.answers import answer_head, preflight_refusal_text
from corsproxy.proxy.table import Table
from corsproxy.settings import PolicySettings

_MOST_KEY_BYTES: Final = 256
"""Longer keys are not cached, so that the tables of a policy stay near 4 MiB, whatever clients send.

An origin has 20 to 60 bytes, and the field names that a page sets have about as many together.
"""


class Grant:
    """A decision, and what it adds to a response."""

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
        """The status of the response, for a preflight only."""
        self.answer = answer
        """The finished head, without the fields that depend on the connection, for a preflight only."""
        self.body = body
        """The text of a refusal, for a preflight only."""


class CorsGate:
    """Decides about the requests of all routes with the same policies."""

    __slots__ = ("_actual", "_own_origins", "_policies", "_preflight", "_settings", "enforces")

    def __init__(self, policies: tuple[PolicySettings, ...], own_origins: frozenset[bytes] = frozenset()) -> None:
        """Store the policies in the order in which they are tried, and the proxy's own origins as browsers see them."""
        self._settings = policies
        self._policies = tuple(policy.cors for policy in policies)
        self._own_origins = own_origins
        self.enforces = all(policy.mode == "enforce" for policy in policies)
        """False in shadow mode, in which decisions are counted and logged but change nothing."""
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
        if len(origins) <= 1 and size <= _MOST_KEY_BYTES:
            self._actual.keep(key, size, grant)
        return grant

    def preflight(self, origin: bytes, method: bytes, header_lines: Sequence[bytes]) -> Grant:
        """Return the decision about a preflight, with its finished response."""
        key = (origin, method, b"\n".join(header_lines))
        grant = self._preflight.known.get(key)
        if grant is None:
            request = CorsRequest("OPTIONS", (origin,), (method,), tuple(header_lines))
            grant = self._preflight_grant(decide_among(self._policies, request))
            size = sum(map(len, key))
            if size <= _MOST_KEY_BYTES:
                self._preflight.keep(key, size, grant)
        return grant

    def remembered(self) -> Iterator[tuple[tuple[bytes, ...], Grant]]:
        """Yield the cached decisions, of which clients decide the number: the bytes that they sent, and the grant."""
        yield from (((origin,) if origin else (), grant) for origin, grant in self._actual.known.items())
        yield from self._preflight.known.items()

    def _preflight_grant(self, decision: Decision) -> Grant:
        """Return the grant for a preflight, with its finished response."""
        vary = b"Vary: Origin\r\n" if decision.varies_on_origin else b""
        if decision.granted or decision.fields:  # with `diagnostics` a refusal has fields
            status = self._settings[decision.policy].preflight_status
            return Grant(decision, status, answer_head(status, decision.block + vary, length=0))
        body = preflight_refusal_text(decision.reason)
        return Grant(decision, 403, answer_head(403, decision.block + vary, length=len(body)), body)


NO_GRANT = Grant(Decision(Kind.NONE, granted=False))
"""The empty grant, for a request without a decision, or in shadow mode."""
