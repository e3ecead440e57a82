"""One request under one configuration: the route, both answers as the client would see them, and the browser's verdict.

The proxy's decisions come from `corsproxy.cors`, the verdict from the model of a browser; they share no rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from corsproxy.config import Loaded
from corsproxy.cors import Decision, Reason
from corsproxy.settings import PolicySettings, Route
from corsproxy.tools.browser import Answer, Play, Sent, names, play
from corsproxy.tools.explain.question import Question
from corsproxy.tools.explain.routing import Choice, choose
from corsproxy.tools.own_answers import FORWARDED_METHODS, OwnAnswers, OwnRefusal, latin


@dataclass(frozen=True, slots=True)
class DecidedBy:
    """The line of the file that decided."""

    file: str
    line: int
    column: int
    path: str
    """The key path, such as `policies.app.allow_origins[2]`."""
    text: str
    """The line, without white space around it."""
    option: str = ""
    """In quick mode, the option that generated the line; empty with a file."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The outcome of one request."""

    question: Question
    choice: Choice
    route: Route | None
    decision: Decision
    """The preflight's if it is refused, else the actual request's."""
    preflight: Answer | None
    """None if a browser sends none."""
    response: Answer
    """The actual response's CORS fields and Vary; the status 200 stands for any status from the upstream."""
    plays: dict[bool, Play]
    """The browser's steps by credentials mode (true for `include`); empty without Origin."""
    reason: str | None
    """The reason of the refusal; None if there is none."""
    decided_by: DecidedBy
    by_options: bool = False
    """True in quick mode, in which options replace keys."""
    refusal: OwnRefusal | None = None
    """Why the proxy refuses the request before any policy applies; None if it does not."""

    @property
    def policy(self) -> PolicySettings | None:
        """The policy that decided: the first whose origins match, else the last."""
        return self.route.policies[self.decision.policy] if self.route and self.route.policies else None

    @property
    def play(self) -> Play | None:
        """The browser's steps in the credentials mode of the question."""
        return self.plays.get(self.question.credentials)

    @property
    def is_allowed(self) -> bool:
        """Return whether the page gets its answer; CORS does not apply to a request without Origin."""
        return self.route is not None and self.refusal is None and (self.play is None or self.play.allowed)

    @property
    def is_impossible(self) -> bool:
        """Return whether no server could allow it: the browser sends nothing at all."""
        return self.play is not None and not self.play.exchanges

    @property
    def because(self) -> str:
        """The reason in a sentence, in terms of the configuration."""
        asked, policy = self.question, self.policy
        if self.refusal is not None:
            return self.refusal.why
        if self.reason is None or self.is_impossible:
            failure = self.play.failure if self.play else None
            return failure.why if failure else "every check passes"
        method = names.normalized(asked.method)
        if self.reason == "no_route" and self.choice.allowed:
            allowed = ", ".join(self.choice.allowed)
            return f"no route of {asked.path} accepts {method}, only {allowed}: the proxy answers 405"
        if self.reason == "method_not_allowed" and method not in FORWARDED_METHODS:
            return f"the proxy knows no method {method!r} and answers 501"
        policy_name = policy.name if policy else ""
        sentence = (_BECAUSE_OF_OPTIONS if self.by_options else _BECAUSE).get(self.reason, _BECAUSE[self.reason])
        return sentence.format(origin=asked.origin, method=method, policy=policy_name, path=asked.path)


_BECAUSE = {
    "no_route": "no route matches {path}",
    "no_policy": "the route has no policy, so it grants nothing",
    "origin_not_allowed": "nothing in allow_origins of policy {policy} matches {origin}",
    "origin_malformed": "{origin} is not an origin as browsers write it",
    "method_not_allowed": "allow_methods of policy {policy} does not name {method}",
    "headers_not_allowed": "allow_headers of policy {policy} does not name every header that needs it",
    "credentials_not_allowed": "allow_credentials of policy {policy} is not true",
}
"""The sentence for each reason."""

_BECAUSE_OF_OPTIONS = {
    "origin_not_allowed": "the allowed origins do not include {origin}",
    "method_not_allowed": "the allowed methods do not include {method}",
    "headers_not_allowed": "the allowed headers do not include every header that needs it",
    "credentials_not_allowed": "credentials are not allowed",
}
"""The same in quick mode, in which nobody has written a policy; the option stands in `decided_by`."""


