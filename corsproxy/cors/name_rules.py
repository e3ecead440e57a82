"""The rules for methods, header names, max age and dangers of a policy: everything but origins.

Each check takes the value of one key and returns its problems, in order.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable

from corsproxy.cors.headers import (
    REQUEST_ONLY,
    RESPONSE_ONLY,
    is_forbidden_request_header,
    is_forbidden_response_header,
)
from corsproxy.cors.methods import CARRIED, is_forbidden, normalize
from corsproxy.cors.problems import PolicyProblem, ProblemReason, Severity, quote
from corsproxy.cors.spec import DANGERS, MAX_MAX_AGE, WILDCARD
from corsproxy.cors.tokens import TOKEN_BYTES, is_token

_METHODS = "allow_methods"
_NAME_AND_VALUE = re.compile(rf"([{re.escape(TOKEN_BYTES.decode())}]+)\s*[:=]\s*\S.*")


def check_methods(methods: tuple[str, ...]) -> list[PolicyProblem]:
    """Check `allow_methods`."""
    problems = []
    for index, method in enumerate(methods):
        if method == WILDCARD:
            continue
        wrong = _not_a_name(method, "method")
        encoded = method.encode("ascii", "replace")
        if wrong:
            problems.append(_problem(_METHODS, index, "invalid", "method", method, wrong))
        elif is_forbidden(encoded):
            rule = "Fetch forbids CONNECT, TRACE and TRACK, and no browser sends them; remove it"
            problems.append(_problem(_METHODS, index, "forbidden", "method", method, rule))
        elif normalize(encoded) not in CARRIED:
            problems.append(_problem(_METHODS, index, "prohibited", "method", method, _why_not_carried(method)))
    return problems


def _why_not_carried(method: str) -> str:
    """Return why the proxy cannot carry a valid method, and the remedy."""
    if method.upper() in ("ANY", "ALL"):
        return 'for any method write "*"'
    if "|" in method:
        return "each method must be a separate item"
    detail = "the proxy cannot carry it and answers 501"
    if method.upper().encode() in CARRIED:
        return f"{detail}: browsers send it as written; write {quote(method.upper())}, in the page too"
    near = difflib.get_close_matches(method.upper(), [known.decode() for known in CARRIED], n=1, cutoff=0.75)
    if near:
        return f"{detail}: did you mean {quote(near[0])}?"
    return f"{detail}; have the page use a registered one, such as POST, and remove it"


def check_headers(names: tuple[str, ...]) -> list[PolicyProblem]:
    """Check `allow_headers`."""
    forbidden = "only the browser sets it (Fetch: forbidden request-header), so no page can ask for it; remove it"
    misplaced = "only responses carry it, so no page sends it; did you mean expose_headers?"
    return _check_names("allow_headers", names, is_forbidden_request_header, forbidden, RESPONSE_ONLY, misplaced)


def check_exposed(names: tuple[str, ...]) -> list[PolicyProblem]:
    """Check `expose_headers`."""
    forbidden = "no page may ever read it (Fetch: forbidden response-header name); remove it"
    misplaced = "only requests carry it, so there is nothing to read; did you mean allow_headers?"
    return _check_names("expose_headers", names, is_forbidden_response_header, forbidden, REQUEST_ONLY, misplaced)


def _check_names(
    key: str,
    names: tuple[str, ...],
    is_forbidden_name: Callable[[bytes], bool],
    forbidden: str,
    others: frozenset[bytes],
    misplaced: str,
) -> list[PolicyProblem]:
    """Check header names; those of `others` are valid but belong in the other list."""
    problems = []
    for index, name in enumerate(names):
        if name == WILDCARD:
            continue
        wrong = _not_a_name(name, "header name")
        encoded = name.encode("ascii", "replace")
        if wrong:
            problems.append(_problem(key, index, "invalid", "header name", name, wrong))
        elif is_forbidden_name(encoded):
            problems.append(_problem(key, index, "forbidden", "header name", name, forbidden))
        elif encoded.lower() in others:
            problems.append(_problem(key, index, "invalid", "header name", name, misplaced, "warning"))
    return problems


def check_max_age(max_age: object) -> list[PolicyProblem]:
    """Check `max_age`; 0 is valid and disables the preflight cache."""
    if isinstance(max_age, int) and not isinstance(max_age, bool) and 0 <= max_age <= MAX_MAX_AGE:
        return []
    rule = f"whole seconds from 0 (no caching) to {MAX_MAX_AGE} (24h), as no browser caches longer"
    return [_problem("max_age", None, "invalid", "max age", max_age, rule)]


def check_dangers(names: tuple[str, ...] | frozenset[str]) -> list[PolicyProblem]:
    """Check `dangerously_allow`."""
    problems = []
    for index, name in enumerate(names if isinstance(names, tuple) else sorted(names)):
        if name not in DANGERS:
            near = difflib.get_close_matches(name, DANGERS, n=1)
            rule = f"did you mean {quote(near[0])}?" if near else f"it is one of {', '.join(DANGERS)}"
            problems.append(_problem("dangerously_allow", index, "invalid", "danger", name, rule))
    return problems


def _not_a_name(text: str, noun: str) -> str | None:
    """Return why `text` is not a valid name, and the remedy; None if it is."""
    if not text:
        return "the value is empty; remove it"
    if found := _NAME_AND_VALUE.fullmatch(text.strip()):
        return f"a name has no value; write {quote(found[1])}"
    if re.search("[,;]", text) or " " in text.strip():
        return f"each {noun} must be a separate item"
    if text != text.strip() or text.endswith(":"):
        return f"write {quote(text.strip().rstrip(': '))}"
    if WILDCARD in text:
        # A star is a valid token byte, so the name would be accepted but would match no request.
        return f"a star is valid only alone, for every {noun}; name each one, or write '*'"
    if not text.isascii() or not is_token(text.encode("ascii")):
        return "a name is made of letters, digits and !#$%&'*+-.^_`|~ (RFC 9110: token)"
    return None


def _problem(
    key: str,
    index: int | None,
    reason: ProblemReason,
    noun: str,
    value: object,
    rule: str,
    severity: Severity = "error",
) -> PolicyProblem:
    # The value of a warning is valid, so its message has no adjective such as `invalid`.
    adjective = f"{reason} " if severity == "error" else ""
    return PolicyProblem(key, index, reason, value, f"{adjective}{noun} {quote(value)}: {rule}", severity)
