"""Decision tables for wildcards where credentials make them mean nothing, and for dangers that are allowed."""

from __future__ import annotations

from dataclasses import replace

from corsproxy.cors import Kind, Reason
from tests.cors.tables import APP, NOTHING, Case, actual, grants, policy, preflight, refuses, regex, unasked

NONE, PREFLIGHT, ACTUAL = Kind.NONE, Kind.PREFLIGHT, Kind.ACTUAL
ORIGIN_NOT_ALLOWED, ORIGIN_MALFORMED = Reason.ORIGIN_NOT_ALLOWED, Reason.ORIGIN_MALFORMED
METHOD_NOT_ALLOWED, HEADERS_NOT_ALLOWED = Reason.METHOD_NOT_ALLOWED, Reason.HEADERS_NOT_ALLOWED

_DEFAULTS = {"acam": "GET, HEAD, POST", "acma": "600"}

WILDCARD_CASES = [
    Case(
        "star for methods, headers and exposure with credentials",
        policy(APP, allow_credentials=True, allow_methods=("*",), allow_headers=("*",), expose_headers=("*",)),
        True,
        [
            (
                "an actual request needs the response's own names",
                actual(APP),
                replace(grants(ACTUAL, acao=APP, acac="true"), exposes_all_names=True),
            ),
            ("a request without Origin needs no names", unasked(), NOTHING),
            ("a refused request needs no names", actual("https://b.example"), refuses(ACTUAL, ORIGIN_NOT_ALLOWED)),
            (
                "a preflight gets the requested method and nothing of headers",
                preflight(APP, "PUT"),
                grants(PREFLIGHT, acao=APP, acac="true", acam="PUT", acma="600"),
            ),
            (
                "a preflight for a safelisted method gets it",
                preflight(APP, "GET"),
                grants(PREFLIGHT, acao=APP, acac="true", acam="GET", acma="600"),
            ),
            (
                "a preflight for a rare method gets it",
                preflight(APP, "M-SEARCH"),
                grants(PREFLIGHT, acao=APP, acac="true", acam="M-SEARCH", acma="600"),
            ),
            (
                "a preflight gets the requested names once, in lower case, in order",
                preflight(APP, "PUT", "X-B, x-a", "x-b,,X-C"),
                grants(PREFLIGHT, acao=APP, acac="true", acam="PUT", acah="x-b, x-a, x-c", acma="600"),
            ),
            (
                "Authorization is not covered",
                preflight(APP, "PUT", "authorization"),
                refuses(PREFLIGHT, HEADERS_NOT_ALLOWED),
            ),
            (
                "a name that is no token is not repeated",
                preflight(APP, "PUT", b"x-a\r\nset-cookie: x"),
                refuses(PREFLIGHT, HEADERS_NOT_ALLOWED),
            ),
            (
                "a method that is no token is not repeated",
                preflight(APP, b"PUT\r\nX: y"),
                refuses(PREFLIGHT, METHOD_NOT_ALLOWED),
            ),
        ],
    ),
    Case(
        "star for headers beside Authorization with credentials",
        policy(APP, allow_credentials=True, allow_methods=("PUT",), allow_headers=("*", "Authorization")),
        True,
        [
            (
                "a preflight for Authorization and another lists both",
                preflight(APP, "PUT", "authorization,x-a"),
                grants(PREFLIGHT, acao=APP, acac="true", acam="PUT", acah="authorization, x-a", acma="600"),
            ),
            (
                "a preflight without requested headers lists none",
                preflight(APP, "PUT"),
                grants(PREFLIGHT, acao=APP, acac="true", acam="PUT", acma="600"),
            ),
            ("a method not listed is refused", preflight(APP, "DELETE"), refuses(PREFLIGHT, METHOD_NOT_ALLOWED)),
        ],
    ),
    Case(
        "star for methods beside a header list with credentials",
        policy(APP, allow_credentials=True, allow_methods=("*",), allow_headers=("X-A",)),
        True,
        [
            (
                "a preflight gets the requested method and the whole header list",
                preflight(APP, "PATCH"),
                grants(PREFLIGHT, acao=APP, acac="true", acam="PATCH", acah="X-A", acma="600"),
            ),
            ("a header not listed is refused", preflight(APP, "PATCH", "x-b"), refuses(PREFLIGHT, HEADERS_NOT_ALLOWED)),
        ],
    ),
    Case(
        "star with credentials, dangerously allowed",
        policy("*", allow_credentials=True, dangerously_allow=("any_origin_with_credentials",)),
        True,
        [
            ("a request without Origin gets nothing but Vary", unasked(), NOTHING),
            (
                "any origin gets itself",
                actual("https://any.example"),
                grants(ACTUAL, acao="https://any.example", acac="true"),
            ),
            (
                "a plain-http origin gets itself",
                actual("http://any.example"),
                grants(ACTUAL, acao="http://any.example", acac="true"),
            ),
            ("null is not reflected", actual("null"), refuses(ACTUAL, ORIGIN_NOT_ALLOWED)),
            ("an upper-case origin is not reflected", actual("https://Any.example"), refuses(ACTUAL, ORIGIN_MALFORMED)),
            (
                "an origin with a path is not reflected",
                actual("https://any.example/"),
                refuses(ACTUAL, ORIGIN_MALFORMED),
            ),
            ("two origins are not reflected", actual(APP, APP), refuses(ACTUAL, ORIGIN_MALFORMED)),
            (
                "a preflight names the origin",
                preflight("https://any.example", "GET"),
                grants(PREFLIGHT, acao="https://any.example", acac="true", **_DEFAULTS),
            ),
        ],
    ),
    Case(
        "null and star with credentials, dangerously allowed",
        policy("*", "null", allow_credentials=True, dangerously_allow=("any_origin_with_credentials", "null_origin")),
        True,
        [("null gets itself", actual("null"), grants(ACTUAL, acao="null", acac="true"))],
    ),
    Case(
        "null in the list, dangerously allowed",
        policy("null", dangerously_allow=("null_origin",)),
        True,
        [
            ("null gets itself", actual("null"), grants(ACTUAL, acao="null")),
            ("null gets a preflight", preflight("null", "GET"), grants(PREFLIGHT, acao="null", **_DEFAULTS)),
            ("Null in another letter case is malformed", actual("Null"), refuses(ACTUAL, ORIGIN_MALFORMED)),
            ("an origin is not null", actual(APP), refuses(ACTUAL, ORIGIN_NOT_ALLOWED)),
        ],
    ),
    Case(
        "null allowed but not listed",
        policy(APP, regex("null|.*"), dangerously_allow=("null_origin",)),
        True,
        [
            ("no regular expression matches null", actual("null"), refuses(ACTUAL, ORIGIN_NOT_ALLOWED)),
            (
                "the same expression matches a real origin",
                actual("https://b.example"),
                grants(ACTUAL, acao="https://b.example"),
            ),
            (
                "no regular expression matches a malformed origin",
                actual("https://b.example/"),
                refuses(ACTUAL, ORIGIN_MALFORMED),
            ),
        ],
    ),
]
