"""The proxy's responses to a browser under the policies of one route, computed without a request; only CORS fields.

The decisions come from `corsproxy.cors`; the model of the browser that judges the answers shares no rule with it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from corsproxy.cors import CARRIED, CorsRequest, Decision, Kind, decide_among
from corsproxy.settings import Limits, PolicySettings
from corsproxy.tools.browser import Answer, Sent

FORWARDED_METHODS = frozenset(method.decode() for method in CARRIED)
"""Methods that the HTTP parser knows; the proxy answers 501 to any other, such as `patch`, whatever a policy allows."""
_EXPOSED_LATER = "(the names of that response)"
"""The value if `*` is replaced by the names of each response, which only the upstream knows."""

_CONTROL = re.compile("[\x01-\x08\x0a-\x1f\x7f]")
_NEVER_FORWARDED = frozenset({"CONNECT", "TRACE"})


@dataclass(frozen=True, slots=True)
class OwnRefusal:
    """A request that the proxy answers itself, before any route or policy applies."""

    status: int
    why: str
    remedy: str
    key: str
    """The key of the file that decides; empty if none does."""


def refusal_of(sent: Sent, host: str, limits: Limits) -> OwnRefusal | None:
    """Return why the proxy refuses a request for its head; None if it does not.

    The fields that a browser adds by itself are not counted, so a real head is larger.
    """
    for name, value in sent.headers:
        if found := _CONTROL.search(value):
            why = f"{name} holds the control byte 0x{ord(found[0]):02X}: the proxy answers 400"
            return OwnRefusal(400, why, f"have the page send no control byte in {name}", "")
    fields = [("Host", host or "-"), *sent.headers]
    target = sent.url.partition("://")[2].partition("/")[2]
    size = len(f"{sent.method} /{target} HTTP/1.1\r\n\r\n") + sum(len(name) + len(value) + 4 for name, value in fields)
    if size > limits.max_header_bytes:
        why = f"the head has {size} bytes at least, more than max_header_bytes ({limits.max_header_bytes}): 431"
        return OwnRefusal(431, why, f"raise limits.max_header_bytes above {size}", "limits.max_header_bytes")
    if len(fields) > limits.max_header_lines:
        why = f"the head has {len(fields)} lines at least, more than max_header_lines ({limits.max_header_lines}): 431"
        return OwnRefusal(431, why, f"raise limits.max_header_lines above {len(fields)}", "limits.max_header_lines")
    if sent.method in _NEVER_FORWARDED:
        return OwnRefusal(405, f"the proxy forwards no {sent.method}, and answers 405", "use another method", "")
    return None


class OwnAnswers:
    """The proxy under the policies of one route, as a browser sees it."""

    def __init__(
        self,
        policies: tuple[PolicySettings, ...],
        without_route: int | None = None,
        public_origins: tuple[str, ...] = (),
        limits: Limits | None = None,
        host: str = "",
    ) -> None:
        self._limits = limits
        """None if only policies count."""
        self._host = host
        self._without_route = without_route
        """The status of every answer if there is no route."""
        self._policies = policies
        self._cors = tuple(policy.cors for policy in policies)
        self._own_origins = frozenset(map(latin, public_origins))

    def refusal(self, sent: Sent) -> OwnRefusal | None:
        """Return why the proxy refuses a request before any policy applies."""
        return refusal_of(sent, self._host, self._limits) if self._limits is not None else None

    def answer(self, sent: Sent) -> Answer:
        """Return the answer to what a browser sends."""
        if refused := self.refusal(sent):
            return Answer(refused.status)
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
        status = granted if decision.granted or decision.fields else 403
        return self._answered(decision, self._without_route or status), decision

    def actual(self, method: str, origins: tuple[bytes, ...]) -> tuple[Answer, Decision]:
        """Return the answer to an actual request: 403 if the policy rejects it, else as if the upstream said 200."""
        decision = decide_among(self._cors, CorsRequest(method, origins), self._own_origins)
        if method not in FORWARDED_METHODS:
            return self._answered(decision, 501), decision
        rejects = bool(self._policies) and self._policies[-1].on_refused == "reject"
        refused = decision.kind is Kind.ACTUAL and not decision.granted
        status = 403 if refused and rejects else 200
        return self._answered(decision, self._without_route or status), decision

    def _answered(self, decision: Decision, status: int) -> Answer:
        fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in decision.fields]
        if decision.exposes_all_names:
            fields.append(("Access-Control-Expose-Headers", _EXPOSED_LATER))
        if decision.varies_on_origin:
            fields.append(("Vary", "Origin"))
        return Answer(status, tuple(fields))


def latin(text: str) -> bytes:
    """Return the bytes of a field value; characters that Latin-1 lacks become question marks."""
    return text.encode("latin-1", "replace")
