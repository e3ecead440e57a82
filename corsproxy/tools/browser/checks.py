"""The checks of a browser on one response: the CORS check, the preflight's other checks, exposed names, timing.

Pure functions of a request and its response, in the order of the standard.
They are written from the standard alone, and must not know what a server intended.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from corsproxy.tools.browser.names import (
    FORBIDDEN_RESPONSE_NAMES,
    NON_WILDCARD_NAMES,
    SAFELISTED_METHODS,
    SAFELISTED_RESPONSE_NAMES,
    is_token,
)
from corsproxy.tools.browser.steps import Answer, Finding

ACAO = "Access-Control-Allow-Origin"
ACAC = "Access-Control-Allow-Credentials"
ACAM = "Access-Control-Allow-Methods"
ACAH = "Access-Control-Allow-Headers"
ACMA = "Access-Control-Max-Age"
ACEH = "Access-Control-Expose-Headers"
TAO = "Timing-Allow-Origin"

DEFAULT_MAX_AGE = 5
"""Seconds, if the field is absent or not a number (https://fetch.spec.whatwg.org/#cors-preflight-fetch)."""

MAX_AGE_CAPS = {"Chromium": 7200, "Firefox": 86400, "Safari": 600}
"""The most seconds for which a browser caches a preflight, from its source: Chromium's preflight_result.cc, Firefox's
nsCORSListenerProxy.cpp, WebKit's CrossOriginPreflightResultCache.cpp."""

_DIGITS = re.compile("[0-9]+")


def cors_check(answer: Answer, origin: str, *, include: bool) -> Finding:
    """Make the CORS check (https://fetch.spec.whatwg.org/#concept-cors-check); `include` is the credentials mode."""
    allowed = answer.combined(ACAO)
    if allowed is None:
        return Finding(False, f"the answer has no {ACAO}", "origin_not_allowed")
    if allowed == "*" and not include:
        return Finding(True, f"{ACAO} is *, and no credentials are sent")
    if allowed == "*":
        why = f"{ACAO} is *, which has no effect with credentials: it must be the origin itself"
        return Finding(False, why, "credentials_not_allowed")
    if allowed != origin:
        return Finding(False, _unequal(answer, allowed, origin), "origin_not_allowed")
    if not include:
        return Finding(True, f"{ACAO} is {origin}")
    credentials = answer.combined(ACAC)
    if credentials == "true":
        return Finding(True, f"{ACAO} is {origin} and {ACAC} is true")
    state = f"is {credentials!r}" if credentials is not None else "is missing"
    why = f"credentials are sent, and {ACAC} {state}: it must be exactly 'true'"
    return Finding(False, why, "credentials_not_allowed")


def _unequal(answer: Answer, allowed: str, origin: str) -> str:
    if (count := len(answer.lines(ACAO))) > 1:
        return f"the answer has {count} lines of {ACAO}, read as {allowed!r}: there must be one"
    if "," in allowed:
        return f"{ACAO} is {allowed!r}, a list: it must be one origin"
    hint = ": a serialized origin has no trailing slash" if allowed.rstrip("/") == origin else ""
    hint = hint or (": letter case counts" if allowed.lower() == origin.lower() else "")
    return f"{ACAO} is {allowed!r}, which is not {origin!r}{hint}"


def status_check(answer: Answer) -> Finding:
    """Check that a preflight's status is an ok status, 200 to 299."""
    if 200 <= answer.status <= 299:
        return Finding(True, f"the status is {answer.status}")
    if answer.status in {301, 302, 303, 307, 308}:
        return Finding(False, f"the status is {answer.status}: a preflight must not be redirected")
    hint = ": a preflight carries no credentials, so it must be answered before the login"
    return Finding(False, f"the status is {answer.status}, not 200 to 299{hint if answer.status in {401, 407} else ''}")


def method_check(answer: Answer, method: str, *, include: bool, forced: bool = False) -> Finding:
    """Check a preflight's methods; `forced` is true if an upload listener or a streamed body required it."""
    methods = members(answer, ACAM)
    if methods is None:
        return Finding(False, f"{ACAM} is {answer.combined(ACAM)!r}, which is no list of methods", "method_not_allowed")
    if not answer.lines(ACAM) and forced:
        methods = [method]
    if method in methods:
        return Finding(True, f"{ACAM} names {method}")
    if method in SAFELISTED_METHODS:
        return Finding(True, f"{method} is a CORS-safelisted method, which needs no permission")
    if "*" in methods and not include:
        return Finding(True, f"{ACAM} is *, and no credentials are sent")
    state = f"is {answer.combined(ACAM)!r}" if answer.lines(ACAM) else "is missing"
    why = f"{method} is not allowed: {ACAM} {state}"
    if "*" in methods:
        why += ", and a star has no effect with credentials"
    elif method.lower() in (name.lower() for name in methods):
        why += ", and the letter case of methods counts"
    return Finding(False, why, "method_not_allowed")


def headers_check(answer: Answer, unsafe: Iterable[str], *, include: bool, star_covers_all: bool = False) -> Finding:
    """Check a preflight's header names against the CORS-unsafe ones of the request (lower case).

    `star_covers_all` is for a browser whose star covers Authorization.
    """
    names = members(answer, ACAH)
    if names is None:
        return Finding(False, f"{ACAH} is {answer.combined(ACAH)!r}, which is no list of names", "headers_not_allowed")
    low = {name.lower() for name in names}
    star = "*" in low and not include
    never = frozenset() if star_covers_all else NON_WILDCARD_NAMES
    missing = [name for name in unsafe if name not in low and not (star and name not in never)]
    if not missing:
        return Finding(True, f"{ACAH} is {answer.combined(ACAH)!r}" if names else "no header needs permission")
    state = f"is {answer.combined(ACAH)!r}" if answer.lines(ACAH) else "is missing"
    why = f"not allowed: {', '.join(missing)}; {ACAH} {state}"
    if star:
        # Browsers warn about it and still let it pass: https://chromestatus.com/feature/5742041264816128.
        why += ", and a star never covers Authorization (Chromium and Firefox still let it, and warn)"
    elif "*" in low:
        why += ", and a star has no effect with credentials"
    return Finding(False, why, "headers_not_allowed")


def max_age(answer: Answer) -> int:
    """Return the seconds for which a preflight's answer may be cached, before any browser's cap."""
    lines = answer.lines(ACMA)
    if len(lines) != 1 or not _DIGITS.fullmatch(lines[0]):
        return DEFAULT_MAX_AGE
    return int(lines[0][:18])


def readable_names(answer: Answer, *, include: bool) -> frozenset[str]:
    """Return the names (lower case) that a script may read (https://fetch.spec.whatwg.org/#concept-filtered-response-cors)."""
    present = {name.lower() for name, _ in answer.headers}
    listed = {name.lower() for name in members(answer, ACEH) or ()}
    readable = present if "*" in listed and not include else present & (listed | SAFELISTED_RESPONSE_NAMES)
    return frozenset(readable - FORBIDDEN_RESPONSE_NAMES)


def timing_check(answer: Answer, origin: str) -> bool:
    """Make the TAO check (https://fetch.spec.whatwg.org/#concept-tao-check): a list of origins, or a star."""
    combined = answer.combined(TAO)
    values = [value.strip(" \t") for value in combined.split(",")] if combined is not None else []
    return "*" in values or origin in values


def members(answer: Answer, name: str) -> list[str] | None:
    """Return the members of a list field, or None if one is not a token; an absent field is empty.

    https://fetch.spec.whatwg.org/#extract-header-list-values
    """
    combined = answer.combined(name)
    members = [member.strip(" \t") for member in combined.split(",")] if combined is not None else []
    members = [member for member in members if member]
    return members if all(map(is_token, members)) else None
