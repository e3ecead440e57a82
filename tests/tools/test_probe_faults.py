"""Probe against servers on loopback, each broken on purpose in one way, and others that only look odd."""

from __future__ import annotations

import re

import pytest

from tests.tools.probe_servers import (
    PAGE,
    Fields,
    Serve,
    changed,
    codes,
    letting_in,
    probed,
    regex,
    served,
    without,
)

ACAO, ACAC, ACMA = "Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Access-Control-Max-Age"


def _old_grant(method: str, origin: str | None, status: int, fields: Fields) -> tuple[int, Fields]:
    return status, [*fields, (ACAO, PAGE)] if origin == PAGE else fields


def _star(method: str, origin: str | None, status: int, fields: Fields) -> tuple[int, Fields]:
    return (204 if method == "PREFLIGHT" else status), [
        *without(fields, ACAO),
        (ACAO, "*"),
        *([] if origin else [(ACAC, "true")]),
    ]


def _preflight(status: int, *more: tuple[str, str]) -> Serve:
    return changed(lambda method, _, own, fields: (status, [*more]) if method == "PREFLIGHT" else (own, fields))


def _max_age(*values: str) -> Serve:
    return changed(
        lambda _m, _o, status, fields: (status, [*without(fields, ACMA), *((ACMA, value) for value in values)])
    )


def _bare_errors(method: str, origin: str | None, status: int, fields: Fields) -> tuple[int, Fields]:
    return (status, [("Vary", "Origin")]) if status == 404 else (status, fields)


def _no_vary_when(is_silent: object) -> Serve:
    return changed(
        lambda _m, origin, status, fields: (status, without(fields, "Vary") if origin == is_silent else fields)
    )


