"""What corsproxy itself answers to a browser under one route, CORS alone: the file's word, for the tools.

The decisions come from `corsproxy.cors`; the model of the browser that judges the answers shares no rule with it.
"""

from __future__ import annotations

from corsproxy.cors import CARRIED, CorsRequest, Decision, Kind, decide_among
from corsproxy.settings import PolicySettings
from corsproxy.tools.browser import Answer, Sent

FORWARDED_METHODS = frozenset(method.decode() for method in CARRIED)
"""What the HTTP parser knows; the proxy answers 501 to any other, `patch` among them, whatever a policy allows."""
_EXPOSED_LATER = "(the names of that response)"
"""With credentials `*` becomes the names of each response, which are the upstream's to choose."""


class OwnAnswers:
    """The proxy as a browser meets it under the policies of one route."""

    def __init__(
        self,
        policies: tuple[PolicySettings, ...],
        without_route: int | None = None,
        public_origins: tuple[str, ...] = (),
    ) -> None:
        self._without_route = without_route
        """The status of every answer if there is no route."""
        self._policies = policies
        self._cors = tuple(policy.cors for policy in policies)
        self._own_origins = frozenset(map(latin, public_origins))

    def answer(self, sent: Sent) -> Answer:
        """Return the answer to what a browser sends."""
        if sent.kind == "preflight":
            return self.preflight(sent)[0]
        return self.actual(sent.method, () if sent.origin is None else (latin(sent.origin),))[0]

    def preflight(self, sent: Sent) -> tuple[Answer, Decision]:
        """Return the answer to a preflight: the policy's status and grant, 403, or 404 without a route."""
        fields = dict(sent.headers)
        wanted = fields.get("Access-Control-Request-Headers")
        request = CorsRequest(
            "OPTIONS",
            (latin(fields["Origin"]),),
            (latin(fields["Access-Control-Request-Method"]),),
            (latin(wanted),) if wanted is not None else (),
        )
        decision = decide_among(self._cors, request)
        granted = self._policies[decision.policy].preflight_status if self._policies else 204
        return self._answered(decision, granted if decision.granted or decision.fields else 403), decision

    def actual(self, method: str, origins: tuple[bytes, ...]) -> tuple[Answer, Decision]:
        """Return the answer to an actual request: 403 if the policy rejects it, else as if the upstream said 200."""
        decision = decide_among(self._cors, CorsRequest(method, origins), self._own_origins)
        if method not in FORWARDED_METHODS:
            return Answer(501), decision
        rejects = bool(self._policies) and self._policies[-1].on_refused == "reject"
        refused = decision.kind is Kind.ACTUAL and not decision.granted
        return self._answered(decision, 403 if refused and rejects else 200), decision

    def _answered(self, decision: Decision, status: int) -> Answer:
        fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in decision.fields]
        if decision.exposes_all_names:
            fields.append(("Access-Control-Expose-Headers", _EXPOSED_LATER))
        if decision.varies_on_origin:
            fields.append(("Vary", "Origin"))
        return Answer(self._without_route or status, tuple(fields))


def latin(text: str) -> bytes:
    """Return the bytes of a field value; what cannot stand in one becomes a question mark."""
    return text.encode("latin-1", "replace")
