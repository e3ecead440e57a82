"""The front door: play one request of a page, hop by hop, with the browser's result at each step.

Follows https://fetch.spec.whatwg.org/#fetching from the browser's side: main fetch, HTTP fetch, CORS-preflight fetch
and HTTP-redirect fetch.
It does no I/O: the caller passes a function that sends a request.
"""

from __future__ import annotations

from collections.abc import Callable

from corsproxy.tools.browser import checks, names, urls
from corsproxy.tools.browser.cache import CacheKey, PreflightCache
from corsproxy.tools.browser.engines import refuses_status, star_covers_authorization
from corsproxy.tools.browser.page import (
    Credentials,
    PageRequest,
    kept_headers,
    preflight_reasons,
    request_steps,
    url_steps,
)
from corsproxy.tools.browser.steps import Answer, Check, Exchange, Finding, Outcome, Play, Sent, Step

Send = Callable[[Sent], Answer | None]
"""Sends one request and returns the response, or None."""

REDIRECTS = frozenset({301, 302, 303, 307, 308})
MAX_REDIRECTS = 20
_NOBODY_READS = frozenset({"connection", "date", "keep-alive", "set-cookie", "transfer-encoding", "vary"})
"""Response headers that no remark mentions, because scripts do not need them."""
_BODY_HEADERS = frozenset({"content-encoding", "content-language", "content-location", "content-type"})


def play(request: PageRequest, send: Send, cache: PreflightCache | None = None, now: float = 0.0) -> Play:
    """Play a request and return all steps; never raise for anything that a server may send."""
    return _Player(request, send, cache, now).play()


