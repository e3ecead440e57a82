"""The closed list of differences, each with the browser's behaviour, the rule, and the key that decides.

Only data; docs/verify.md lists the same codes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from corsproxy.tools.browser.steps import FETCH
from corsproxy.tools.live.look_alikes import Likeness


class Code(StrEnum):
    """One kind of difference between the file and the deployment."""

    NO_ANSWER = "no_answer"
    ORIGIN_NOT_GRANTED = "origin_not_granted"
    ORIGIN_GRANTED = "origin_granted"
    REFLECTS_ANY_ORIGIN = "reflects_any_origin"
    ACCEPTS_NULL = "accepts_null"
    WILDCARD_ORIGIN = "wildcard_origin"
    WILDCARD_WITH_CREDENTIALS = "wildcard_with_credentials"
    SUBSTRING_MATCH = "substring_match"
    PREFIX_MATCH = "prefix_match"
    GLUED_AFTER_HOST = "glued_after_host"
    CHARACTER_AFTER_HOST = "character_after_host"
    SUFFIX_MATCH = "suffix_match"
    ANY_TOP_LEVEL_DOMAIN = "any_top_level_domain"
    REVERSED_MATCH = "reversed_match"
    UNESCAPED_DOT = "unescaped_dot"
    ALLOWS_SUBDOMAINS = "allows_subdomains"
    ALLOWS_APEX = "allows_apex"
    ALLOWS_HTTP = "allows_http"
    ALLOWS_OTHER_PORT = "allows_other_port"
    IGNORES_CASE = "ignores_case"
    SHARED_HOST = "shared_host"
    LOCALHOST_LOOKALIKE = "localhost_lookalike"
    CREDENTIALS_NOT_GRANTED = "credentials_not_granted"
    CREDENTIALS_GRANTED = "credentials_granted"
    DUPLICATE_LINES = "duplicate_lines"
    VARY_MISSING = "vary_missing"
    CACHE_MIXES_ORIGINS = "cache_mixes_origins"
    PREFLIGHT_NEEDS_LOGIN = "preflight_needs_login"
    PREFLIGHT_REDIRECTED = "preflight_redirected"
    PREFLIGHT_FAILS = "preflight_fails"
    PREFLIGHT_WITHOUT_GRANT = "preflight_without_grant"
    METHOD_NOT_GRANTED = "method_not_granted"
    METHOD_GRANTED = "method_granted"
    HEADER_NOT_GRANTED = "header_not_granted"
    AUTHORIZATION_NOT_GRANTED = "authorization_not_granted"
    HEADER_GRANTED = "header_granted"
    MAX_AGE_DIFFERS = "max_age_differs"
    NAME_NOT_EXPOSED = "name_not_exposed"
    NAME_EXPOSED = "name_exposed"
    ERROR_WITHOUT_GRANT = "error_without_grant"
    NOT_MODIFIED_WITHOUT_GRANT = "not_modified_without_grant"
    HEAD_WITHOUT_GRANT = "head_without_grant"


LIKENESS_CODES: dict[Likeness, Code] = {
    Likeness.STRANGER: Code.REFLECTS_ANY_ORIGIN,
    Likeness.NULL: Code.ACCEPTS_NULL,
    Likeness.SUBSTRING: Code.SUBSTRING_MATCH,
    Likeness.PREFIX: Code.PREFIX_MATCH,
    Likeness.GLUED: Code.GLUED_AFTER_HOST,
    Likeness.CHARACTER: Code.CHARACTER_AFTER_HOST,
    Likeness.SUFFIX: Code.SUFFIX_MATCH,
    Likeness.SIBLING_SUFFIX: Code.SUFFIX_MATCH,
    Likeness.TOP_LEVEL_DOMAIN: Code.ANY_TOP_LEVEL_DOMAIN,
    Likeness.REVERSED: Code.REVERSED_MATCH,
    Likeness.DOT: Code.UNESCAPED_DOT,
    Likeness.LAST_DOT: Code.UNESCAPED_DOT,
    Likeness.SUBDOMAIN: Code.ALLOWS_SUBDOMAINS,
    Likeness.SIBLING: Code.ALLOWS_SUBDOMAINS,
    Likeness.APEX: Code.ALLOWS_APEX,
    Likeness.INSECURE: Code.ALLOWS_HTTP,
    Likeness.PORT: Code.ALLOWS_OTHER_PORT,
    Likeness.UPPER_CASE: Code.IGNORES_CASE,
    Likeness.SHARED_HOST: Code.SHARED_HOST,
    Likeness.LOCALHOST: Code.LOCALHOST_LOOKALIKE,
}

_CORS_CHECK = f"{FETCH}#concept-cors-check"
_PREFLIGHT = f"{FETCH}#cors-preflight-fetch"
_CACHES = f"{FETCH}#cors-protocol-and-http-caches"
_EXPOSE = f"{FETCH}#http-access-control-expose-headers"
_LETS_IN = "gives pages of this origin the answer"
_BLOCKS = "blocks the request"


@dataclass(frozen=True, slots=True)
class Meaning:
    """The meaning of a code."""

    check: str
    """The group of questions that show it: a test case of JUnit."""
    browser: str
    """What a browser does."""
    rule: str
    """The section of the standard."""
    key: str
    """The key of the policy from which the deployment differs; empty for the whole policy."""


MEANINGS: dict[Code, Meaning] = {
    **{
        code: Meaning("origins that are not allowed", _LETS_IN, _CORS_CHECK, "allow_origins")
        for code in LIKENESS_CODES.values()
    },
    Code.IGNORES_CASE: Meaning(
        "origins that are not allowed", "sends no upper case: no attacker gains, but the comparison is not exact",
        _CORS_CHECK, "allow_origins",
    ),
    Code.NO_ANSWER: Meaning("answers", "sees a network error", f"{FETCH}#concept-http-fetch", ""),
    Code.ORIGIN_NOT_GRANTED: Meaning("origins that are allowed", _BLOCKS, _CORS_CHECK, "allow_origins"),
    Code.ORIGIN_GRANTED: Meaning("origins that are not allowed", _LETS_IN, _CORS_CHECK, "allow_origins"),
    Code.WILDCARD_ORIGIN: Meaning(
        "origins that are not allowed", "gives every page the answer", _CORS_CHECK, "allow_origins"
    ),
    Code.WILDCARD_WITH_CREDENTIALS: Meaning(
        "credentials", "takes no * with credentials, and gives every page the answer without", _CORS_CHECK,
        "allow_credentials",
    ),
    Code.CREDENTIALS_NOT_GRANTED: Meaning("credentials", _BLOCKS, _CORS_CHECK, "allow_credentials"),
    Code.CREDENTIALS_GRANTED: Meaning(
        "credentials", "lets the page act with the visitor's cookies", _CORS_CHECK, "allow_credentials"
    ),
    Code.DUPLICATE_LINES: Meaning(
        "one line each", "reads the lines as one list, which matches nothing", f"{FETCH}#concept-header-list-get", ""
    ),
    Code.VARY_MISSING: Meaning("Vary", "and any cache may give one page another's answer", _CACHES, ""),
    Code.CACHE_MIXES_ORIGINS: Meaning("caches", "blocks a page that gets another's answer", _CACHES, ""),
    Code.PREFLIGHT_NEEDS_LOGIN: Meaning("preflights", "sends no login with one, and blocks", _PREFLIGHT, ""),
    Code.PREFLIGHT_REDIRECTED: Meaning("preflights", "follows no redirect of a preflight, and blocks", _PREFLIGHT, ""),
    Code.PREFLIGHT_FAILS: Meaning("preflights", _BLOCKS, _PREFLIGHT, ""),
    Code.PREFLIGHT_WITHOUT_GRANT: Meaning("preflights", _BLOCKS, _CORS_CHECK, ""),
    Code.METHOD_NOT_GRANTED: Meaning("methods", _BLOCKS, _PREFLIGHT, "allow_methods"),
    Code.METHOD_GRANTED: Meaning("methods", "sends the request", _PREFLIGHT, "allow_methods"),
    Code.HEADER_NOT_GRANTED: Meaning("headers", _BLOCKS, _PREFLIGHT, "allow_headers"),
    Code.AUTHORIZATION_NOT_GRANTED: Meaning(
        "headers", "blocks the request, by the standard (Chromium and Firefox still let it pass, and warn)",
        f"{FETCH}#cors-non-wildcard-request-header-name", "allow_headers",
    ),
    Code.HEADER_GRANTED: Meaning("headers", "sends the request", _PREFLIGHT, "allow_headers"),
    Code.MAX_AGE_DIFFERS: Meaning(
        "max-age", "remembers the preflight for another time", f"{FETCH}#http-access-control-max-age", "max_age"
    ),
    Code.NAME_NOT_EXPOSED: Meaning(
        "exposed names", "hides the header from the page", _EXPOSE, "expose_headers"
    ),
    Code.NAME_EXPOSED: Meaning(
        "exposed names", "shows the header to the page", _EXPOSE, "expose_headers"
    ),
    Code.ERROR_WITHOUT_GRANT: Meaning(
        "errors", "shows the page a network error instead of the status", _CORS_CHECK, ""
    ),
    Code.NOT_MODIFIED_WITHOUT_GRANT: Meaning("304", "blocks the request of a page that revalidates", _CORS_CHECK, ""),
    Code.HEAD_WITHOUT_GRANT: Meaning("HEAD", _BLOCKS, _CORS_CHECK, ""),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """A difference, before its line in the file is known."""

    code: Code
    message: str
    origins: tuple[str, ...] = ()
    """The origins that show it."""
    rule: int | None = None
    """The index in `allow_origins`, if it concerns one item."""
    policy: int = 0
    """The index of the policy that decides, among those of the route."""
    names: tuple[str, ...] = ()
    """The methods, header names or statuses that it concerns."""