FAULTS: list[tuple[str, Serve, str, dict[str, str]]] = [
    (
        "any origin is reflected with credentials",
        letting_in(lambda _: True),
        "GET",
        {"reflects_any_origin": "error", "accepts_null": "error"},
    ),
    (
        "any origin is reflected without credentials",
        letting_in(lambda origin: origin != "null", credentials=False),
        "GET",
        {"reflects_any_origin": "warning"},
    ),
    ("null is granted", letting_in(lambda origin: origin in {PAGE, "null"}), "GET", {"accepts_null": "error"}),
    (
        "origins are compared by startswith",
        letting_in(lambda origin: origin.startswith(PAGE)),
        "GET",
        {"prefix_match": "error"},
    ),
    ("a regex without an end", letting_in(regex(r"https://app\.example\.com")), "GET", {"prefix_match": "error"}),
    (
        "origins are compared by endswith of the domain",
        letting_in(lambda origin: origin.startswith("https:") and origin.endswith("example.com")),
        "GET",
        {"suffix_match": "error"},
    ),
    (
        "origins are compared by endswith of the host",
        letting_in(lambda origin: origin.startswith("https:") and origin.endswith("app.example.com")),
        "GET",
        {"suffix_match": "warning"},
    ),
    (
        "origins are compared by contains",
        letting_in(lambda origin: origin.startswith("https:") and "app.example.com" in origin),
        "GET",
        {"substring_match": "error"},
    ),
    (
        "a dot in a regex is not escaped",
        letting_in(regex(r"https://app.example\.com$")),
        "GET",
        {"unescaped_dot": "error"},
    ),
    (
        "any top-level domain is granted",
        letting_in(regex(r"https://app\.example\.[a-z]+$")),
        "GET",
        {"any_top_level_domain": "error"},
    ),
    (
        "any letters and dots may follow the name",
        letting_in(regex(r"https://app\.example\.[a-z.]+$")),
        "GET",
        {"any_top_level_domain": "error"},
    ),
    (
        "an underscore behind the host ends it",
        letting_in(regex(r"https://app\.example\.com([_`].*)?$")),
        "GET",
        {"character_after_host": "error"},
    ),
    (
        "the test is turned round",
        letting_in(lambda origin: origin.partition("//")[2] in "app.example.com" and origin.startswith("https:")),
        "GET",
        {"reversed_match": "error"},
    ),
    (
        "the test is turned round, of the whole origin",
        letting_in(lambda origin: PAGE.startswith(origin)),
        "GET",
        {"reversed_match": "error"},
    ),
    (
        "a name may be glued behind the host",
        letting_in(regex(r"https://app\.example\.com([a-z]+\.example)?$")),
        "GET",
        {"glued_after_host": "error"},
    ),
    (
        "the last dot is bare",
        letting_in(regex(r"https://app\.example.com$")),
        "GET",
        {"unescaped_dot": "warning"},
    ),
    (
        "strangers' pages on a shared host",
        letting_in(lambda origin: origin == PAGE or re.fullmatch(r"https://[a-z]+\.github\.io", origin) is not None),
        "GET",
        {"shared_host": "error"},
    ),
    (
        "strangers' pages on another shared host",
        letting_in(lambda origin: origin in {PAGE, "https://codepen.io"}),
        "GET",
        {"shared_host": "error"},
    ),
    (
        "what begins with localhost",
        letting_in(lambda origin: origin == PAGE or origin.startswith("http://localhost")),
        "GET",
        {"localhost_lookalike": "error"},
    ),
    (
        "the http origin is trusted",
        letting_in(lambda origin: origin.removeprefix("https://").removeprefix("http://") == "app.example.com"),
        "GET",
        {"trusts_http_origin": "warning"},
    ),
    (
        "the grant is written twice",
        changed(_old_grant),
        "GET",
        {"origin_not_allowed": "error", "duplicate_lines": "error"},
    ),
    ("a star stands beside credentials", changed(_star), "GET", {"credentials_with_wildcard": "warning"}),
    (
        "a preflight needs a password",
        _preflight(401, ("WWW-Authenticate", "Basic")),
        "PUT",
        {"origin_not_allowed": "error", "preflight_needs_authentication": "error"},
    ),
    (
        "a preflight nobody needs yet wants a password",
        _preflight(401),
        "GET",
        {"preflight_needs_authentication": "warning"},
    ),
    (
        "a preflight is redirected",
        _preflight(302, ("Location", "/login"), (ACAO, PAGE)),
        "PUT",
        {"blocked_preflight_status": "error", "preflight_redirected": "error"},
    ),
    ("errors have no grant", changed(_bare_errors), "GET", {"error_without_grant": "warning"}),
    (
        "Vary is missing everywhere",
        changed(lambda _m, _o, status, fields: (status, without(fields, "Vary"))),
        "GET",
        {"missing_vary": "warning"},
    ),
    ("Vary is missing without Origin", _no_vary_when(None), "GET", {"missing_vary": "warning"}),
    (
        "Vary is missing where it is refused",
        _no_vary_when("https://corsproxyprobe.example"),
        "GET",
        {"missing_vary": "warning"},
    ),
    ("Vary is missing where it is granted", _no_vary_when(PAGE), "GET", {"missing_vary": "warning"}),
    ("max-age is missing", _max_age(), "PUT", {"max_age_missing": "note"}),
    ("max-age is 0", _max_age("0"), "PUT", {"max_age_zero": "note"}),
    ("max-age is a word", _max_age("10m"), "PUT", {"max_age_invalid": "warning"}),
    ("max-age is 20 days", _max_age("1728000"), "PUT", {"max_age_excessive": "note"}),
    ("max-age stands twice", _max_age("600", "600"), "PUT", {"duplicate_lines": "warning"}),
]


@pytest.mark.parametrize(("serve", "method", "found"), [pytest.param(*rest, id=name) for name, *rest in FAULTS])
def test_one_fault(serve: Serve, method: str, found: dict[str, str]) -> None:
    """Each fault is found, and nothing else; the exit status is 1 if it is worse than a note."""
    with served(serve) as server:
        status, report, _ = probed(f"{server.url}/x", method=method)
    assert codes(report) == found
    assert status == int(set(found.values()) != {"note"})


WELL: list[tuple[str, Serve]] = [
    (
        "every subdomain of the domain, on purpose",
        letting_in(
            lambda origin: (
                origin == "https://example.com" or (origin.startswith("https://") and origin.endswith(".example.com"))
            )
        ),
    ),
    (
        "one origin for everybody",
        lambda _m, path, _o: (404 if path.endswith("found") else 200, [(ACAO, PAGE), (ACMA, "60")]),
    ),
    (
        "a star for everybody",
        lambda _m, path, _o: (404 if path.endswith("found") else 200, [(ACAO, "*"), (ACMA, "60")]),
    ),
    ("Vary of a star", changed(lambda _m, _o, status, fields: (status, [*without(fields, "Vary"), ("Vary", "*")]))),
    ("Vary in several lines", changed(lambda _m, _o, status, fields: (status, [("Vary", "Accept"), *fields]))),
]


@pytest.mark.parametrize("serve", [pytest.param(serve, id=name) for name, serve in WELL])
def test_correct_servers_have_no_findings(serve: Serve) -> None:
    """There is no finding about a correct server."""
    with served(serve) as server:
        assert probed(f"{server.url}/x")[1]["findings"] == []