def judge(loaded: Loaded, question: Question) -> Judgement:
    """Return the judgement of one request; nothing is sent."""
    method = names.normalized(question.method)
    choice = choose(loaded.settings, question.host, question.path, method)
    route = loaded.settings.routes[choice.index] if choice.index is not None else None
    without_route = 400 if choice.is_ambiguous else 405 if choice.allowed else 404
    server = OwnAnswers(
        route.policies if route else (),
        without_route if route is None else None,
        loaded.settings.public_origins,
        loaded.settings.limits,
        question.host,
    )
    plays = {}
    if question.origin is not None:
        plays = {include: play(question.page_request(include=include), server.answer) for include in (False, True)}
    asked = plays.get(question.credentials)
    refusal = _refusal(server, question, asked)
    if asked is None:
        response, decision = server.actual(method, ())
        preflight = None
    else:
        preflight = next((one.answer for one in asked.exchanges if one.sent.kind == "preflight"), None)
        response, decision = server.actual(method, (latin(question.origin or ""),))
        if preflight is not None:
            _, first = server.preflight(asked.exchanges[0].sent)
            decision = decision if first.granted else first
    if refusal is not None:
        response = Answer(refusal.status)
        where = _limiting(loaded, choice, refusal)
        reason = None
    else:
        reason = _reason(route, decision, asked)
        where = _where(loaded, question, choice, route, decision, reason)
    by_options = loaded.settings.by_options
    return Judgement(question, choice, route, decision, preflight, response, plays, reason, where, by_options, refusal)


def _refusal(server: OwnAnswers, question: Question, asked: Play | None) -> OwnRefusal | None:
    """Return why the proxy refuses the head of the last request that is sent; None if it does not."""
    if asked is None:
        url = question.page_request(include=False).url
        return server.refusal(Sent("actual", question.method, url, question.headers))
    return server.refusal(asked.exchanges[-1].sent) if asked.exchanges else None


def _reason(route: Route | None, decision: Decision, asked: Play | None) -> str | None:
    """Return the proxy's reason if it refused, else the browser's; None if nothing failed."""
    if route is None:
        return Reason.NO_ROUTE.value
    if asked is None or asked.allowed:
        return None
    if asked.exchanges and not decision.granted and decision.reason is not None:
        return decision.reason.value
    last = asked.exchanges[-1].sent if asked.exchanges else None
    if last and last.kind == "actual" and last.method not in FORWARDED_METHODS:
        return Reason.METHOD_NOT_ALLOWED.value
    return asked.reason


def _where(
    loaded: Loaded, question: Question, choice: Choice, route: Route | None, decision: Decision, reason: str | None
) -> DecidedBy:
    """Return the line that decided."""
    policy = route.policies[decision.policy] if route and route.policies else None
    if reason is None and policy is not None and question.origin is not None:
        rule = policy.cors.matching_rule(latin(question.origin))
        if rule is not None:
            written = loaded.rules[policy.name].of(rule)
            if written.file is not None and written.place is not None:
                return DecidedBy(written.file, written.place.line, written.place.column, written.path, written.text)
            paths = [written.path, f"policies.{policy.name}"]
        else:
            paths = [f"policies.{policy.name}"]
    else:
        paths = _refusing_paths(question, choice, policy, reason)
    return _at(loaded, paths)


def _limiting(loaded: Loaded, choice: Choice, refusal: OwnRefusal) -> DecidedBy:
    """Return the line of the exceeded limit; the route's line if the limit has its default."""
    return _at(loaded, [refusal.key, "limits" if refusal.key else "", f"routes[{choice.index}]", "routes"])


def _at(loaded: Loaded, paths: Sequence[str]) -> DecidedBy:
    path = next((path for path in paths if path in loaded.places), "")
    place = loaded.places[path]
    line = loaded.shown_text.splitlines()[place.line - 1].strip()
    return DecidedBy(loaded.file, place.line, place.column, path, line)


_KEYS = {
    "origin_not_allowed": "allow_origins",
    "origin_malformed": "allow_origins",
    "method_not_allowed": "allow_methods",
    "headers_not_allowed": "allow_headers",
    "credentials_not_allowed": "allow_credentials",
}
"""The policy's key for each reason."""


def _refusing_paths(question: Question, choice: Choice, policy: PolicySettings | None, reason: str | None) -> list[str]:
    """Return key paths, the most specific first: if a key is not written, its parent is shown instead."""
    if choice.index is None:
        return [f"routes[{choice.near[0].index}].methods" if choice.allowed and choice.near else "routes", "routes"]
    if policy is None or question.origin is None:
        return [f"routes[{choice.index}]"]
    path = f"policies.{policy.name}"
    return [f"{path}.{_KEYS.get(reason or '', '')}", path]
