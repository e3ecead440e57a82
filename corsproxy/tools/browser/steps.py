"""The result of playing a browser: steps, each with its outcome, its reason and its section of the standard.

Data first; the text for people is made from it, only here.
It must not know how a step was decided.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

FETCH = "https://fetch.spec.whatwg.org/"


class Outcome(StrEnum):
    """The outcome of a step; a `REMARK` never decides anything."""

    PASSED = "passed"
    FAILED = "failed"
    REMARK = "remark"


class Check(StrEnum):
    """The kinds of steps, in the order in which a browser takes them."""

    REQUEST = "request"
    URL = "url"
    LOCAL_NETWORK = "local-network"
    SAME_ORIGIN = "same-origin"
    PREFLIGHT_NEEDED = "preflight-needed"
    PREFLIGHT_CACHE = "preflight-cache"
    PREFLIGHT_ANSWER = "preflight-answer"
    PREFLIGHT_CORS = "preflight-cors-check"
    PREFLIGHT_STATUS = "preflight-status"
    PREFLIGHT_METHOD = "preflight-method"
    PREFLIGHT_HEADERS = "preflight-headers"
    PREFLIGHT_MAX_AGE = "preflight-max-age"
    ANSWER = "answer"
    CORS = "cors-check"
    REDIRECT = "redirect"
    EXPOSED = "exposed-headers"
    TIMING = "timing"


SECTIONS: dict[Check, str] = {
    Check.REQUEST: f"{FETCH}#methods",
    Check.URL: f"{FETCH}#concept-main-fetch",
    Check.LOCAL_NETWORK: "https://wicg.github.io/local-network-access/",
    Check.SAME_ORIGIN: f"{FETCH}#concept-main-fetch",
    Check.PREFLIGHT_NEEDED: f"{FETCH}#cors-unsafe-request-header-names",
    Check.PREFLIGHT_CACHE: f"{FETCH}#concept-cache",
    Check.PREFLIGHT_ANSWER: f"{FETCH}#cors-preflight-fetch",
    Check.PREFLIGHT_CORS: f"{FETCH}#concept-cors-check",
    Check.PREFLIGHT_STATUS: f"{FETCH}#cors-preflight-fetch",
    Check.PREFLIGHT_METHOD: f"{FETCH}#cors-preflight-fetch",
    Check.PREFLIGHT_HEADERS: f"{FETCH}#cors-preflight-fetch",
    Check.PREFLIGHT_MAX_AGE: f"{FETCH}#http-access-control-max-age",
    Check.ANSWER: f"{FETCH}#concept-http-fetch",
    Check.CORS: f"{FETCH}#concept-cors-check",
    Check.REDIRECT: f"{FETCH}#concept-http-redirect-fetch",
    Check.EXPOSED: f"{FETCH}#http-access-control-expose-headers",
    Check.TIMING: f"{FETCH}#tao-check",
}
"""The section of the standard."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check, before it becomes a step."""

    ok: bool
    why: str
    reason: str | None = None
    """The failure's reason, if the closed list has one."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a browser."""

    check: Check
    outcome: Outcome
    why: str
    hop: int = 0
    """0 for the first URL; each redirect adds one."""
    reason: str | None = None

    @property
    def section(self) -> str:
        """The link to the section of the standard that requires it."""
        return SECTIONS[self.check]

    def __str__(self) -> str:
        """Return one line for people."""
        mark = {Outcome.PASSED: "pass", Outcome.FAILED: "FAIL", Outcome.REMARK: "note"}[self.outcome]
        return f"{mark}  {self.check}: {self.why}"


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as a browser would send it."""

    kind: str
    """`preflight` or `actual`."""
    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    """The relevant ones: the script's, Origin, Accept, Cookie and those of a preflight."""

    @property
    def origin(self) -> str | None:
        """The value of Origin; None if the browser sends none."""
        return next((value for name, value in self.headers if name == "Origin"), None)


@dataclass(frozen=True, slots=True)
class Answer:
    """A response as received: every field line in order, values decoded as Latin-1."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    text: str = field(default="", compare=False)
    """The beginning of an error's text, if it was read."""

    @property
    def media_type(self) -> str:
        """`type/subtype` of Content-Type in lower case, or nothing."""
        return (self.combined("Content-Type") or "").partition(";")[0].strip().lower()

    def lines(self, name: str) -> tuple[str, ...]:
        """Return every value of a field, whatever the letter case of its name."""
        wanted = name.lower()
        return tuple(value.strip(" \t") for found, value in self.headers if found.lower() == wanted)

    def combined(self, name: str) -> str | None:
        """Return the value as the standard combines it: lines joined with a comma; None if there is none."""
        lines = self.lines(name)
        return ", ".join(lines) if lines else None


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its response; `answer` is None without a response."""

    sent: Sent
    answer: Answer | None


@dataclass(frozen=True, slots=True)
class Play:
    """All steps of one request of a page."""

    steps: tuple[Step, ...]
    exchanges: tuple[Exchange, ...] = ()
    preflight_because: tuple[str, ...] = field(default=())
    """Why the first URL needs a preflight; empty if it does not."""
    exposed: frozenset[str] = frozenset()
    """The response header names, lower case, that the script may read; empty if it gets no response."""

    @property
    def allowed(self) -> bool:
        """Return whether the script gets the response."""
        return not any(step.outcome is Outcome.FAILED for step in self.steps)

    @property
    def failure(self) -> Step | None:
        """Return the step that failed."""
        return next((step for step in self.steps if step.outcome is Outcome.FAILED), None)

    @property
    def reason(self) -> str | None:
        """The failure's reason from the closed list; None if nothing failed or the list has none."""
        return self.failure.reason if self.failure else None

    @property
    def needs_preflight(self) -> bool:
        """Return whether the first URL needs a preflight, cached or not."""
        return bool(self.preflight_because)
