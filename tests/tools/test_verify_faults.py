"""Verify against servers of one fault each: it is found, named once, and nothing else is.

The faults are those of the table in docs/verify.md.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from corsproxy.tools.verify.difference import Code
from tests.tools.verify_servers import (
    ACAC,
    ACAH,
    ACAM,
    ACAO,
    ACMA,
    FILE,
    OTHER,
    PAGE,
    Answer,
    Asked,
    Cache,
    Fields,
    Site,
    codes,
    served,
)

LISTED = {PAGE, OTHER}


def on_preflights(status: int, *fields: tuple[str, str]) -> Site:
    """Answer every preflight alike."""
    return Site(change=lambda asked, own, kept: (status, [*fields]) if asked.method == "PREFLIGHT" else (own, kept))


def bare(status: int) -> Site:
    """Leave the grant out where the status is this."""
    return Site(change=lambda _, own, fields: (own, [("Vary", "Origin")] if own == status else fields))


def without(*names: str) -> Site:
    """Leave fields out."""
    return Site(change=lambda _, status, fields: (status, [field for field in fields if field[0] not in names]))


def _star(asked: Asked, status: int, fields: Fields) -> Answer:
    kept = [(name, value) for name, value in fields if name not in {ACAO, "Vary"}]
    return (204 if asked.method == "PREFLIGHT" and asked.origin not in LISTED else status), [*kept, (ACAO, "*")]


def _star_and_credentials(asked: Asked, status: int, fields: Fields) -> Answer:
    status, fields = _star(asked, status, fields)
    return status, [*(field for field in fields if field[0] != ACAC), (ACAC, "true")]


def _twice(_: Asked, status: int, fields: Fields) -> Answer:
    return status, [*fields, *(field for field in fields if field[0] == ACAO)]


def _upstreams_own(asked: Asked, status: int, fields: Fields) -> Answer:
    return status, fields if asked.method == "PREFLIGHT" else [*fields, (ACAO, "*")]


def _no_head(asked: Asked, status: int, fields: Fields) -> Answer:
    return (405, []) if asked.method == "HEAD" else (status, fields)


def _always_500(asked: Asked, status: int, fields: Fields) -> Answer:
    return (status, fields) if asked.method == "PREFLIGHT" else (500, [])


def _no_vary_without_origin(asked: Asked, status: int, fields: Fields) -> Answer:
    return status, fields if asked.origin else [field for field in fields if field[0] != "Vary"]


def _echoes(asked: Asked, status: int, fields: Fields) -> Answer:
    """List what was asked for, whatever it is."""
    if asked.method != "PREFLIGHT" or asked.origin not in LISTED:
        return status, fields
    kept = [field for field in fields if field[0] not in {ACAM, ACAH, ACAO, ACAC, ACMA}]
    names = asked.fields.get("access-control-request-headers", "")
    return 204, [
        *kept,
        (ACAO, asked.origin),
        (ACAC, "true"),
        (ACAM, asked.fields["access-control-request-method"]),
        (ACAH, names),
        (ACMA, "600"),
    ]


FAULTS: list[tuple[str, Site, list[str]]] = [
    ("none", Site(), []),
    ("every origin is reflected", Site(allows=lambda _: True), ["reflects_any_origin"]),
    ("every origin but null is reflected", Site(allows=lambda one: one != "null"), ["reflects_any_origin"]),
    ("null is granted", Site(allows=lambda one: one in {*LISTED, "null"}), ["accepts_null"]),
    ("a prefix is compared", Site(allows=lambda one: one.startswith(PAGE) or one == OTHER), ["prefix_match"]),
    (
        "a suffix is compared",
        Site(allows=lambda one: (one.startswith("https:") and one.endswith("example.com")) or one == OTHER),
        ["suffix_match"],
    ),
    (
        "a suffix of the origin is compared",
        Site(allows=lambda one: one.endswith(("app.example.com", OTHER))),
        ["suffix_match"],
    ),
    ("a part is compared", Site(allows=lambda one: "app.example.com" in one or one == OTHER), ["substring_match"]),
    (
        "subdomains are allowed",
        Site(allows=lambda one: one in LISTED or re.fullmatch(r"https://[a-z.]+\.app\.example\.com", one) is not None),
        ["allows_subdomains"],
    ),
    (
        "siblings are allowed",
        Site(allows=lambda one: one in LISTED or re.fullmatch(r"https://[a-z.]+\.example\.com", one) is not None),
        ["allows_subdomains"],
    ),
    ("the apex is allowed", Site(allows=lambda one: one in {*LISTED, "https://example.com"}), ["allows_apex"]),
    ("any port is allowed", Site(allows=lambda one: re.sub(r":\d+$", "", one) in LISTED), ["allows_other_port"]),
    ("http is allowed", Site(allows=lambda one: one.replace("http:", "https:") in LISTED), ["allows_http"]),
    ("letter case is ignored", Site(allows=lambda one: one.lower() in LISTED), ["ignores_case"]),
    (
        "a dot is not escaped",
        Site(allows=lambda one: one in LISTED or re.fullmatch(r"https://app.example\.com", one) is not None),
        ["unescaped_dot"],
    ),
    (
        "any top-level domain is allowed",
        Site(allows=lambda one: one in LISTED or re.fullmatch(r"https://app\.example\.[a-z]+", one) is not None),
        ["any_top_level_domain"],
    ),
    (
        "what comes behind the host does not matter if it is no letter",
        Site(allows=lambda one: one in LISTED or re.match(r"https://app\.example\.com[^a-z0-9.:-]", one) is not None),
        ["character_after_host"],
    ),
    (
        "the test is turned round",
        Site(allows=lambda one: one in LISTED or (one != "" and one in PAGE)),
        ["reversed_match"],
    ),
    (
        "a shared host is trusted",
        Site(allows=lambda one: one in LISTED or one.endswith(".github.io")),
        ["shared_host"],
    ),
    (
        "what begins with localhost is trusted",
        Site(allows=lambda one: one in LISTED or one.startswith("http://localhost")),
        ["localhost_lookalike"],
    ),
    ("an origin is left out", Site(allows=lambda one: one == PAGE), ["origin_not_granted"]),
    ("everybody gets a star", Site(credentials=False, change=_star), ["wildcard_origin"]),
    ("a star stands beside credentials", Site(change=_star_and_credentials), ["wildcard_with_credentials"]),
    ("credentials are left out", Site(credentials=False), ["credentials_not_granted"]),
    ("the grant stands twice", Site(change=_twice), ["duplicate_lines"]),
    (
        "the application's own star stands beside it",
        Site(change=_upstreams_own),
        ["wildcard_origin", "duplicate_lines"],
    ),
    ("Vary is missing", without("Vary"), ["vary_missing"]),
    ("Vary is missing without Origin", Site(change=_no_vary_without_origin), ["vary_missing"]),
    ("preflights need a login", on_preflights(401, ("WWW-Authenticate", "Basic")), ["preflight_needs_login"]),
    ("preflights get 405", on_preflights(405, ("Allow", "GET")), ["preflight_fails"]),
    ("preflights are redirected", on_preflights(302, ("Location", "/login")), ["preflight_redirected"]),
    ("preflights have no grant", on_preflights(204), ["preflight_without_grant"]),
    ("404 has no grant", bare(404), ["error_without_grant"]),
    ("500 has no grant", Site(change=_always_500), ["error_without_grant"]),
    ("304 has no grant", bare(304), ["not_modified_without_grant"]),
    ("HEAD has no grant", Site(change=_no_head), ["head_without_grant"]),
    ("a method is missing", Site(methods="GET"), ["method_not_granted"]),
    ("a method is too many", Site(methods="PUT, DELETE"), ["method_granted"]),
    ("a method that no one asks for is too many", Site(methods="PUT, PROPFIND"), ["method_granted"]),
    ("a header is missing", Site(headers="Authorization"), ["header_not_granted"]),
    ("a header is too many", Site(headers="Content-Type, Authorization, X-Debug"), ["header_granted"]),
    ("whatever is asked for is listed", Site(change=_echoes), ["method_granted", "header_granted"]),
    ("an exposed name is missing", Site(exposed=""), ["name_not_exposed"]),
    ("an exposed name is too many", Site(exposed="ETag, X-Debug"), ["name_exposed"]),
    ("max-age is another", Site(max_age="60"), ["max_age_differs"]),
]


@pytest.mark.parametrize(("site", "found"), [pytest.param(*rest, id=name) for name, *rest in FAULTS])
def test_one_fault(site: Site, found: list[str], tmp_path: Path) -> None:
    """It is found, not named twice, and nothing else is named."""
    with served(site) as server:
        assert codes(server.url, tmp_path) == found


def family(expression: str) -> Site:
    """Allow what an expression matches."""
    return Site(credentials=False, allows=lambda one: re.fullmatch(expression, one) is not None)


WITHOUT_CREDENTIALS = FILE.replace("    allow_credentials: true\n", "")
FAMILY = WITHOUT_CREDENTIALS.replace(f"[{PAGE}, {OTHER}]", '["https://*.example.com"]')
STARRED = WITHOUT_CREDENTIALS.replace("[Content-Type, Authorization]", '["*", Authorization]')
OPEN = WITHOUT_CREDENTIALS.replace(f"[{PAGE}, {OTHER}]", '["*"]')
OTHER_FILES: list[tuple[str, str, Site, list[str]]] = [
    ("a pattern", FAMILY, family(r"https://([a-z]+\.)+example\.com"), []),
    ("a pattern that takes the apex", FAMILY, family(r"https://([a-z]+\.)*example\.com"), ["allows_apex"]),
    ("a pattern without an end", FAMILY, family(r"https://([a-z]+\.)+example\.com.*"), ["prefix_match"]),
    ("a pattern without a dot", FAMILY, family(r"https://[a-z.]+example\.com"), ["suffix_match"]),
    ("a pattern that takes http", FAMILY, family(r"https?://([a-z]+\.)+example\.com"), ["allows_http"]),
    ("a pattern that takes ports", FAMILY, family(r"https://([a-z]+\.)+example\.com(:\d+)?"), ["allows_other_port"]),
    ("a pattern of one label", FAMILY, family(r"https://[a-z]+\.example\.com"), ["origin_not_granted"]),
    (
        "a pattern of any top-level domain",
        FAMILY,
        family(r"https://([a-z]+\.)+example\.[a-z]+"),
        ["any_top_level_domain"],
    ),
    ("credentials are too much", WITHOUT_CREDENTIALS, Site(), ["credentials_granted"]),
    (
        "Authorization is left to the star",
        STARRED,
        Site(credentials=False, headers="*"),
        ["authorization_not_granted"],
    ),
    ("a star that names Authorization", STARRED, Site(credentials=False, headers="*, Authorization"), []),
    ("everybody is allowed, by a star", OPEN, Site(credentials=False, allows=lambda _: True, change=_star), []),
    ("everybody is allowed, one by one", OPEN, Site(credentials=False, allows=lambda _: True), []),
    ("everybody is allowed, with credentials", OPEN, Site(allows=lambda _: True), ["credentials_granted"]),
    ("everybody is allowed, and few are granted", OPEN, Site(credentials=False), ["origin_not_granted"]),
    (
        "nobody is allowed, one is granted",
        WITHOUT_CREDENTIALS + "  - {path: /books/closed, upstream: a}\n",
        Site(credentials=False),
        ["origin_granted"],
    ),
]


@pytest.mark.parametrize(("file", "site", "found"), [pytest.param(*rest, id=name) for name, *rest in OTHER_FILES])
def test_one_fault_under_another_file(file: str, site: Site, found: list[str], tmp_path: Path) -> None:
    """Faults that only another policy can show."""
    with served(site) as server:
        assert codes(server.url, tmp_path, file=file) == found


@pytest.mark.parametrize(
    ("cache", "options"),
    [
        pytest.param(Cache(), {}, id="a cache by URL"),
        pytest.param(Cache(mark=""), {}, id="a cache that leaves no mark"),
        pytest.param(Cache(key=lambda asked: asked.path.partition("?")[0]), {}, id="a cache that ignores the query"),
        pytest.param(Cache(), {"shared_keys": True}, id="under the keys of pages"),
        pytest.param(Cache(mark=""), {"shared_keys": True}, id="under the keys of pages, without a mark"),
    ],
)
def test_a_cache_that_mixes_origins(cache: Cache, options: dict[str, bool], tmp_path: Path) -> None:
    """It is found, and the server behind it is not blamed."""
    with served(Site(), cache=cache) as server:
        assert codes(server.url, tmp_path, **options) == ["cache_mixes_origins"]


@pytest.mark.parametrize("key", [lambda asked: (asked.path, asked.origin)], ids=["a cache that goes by Origin"])
def test_a_cache_that_is_right(key: object, tmp_path: Path) -> None:
    """Nothing is found."""
    with served(Site(), cache=Cache(key=key)) as server:  # type: ignore[arg-type]
        assert codes(server.url, tmp_path) == []
        assert codes(server.url, tmp_path, shared_keys=True) == []


def test_the_table_has_every_code() -> None:
    """docs/verify.md lists what can be found, and nothing else."""
    page = Path(__file__).parents[2].joinpath("docs/verify.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`[^|]+) \|", page.partition("## Differences")[2], flags=re.MULTILINE)
    assert [code for row in rows for code in re.findall("`([a-z_]+)`", row)].sort() == sorted(Code).sort()
    assert {code for row in rows for code in re.findall("`([a-z_]+)`", row)} == set(Code)
