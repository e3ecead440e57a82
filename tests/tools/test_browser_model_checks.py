"""The checks that a browser makes in one answer, row by row, against the Fetch standard."""

from __future__ import annotations

import pytest

from corsproxy.tools.browser import Answer, PageRequest, checks
from tests.tools.browser_rows import PAGE, URL, Fields, allow, asked, row

PLAIN, INCLUDE = False, True


@pytest.mark.parametrize(
    ("fields", "origin", "include", "reason"),
    [
        row("no ACAO fails", (), PAGE, PLAIN, "origin_not_allowed"),
        row("the origin itself passes", allow(PAGE), PAGE, PLAIN, None),
        row("a star passes without credentials", allow("*"), PAGE, PLAIN, None),
        row("a star passes for null", allow("*"), "null", PLAIN, None),
        row("null passes for null", allow("null"), "null", PLAIN, None),
        row("null does not pass for an origin", allow("null"), PAGE, PLAIN, "origin_not_allowed"),
        row("another origin fails", allow("https://other.example.com"), PAGE, PLAIN, "origin_not_allowed"),
        row("a trailing slash fails", allow(f"{PAGE}/"), PAGE, PLAIN, "origin_not_allowed"),
        row("upper case fails", allow("https://APP.example.com"), PAGE, PLAIN, "origin_not_allowed"),
        row("a default port fails", allow(f"{PAGE}:443"), PAGE, PLAIN, "origin_not_allowed"),
        row("another scheme fails", allow("http://app.example.com"), PAGE, PLAIN, "origin_not_allowed"),
        row(
            "a pattern is compared as text and fails", allow("https://*.example.com"), PAGE, PLAIN, "origin_not_allowed"
        ),
        row("two lines of the same origin fail", allow(PAGE, PAGE), PAGE, PLAIN, "origin_not_allowed"),
        row("two lines, a star and the origin, fail", allow("*", PAGE), PAGE, PLAIN, "origin_not_allowed"),
        row("a list fails", allow(f"{PAGE}, https://b.example"), PAGE, PLAIN, "origin_not_allowed"),
        row("an empty value fails", allow(""), PAGE, PLAIN, "origin_not_allowed"),
        row("a star fails with credentials", allow("*", credentials="true"), PAGE, INCLUDE, "credentials_not_allowed"),
        row("the origin alone fails with credentials", allow(PAGE), PAGE, INCLUDE, "credentials_not_allowed"),
        row("origin and true pass with credentials", allow(PAGE, credentials="true"), PAGE, INCLUDE, None),
        row("True in upper case fails", allow(PAGE, credentials="True"), PAGE, INCLUDE, "credentials_not_allowed"),
        row("credentials of false fail", allow(PAGE, credentials="false"), PAGE, INCLUDE, "credentials_not_allowed"),
        row("credentials of 1 fail", allow(PAGE, credentials="1"), PAGE, INCLUDE, "credentials_not_allowed"),
        row(
            "two lines of credentials fail",
            (*allow(PAGE, credentials="true"), ("Access-Control-Allow-Credentials", "true")),
            PAGE,
            INCLUDE,
            "credentials_not_allowed",
        ),
        row(
            "white space around the values is no part of them",
            allow(f" {PAGE}\t", credentials=" true "),
            PAGE,
            INCLUDE,
            None,
        ),
        row("a wrong origin fails before credentials", allow("https://b.example"), PAGE, INCLUDE, "origin_not_allowed"),
        row("names are read in any letter case", (("ACCESS-control-allow-ORIGIN", PAGE),), PAGE, PLAIN, None),
    ],
)
def test_cors_check(fields: Fields, origin: str, include: bool, reason: str | None) -> None:
    """The CORS check passes for these and no others, and says what failed."""
    found = checks.cors_check(Answer(200, fields), origin, include=include)
    assert (found.ok, found.reason) == (reason is None, reason)


@pytest.mark.parametrize(
    ("status", "ok"), [(200, 1), (204, 1), (299, 1), (199, 0), (300, 0), (301, 0), (401, 0), (404, 0), (500, 0)]
)
def test_preflight_status(status: int, ok: int) -> None:
    """A preflight needs an ok status, an actual request does not."""
    preflight = Answer(status, (*allow(PAGE), ("Access-Control-Allow-Methods", "PUT")))
    assert asked(PageRequest(URL, PAGE, "PUT"), preflight, Answer(200, allow(PAGE))).allowed is bool(ok)
    assert asked(PageRequest(URL, PAGE), Answer(status, allow(PAGE))).allowed


@pytest.mark.parametrize(
    ("value", "method", "include", "ok"),
    [
        row("a named method passes", "PUT", "PUT", PLAIN, True),
        row("one of a list passes", "GET,  PUT ,DELETE", "PUT", PLAIN, True),
        row("a missing field refuses PUT", None, "PUT", PLAIN, False),
        row("a missing field lets POST pass", None, "POST", PLAIN, True),
        row("a list without it lets GET pass", "PUT", "GET", PLAIN, True),
        row("a list without it lets HEAD pass with credentials", "PUT", "HEAD", INCLUDE, True),
        row("a star passes", "*", "PUT", PLAIN, True),
        row("a star fails with credentials", "*", "PUT", INCLUDE, False),
        row("a star with credentials lets POST pass", "*", "POST", INCLUDE, True),
        row("letter case counts", "put", "PUT", PLAIN, False),
        row("lower-case patch needs lower case", "PATCH", "patch", PLAIN, False),
        row("a value that is no list of tokens fails even for POST", "GET; POST", "POST", PLAIN, False),
        row("empty members are skipped", ",,PUT,", "PUT", PLAIN, True),
    ],
)
def test_method_check(value: str | None, method: str, include: bool, ok: bool) -> None:
    """A method passes a preflight for these and no others."""
    fields = () if value is None else (("Access-Control-Allow-Methods", value),)
    found = checks.method_check(Answer(204, fields), method, include=include)
    assert (found.ok, found.reason) == (ok, None if ok else "method_not_allowed")


