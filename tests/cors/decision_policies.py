"""Decision tables by the kind of policy: none, everyone, one origin, credentials, timing, exposure."""

from __future__ import annotations

from dataclasses import replace

from corsproxy.cors import CorsRequest, Kind, Reason
from tests.cors.tables import APP, NOTHING, Case, actual, grants, policy, preflight, refuses, unasked

NONE, PREFLIGHT, ACTUAL = Kind.NONE, Kind.PREFLIGHT, Kind.ACTUAL
ORIGIN_NOT_ALLOWED, ORIGIN_MALFORMED = Reason.ORIGIN_NOT_ALLOWED, Reason.ORIGIN_MALFORMED
METHOD_NOT_ALLOWED, HEADERS_NOT_ALLOWED = Reason.METHOD_NOT_ALLOWED, Reason.HEADERS_NOT_ALLOWED

_DEFAULTS = {"acam": "GET, HEAD, POST", "acma": "600"}

POLICY_CASES = [
    Case(
        "without a policy",
        None,
        False,
        [
            ("a request without Origin gets nothing", unasked(), NOTHING),
            ("an actual GET is refused", actual(APP), refuses(ACTUAL, Reason.NO_POLICY)),
            ("a preflight is refused", preflight(APP, "GET"), refuses(PREFLIGHT, Reason.NO_POLICY)),
            ("a malformed origin is refused for want of a policy", actual("x"), refuses(ACTUAL, Reason.NO_POLICY)),
            (
                "OPTIONS with Origin alone is refused as actual",
                actual(APP, method="OPTIONS"),
                refuses(ACTUAL, Reason.NO_POLICY),
            ),
        ],
    ),
    Case(
        "star without credentials",
        policy("*"),
        False,
        [
            ("a request without Origin gets the star", unasked(), grants(NONE, acao="*")),
            ("OPTIONS without Origin gets the star", unasked("OPTIONS"), grants(NONE, acao="*")),
            (
                "OPTIONS with a requested method but no Origin is no CORS request",
                CorsRequest("OPTIONS", (), (b"PUT",)),
                grants(NONE, acao="*"),
            ),
            ("an actual GET gets the star", actual(APP), grants(ACTUAL, acao="*")),
            ("an actual DELETE gets the star, too", actual(APP, method="DELETE"), grants(ACTUAL, acao="*")),
            ("null gets the star", actual("null"), grants(ACTUAL, acao="*")),
            ("a malformed origin gets the star", actual("HTTPS://A/"), grants(ACTUAL, acao="*")),
            ("an empty origin gets the star", actual(""), grants(ACTUAL, acao="*")),
            ("a non-ASCII origin gets the star", actual(b"https://\xff"), grants(ACTUAL, acao="*")),
            ("an over-long origin gets the star", actual("https://" + "a" * 9000), grants(ACTUAL, acao="*")),
            ("two Origin lines get the star", actual(APP, APP), grants(ACTUAL, acao="*")),
            ("a preflight for GET is granted", preflight(APP, "GET"), grants(PREFLIGHT, acao="*", **_DEFAULTS)),
            ("a preflight from null is granted", preflight("null", "POST"), grants(PREFLIGHT, acao="*", **_DEFAULTS)),
            (
                "a preflight from a malformed origin is granted",
                preflight("x y", "HEAD"),
                grants(PREFLIGHT, acao="*", **_DEFAULTS),
            ),
            ("a preflight for PUT is refused", preflight(APP, "PUT"), refuses(PREFLIGHT, METHOD_NOT_ALLOWED)),
            (
                "a preflight with a header is refused",
                preflight(APP, "GET", "x-a"),
                refuses(PREFLIGHT, HEADERS_NOT_ALLOWED),
            ),
        ],
    ),
    Case(
        "star for everything without credentials",
        policy("*", allow_methods=("*",), allow_headers=("*",), expose_headers=("*",), max_age=0),
        False,
        [
            ("a request without Origin is told what is exposed", unasked(), grants(NONE, acao="*", aceh="*")),
            ("an actual request is told what is exposed", actual(APP), grants(ACTUAL, acao="*", aceh="*")),
            (
                "a preflight for PUT gets the wildcards and the zero max age",
                preflight(APP, "PUT", "x-a"),
                grants(PREFLIGHT, acao="*", acam="*", acah="*", acma="0"),
            ),
            (
                "a preflight without requested headers gets the wildcards all the same",
                preflight(APP, "GET"),
                grants(PREFLIGHT, acao="*", acam="*", acah="*", acma="0"),
            ),
            (
                "Authorization is not covered by the star",
                preflight(APP, "GET", "authorization"),
                refuses(PREFLIGHT, HEADERS_NOT_ALLOWED),
            ),
            (
                "Authorization among others is not covered by the star",
                preflight(APP, "GET", "accept,authorization,x-a"),
                refuses(PREFLIGHT, HEADERS_NOT_ALLOWED),
            ),
        ],
    ),
    Case(
        "star beside a named origin",
        policy(APP, "*"),
        False,
        [
            ("the named origin gets the star like all others", actual(APP), grants(ACTUAL, acao="*")),
            ("another origin gets the star", actual("https://b.example"), grants(ACTUAL, acao="*")),
        ],
    ),
    Case(
        "one origin",
        policy(APP),
        True,
        [
            ("a request without Origin gets nothing but Vary", unasked(), NOTHING),
            ("the origin gets itself", actual(APP), grants(ACTUAL, acao=APP)),
            ("the origin gets itself on POST", actual(APP, method="POST"), grants(ACTUAL, acao=APP)),
            ("the origin gets itself on a method not listed", actual(APP, method="PURGE"), grants(ACTUAL, acao=APP)),
            (
                "the origin gets itself on OPTIONS that is no preflight",
                actual(APP, method="OPTIONS"),
                grants(ACTUAL, acao=APP),
            ),
            (
                "a requested method on GET makes no preflight",
                replace(actual(APP), requested_methods=(b"PUT",)),
                grants(ACTUAL, acao=APP),
            ),
            ("another origin gets nothing", actual("https://evil.example"), refuses(ACTUAL, ORIGIN_NOT_ALLOWED)),
            ("null gets nothing", actual("null"), refuses(ACTUAL, ORIGIN_NOT_ALLOWED)),
            ("the origin twice gets nothing", actual(APP, APP), refuses(ACTUAL, ORIGIN_MALFORMED)),
            ("the origin and another get nothing", actual(APP, "https://b.example"), refuses(ACTUAL, ORIGIN_MALFORMED)),
            ("an empty Origin gets nothing", actual(""), refuses(ACTUAL, ORIGIN_MALFORMED)),
            ("a preflight is granted", preflight(APP, "GET"), grants(PREFLIGHT, acao=APP, **_DEFAULTS)),
            (
                "a preflight with an empty header list is granted",
                preflight(APP, "GET", ""),
                grants(PREFLIGHT, acao=APP, **_DEFAULTS),
            ),
            ("a preflight from null is refused", preflight("null", "GET"), refuses(PREFLIGHT, ORIGIN_NOT_ALLOWED)),
            (
                "a preflight with two Origin lines is refused",
                replace(preflight(APP, "GET"), origins=(APP.encode(), APP.encode())),
                refuses(PREFLIGHT, ORIGIN_MALFORMED),
            ),
            (
                "a preflight with two requested methods is refused",
                replace(preflight(APP, "GET"), requested_methods=(b"GET", b"GET")),
                refuses(PREFLIGHT, METHOD_NOT_ALLOWED),
            ),
            (
                "of a wrong origin, method and header the origin is the reason",
                preflight("https://evil.example", "PUT", "x-a"),
                refuses(PREFLIGHT, ORIGIN_NOT_ALLOWED),
            ),
            (
                "of a wrong method and header the method is the reason",
                preflight(APP, "PUT", "x-a"),
                refuses(PREFLIGHT, METHOD_NOT_ALLOWED),
            ),
            (
                "with a right method the header is the reason",
                preflight(APP, "POST", "x-a"),
                refuses(PREFLIGHT, HEADERS_NOT_ALLOWED),
            ),
        ],
    ),
    Case(
        "credentials",
        policy(
            APP,
            allow_credentials=True,
            allow_methods=("GET", "PUT"),
            allow_headers=("Content-Type", "Authorization"),
            expose_headers=("ETag", "X-Total-Count"),
            max_age=86400,
        ),
        True,
        [
            ("a request without Origin gets nothing but Vary", unasked(), NOTHING),
            (
                "an actual request is told of credentials and exposure",
                actual(APP),
                grants(ACTUAL, acao=APP, acac="true", aceh="ETag, X-Total-Count"),
            ),
            (
                "another origin is not told of credentials",
                actual("https://b.example"),
                refuses(ACTUAL, ORIGIN_NOT_ALLOWED),
            ),
            (
                "a preflight gets the whole lists as written, and no exposure",
                preflight(APP, "PUT", "content-type"),
                grants(
                    PREFLIGHT, acao=APP, acac="true", acam="GET, PUT", acah="Content-Type, Authorization", acma="86400"
                ),
            ),
            (
                "a preflight for Authorization that is named is granted",
                preflight(APP, "PUT", "authorization,content-type"),
                grants(
                    PREFLIGHT, acao=APP, acac="true", acam="GET, PUT", acah="Content-Type, Authorization", acma="86400"
                ),
            ),
            (
                "a preflight for POST that is not listed is granted, as it is safelisted",
                preflight(APP, "POST"),
                grants(
                    PREFLIGHT, acao=APP, acac="true", acam="GET, PUT", acah="Content-Type, Authorization", acma="86400"
                ),
            ),
        ],
    ),
    Case(
        "timing for everyone",
        policy("*", timing=True),
        False,
        [
            ("a request without Origin gets both stars", unasked(), grants(NONE, acao="*", tao="*")),
            ("an actual request gets both stars", actual(APP), grants(ACTUAL, acao="*", tao="*")),
            ("a preflight is not told of timing", preflight(APP, "GET"), grants(PREFLIGHT, acao="*", **_DEFAULTS)),
        ],
    ),
]