class _Player:
    """One request; the hop, the origin and the method change with redirects."""

    def __init__(self, request: PageRequest, send: Send, cache: PreflightCache | None, now: float) -> None:
        self._request = request
        self._send_out = send
        self._cache = cache
        self._now = now
        self._steps: list[Step] = []
        self._exchanges: list[Exchange] = []
        self._hop = 0
        self._url = request.url
        self._method = names.normalized(request.method)
        self._headers = kept_headers(request)
        self._forced = request.forces_preflight
        self._origin = request.origin
        """The value of Origin: `null` once the origin is redirect-tainted."""
        self._is_cors = False
        """True if the response tainting is `cors`: after a cross-origin hop, CORS applies to every later one."""

    def play(self) -> Play:
        self._steps += request_steps(self._request)
        because: tuple[str, ...] = ()
        answer: Answer | None = None
        if not self._failed:
            if urls.origin_of(self._url) != self._request.origin:
                because = self._preflight_reasons()
            answer = self._main_fetch()
        exposed: frozenset[str] = frozenset()
        if answer is not None:
            exposed = self._reads(answer)
        return Play(tuple(self._steps), tuple(self._exchanges), because, exposed)

    @property
    def _failed(self) -> bool:
        return any(step.outcome is Outcome.FAILED for step in self._steps)

    @property
    def _include(self) -> bool:
        return self._request.include

    def _preflight_reasons(self) -> tuple[str, ...]:
        return preflight_reasons(self._method, self._headers, forced=self._forced, browser=self._request.browser)

    def _main_fetch(self) -> Answer | None:
        """Do main fetch (https://fetch.spec.whatwg.org/#concept-main-fetch), hop by hop; return the final answer."""
        while True:
            self._steps += url_steps(self._request, self._url, self._hop)
            if self._failed:
                return None
            same = urls.origin_of(self._url) == self._request.origin
            if same and not self._is_cors:
                self._note(Check.SAME_ORIGIN, "page and URL have the same origin: CORS takes no part")
            else:
                self._is_cors = True
                if not self._preflight():
                    return None
            answer = self._ask()
            if answer is None:
                return None
            if answer.status not in REDIRECTS or answer.combined("Location") is None:
                return answer
            if not self._follow(answer):
                return None

    def _preflight(self) -> bool:
        """Return whether the actual request may be sent: its preflight is not needed, or is cached, or passes."""
        because = self._preflight_reasons()
        if not because:
            why = f"none: {self._method} and its headers are CORS-safelisted"
            self._add(Check.PREFLIGHT_NEEDED, Outcome.PASSED, why)
            return True
        unsafe = tuple(names.unsafe_names(self._headers, self._request.browser))
        key = CacheKey(self._origin, self._url, self._include)
        self._add(Check.PREFLIGHT_NEEDED, Outcome.REMARK, "yes: " + "; ".join(because))
        if self._cache and self._cache.covers(key, self._method, unsafe, self._now, forced=self._forced):
            self._add(Check.PREFLIGHT_CACHE, Outcome.PASSED, "an earlier preflight that granted it is remembered")
            return True
        answer = self._send(self._preflight_request(unsafe))
        if answer is None:
            self._add(Check.PREFLIGHT_ANSWER, Outcome.FAILED, "the preflight got no answer")
            return False
        if not self._judge_preflight(answer, unsafe):
            if self._cache:
                self._cache.forget(self._origin, self._url)
            return False
        self._remember(key, answer)
        return True

    def _preflight_request(self, unsafe: tuple[str, ...]) -> Sent:
        """Return the preflight, which never has credentials (https://fetch.spec.whatwg.org/#cors-preflight-fetch)."""
        headers = [("Accept", "*/*"), ("Access-Control-Request-Method", self._method)]
        if unsafe:
            headers.append(("Access-Control-Request-Headers", ",".join(unsafe)))
        return Sent("preflight", "OPTIONS", self._url, (*headers, ("Origin", self._origin)))

    def _judge_preflight(self, answer: Answer, unsafe: tuple[str, ...]) -> bool:
        """Return whether a preflight passes; method and headers are checked only if CORS check and status pass."""
        first = (
            self._found(Check.PREFLIGHT_CORS, checks.cors_check(answer, self._origin, include=self._include)),
            self._found(Check.PREFLIGHT_STATUS, checks.status_check(answer)),
        )
        if not all(first):
            return False
        method = checks.method_check(answer, self._method, include=self._include, forced=self._forced)
        covers = star_covers_authorization(self._request.browser)
        headers = checks.headers_check(answer, unsafe, include=self._include, star_covers_all=covers)
        second = (self._found(Check.PREFLIGHT_METHOD, method), self._found(Check.PREFLIGHT_HEADERS, headers))
        return all(second)

    def _remember(self, key: CacheKey, answer: Answer) -> None:
        age = checks.max_age(answer)
        caps = ", ".join(f"{name} {min(age, cap)} s" for name, cap in checks.MAX_AGE_CAPS.items())
        absent = "" if answer.lines(checks.ACMA) else f" (the default: {checks.ACMA} is missing)"
        why = f"remembered for {caps}{absent}" if age else "not remembered: every request has its preflight"
        self._note(Check.PREFLIGHT_MAX_AGE, why)
        if self._cache:
            methods = checks.members(answer, checks.ACAM) or []
            if self._forced and not answer.lines(checks.ACAM):
                methods = [self._method]
            self._cache.store(key, methods, checks.members(answer, checks.ACAH) or (), age, self._now)

    def _ask(self) -> Answer | None:
        """Send the actual request of this hop and make the CORS check, which applies to redirects too."""
        answer = self._send(self._actual_request())
        if answer is None:
            self._add(Check.ANSWER, Outcome.FAILED, "the request got no answer")
            return None
        if why := refuses_status(self._request.browser, answer.status):
            self._add(Check.ANSWER, Outcome.FAILED, why)
            return None
        if not self._is_cors:
            return answer
        if not self._found(Check.CORS, checks.cors_check(answer, self._origin, include=self._include)):
            if self._cache:
                self._cache.forget(self._origin, self._url)
            return None
        return answer

    def _actual_request(self) -> Sent:
        has_accept = any(name.lower() == "accept" for name, _ in self._headers)
        headers = [] if has_accept else [("Accept", "*/*")]
        headers += self._headers
        if self._is_cors or self._method not in {"GET", "HEAD"}:
            headers.append(("Origin", self._origin))
        sends_cookie = self._include or (self._request.credentials is Credentials.SAME_ORIGIN and not self._is_cors)
        if self._request.cookie and sends_cookie:
            headers.append(("Cookie", self._request.cookie))
        return Sent("actual", self._method, self._url, tuple(headers))

    def _follow(self, answer: Answer) -> bool:
        """Follow a redirect, or return False (https://fetch.spec.whatwg.org/#concept-http-redirect-fetch)."""
        location = answer.combined("Location") or ""
        target = urls.resolve(self._url, location)
        if target is None:
            return self._refuse_redirect(f"Location {location!r} is no http or https URL")
        if self._hop == MAX_REDIRECTS:
            return self._refuse_redirect(f"more than {MAX_REDIRECTS} redirects")
        here, there = urls.origin_of(self._url), urls.origin_of(target)
        if urls.has_credentials(target) and (self._is_cors or there != self._request.origin):
            return self._refuse_redirect("Location carries a user name or password")
        self._add(Check.REDIRECT, Outcome.PASSED, f"{answer.status} to {target}")
        self._rewrite_method(answer.status)
        if here != there:
            self._drop(frozenset(names.NON_WILDCARD_NAMES))
            if here != self._request.origin and self._origin != "null":
                # The origin is redirect-tainted: https://fetch.spec.whatwg.org/#concept-request-tainted-origin
                self._origin = "null"
                self._note(Check.REDIRECT, f"from here on Origin is null: {here} redirected to another origin")
        self._url = target
        self._hop += 1
        return True

    def _refuse_redirect(self, why: str) -> bool:
        self._add(Check.REDIRECT, Outcome.FAILED, why)
        return False

    def _rewrite_method(self, status: int) -> None:
        becomes_get = (status in {301, 302} and self._method == "POST") or (
            status == 303 and self._method not in {"GET", "HEAD"}
        )
        if becomes_get:
            self._note(Check.REDIRECT, f"{status} turns {self._method} into GET, without its body")
            self._method = "GET"
            self._forced = False
            self._drop(_BODY_HEADERS)

    def _drop(self, low_names: frozenset[str]) -> None:
        self._headers = tuple((name, value) for name, value in self._headers if name.lower() not in low_names)

    def _reads(self, answer: Answer) -> frozenset[str]:
        """Return the names of the fields that the script can read, and note those that it cannot."""
        if not self._is_cors:
            return frozenset(name.lower() for name, _ in answer.headers) - names.FORBIDDEN_RESPONSE_NAMES
        exposed = checks.readable_names(answer, include=self._include)
        hidden = {name.lower() for name, _ in answer.headers} - exposed
        hidden = {name for name in hidden - _NOBODY_READS if not name.startswith("access-control-")}
        self._note(
            Check.EXPOSED, f"the script cannot read: {', '.join(sorted(hidden))}" if hidden else "all can be read"
        )
        if answer.lines(checks.TAO):
            is_shown = checks.timing_check(answer, self._origin)
            self._note(
                Check.TIMING, "timings are shown" if is_shown else f"timings are hidden: {checks.TAO} does not fit"
            )
        return exposed

    def _send(self, sent: Sent) -> Answer | None:
        answer = self._send_out(sent)
        self._exchanges.append(Exchange(sent, answer))
        return answer

    def _found(self, check: Check, finding: Finding) -> bool:
        outcome = Outcome.PASSED if finding.ok else Outcome.FAILED
        self._steps.append(Step(check, outcome, finding.why, self._hop, finding.reason))
        return finding.ok

    def _add(self, check: Check, outcome: Outcome, why: str) -> None:
        self._steps.append(Step(check, outcome, why, self._hop))

    def _note(self, check: Check, why: str) -> None:
        self._add(check, Outcome.REMARK, why)