def test_a_forced_preflight_needs_no_methods() -> None:
    """An upload listener's preflight with no list of methods passes for the request's own method."""
    assert checks.method_check(Answer(204), "PUT", include=False, forced=True).ok
    other = Answer(204, (("Access-Control-Allow-Methods", "DELETE"),))
    assert not checks.method_check(other, "PUT", include=False, forced=True).ok


@pytest.mark.parametrize(
    ("value", "unsafe", "include", "ok"),
    [
        row("a named header passes", "X-A", ["x-a"], PLAIN, True),
        row("letter case does not count", "x-A, CONTENT-type", ["content-type", "x-a"], PLAIN, True),
        row("one missing name fails", "X-A", ["x-a", "x-b"], PLAIN, False),
        row("a missing field fails", None, ["x-a"], PLAIN, False),
        row("a missing field passes where nothing is asked", None, [], PLAIN, True),
        row("a star passes", "*", ["x-a", "content-type"], PLAIN, True),
        row("a star never covers Authorization", "*", ["authorization"], PLAIN, False),
        row(
            "a star with Authorization beside it covers both", "*, Authorization", ["authorization", "x-a"], PLAIN, True
        ),
        row("a star fails with credentials", "*", ["x-a"], INCLUDE, False),
        row("a named header passes with credentials", "X-A", ["x-a"], INCLUDE, True),
        row("a value that is no list of tokens fails", "X-A X-B", ["x-a"], PLAIN, False),
        row("an invalid list fails even where nothing is asked", "X A", [], PLAIN, False),
    ],
)
def test_headers_check(value: str | None, unsafe: list[str], include: bool, ok: bool) -> None:
    """Header names pass a preflight for these and no others."""
    fields = () if value is None else (("Access-Control-Allow-Headers", value),)
    found = checks.headers_check(Answer(204, fields), unsafe, include=include)
    assert (found.ok, found.reason) == (ok, None if ok else "headers_not_allowed")


def test_several_lines_of_a_list_are_one_list() -> None:
    """Lists may come in several lines, as RFC 9110 section 5.3 has it."""
    answer = Answer(204, (("Access-Control-Allow-Headers", "X-A"), ("access-control-allow-headers", "X-B")))
    assert checks.headers_check(answer, ["x-a", "x-b"], include=False).ok


@pytest.mark.parametrize(
    ("lines", "seconds"),
    [
        row("an absent field is 5 seconds", (), 5),
        row("a number is itself", ("600",), 600),
        row("zero is zero", ("0",), 0),
        row("a word is 5 seconds", ("forever",), 5),
        row("a negative number is 5 seconds", ("-1",), 5),
        row("two lines are 5 seconds", ("600", "600"), 5),
        row("a fraction is 5 seconds", ("1.5",), 5),
    ],
)
def test_max_age(lines: tuple[str, ...], seconds: int) -> None:
    """Max-age is read as the standard reads it."""
    assert checks.max_age(Answer(204, tuple(("Access-Control-Max-Age", line) for line in lines))) == seconds


@pytest.mark.parametrize(
    ("value", "include", "readable"),
    [
        row("the safelist needs no listing", None, PLAIN, {"content-type"}),
        row("a listed name can be read", "ETag", PLAIN, {"content-type", "etag"}),
        row("a star shows all", "*", PLAIN, {"content-type", "etag", "x-a", "access-control-expose-headers"}),
        row("a star is a name with credentials", "*", INCLUDE, {"content-type"}),
        row("Set-Cookie can never be read", "Set-Cookie", PLAIN, {"content-type"}),
        row("a value that is no list shows the safelist", "E Tag", PLAIN, {"content-type"}),
    ],
)
def test_exposed_headers(value: str | None, include: bool, readable: set[str]) -> None:
    """A script reads these names and no others."""
    fields: Fields = (("Content-Type", "x"), ("ETag", "1"), ("X-A", "1"), ("Set-Cookie", "a=b"))
    fields += () if value is None else (("Access-Control-Expose-Headers", value),)
    assert checks.readable_names(Answer(200, fields), include=include) == readable


@pytest.mark.parametrize(
    ("value", "ok"),
    [
        ("*", True),
        (PAGE, True),
        (f"https://b.example, {PAGE}", True),
        ("https://b.example", False),
        (None, False),
        ("null", False),
    ],
)
def test_timing(value: str | None, ok: bool) -> None:
    """Timing-Allow-Origin is a list of origins, or a star."""
    fields = () if value is None else (("Timing-Allow-Origin", value),)
    assert checks.timing_check(Answer(200, fields), PAGE) is ok
