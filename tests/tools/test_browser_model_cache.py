"""The preflight cache of the browser's model, against https://fetch.spec.whatwg.org/#cors-preflight-cache."""

from __future__ import annotations

import pytest

from corsproxy.tools.browser import Answer, CacheKey, Credentials, PageRequest, PreflightCache, Sent, checks, play

PAGE, URL = "https://app.example.com", "https://api.example.net/x"
KEY = CacheKey(PAGE, URL, include=False)


def test_methods_and_names_are_entries_of_their_own() -> None:
    """Two preflights together cover what neither covers alone."""
    cache = PreflightCache(7200)
    cache.store(KEY, ["PUT"], ["X-A"], 60, 0)
    cache.store(KEY, ["DELETE"], ["X-B"], 60, 0)
    assert cache.covers(KEY, "PUT", ["x-b"], 1)
    assert not cache.covers(KEY, "PATCH", [], 1)
    assert not cache.covers(KEY, "PUT", ["x-c"], 1)


@pytest.mark.parametrize(("browser", "cap"), checks.MAX_AGE_CAPS.items())
def test_no_browser_remembers_longer_than_its_cap(browser: str, cap: int) -> None:
    """A day and more is cut to the browser's own limit."""
    cache = PreflightCache(cap)
    cache.store(KEY, ["PUT"], [], 10**9, 0)
    assert cache.covers(KEY, "PUT", [], cap - 1)
    assert not cache.covers(KEY, "PUT", [], cap)


def test_zero_remembers_nothing() -> None:
    """A max-age of 0 asks for a preflight every time."""
    cache = PreflightCache(7200)
    cache.store(KEY, ["PUT"], [], 0, 5)
    assert not cache.covers(KEY, "PUT", [], 5)


def test_a_star_covers_all_but_authorization() -> None:
    """Wildcards are remembered as such."""
    cache = PreflightCache(7200)
    cache.store(KEY, ["*"], ["*"], 60, 0)
    assert cache.covers(KEY, "PATCH", ["x-a"], 1)
    assert not cache.covers(KEY, "PATCH", ["authorization"], 1)


def test_an_entry_made_with_credentials_is_good_without_never_the_reverse() -> None:
    """Credentials are part of what an entry is good for."""
    cache, with_credentials = PreflightCache(7200), CacheKey(PAGE, URL, include=True)
    cache.store(with_credentials, ["PUT"], [], 60, 0)
    cache.store(KEY, ["DELETE"], [], 60, 0)
    assert cache.covers(KEY, "PUT", [], 1)
    assert not cache.covers(with_credentials, "DELETE", [], 1)


@pytest.mark.parametrize("other", [CacheKey("https://b.example", URL, False), CacheKey(PAGE, f"{URL}?q", False)])
def test_an_entry_is_for_one_origin_and_one_url(other: CacheKey) -> None:
    """The query is part of the URL."""
    cache = PreflightCache(7200)
    cache.store(KEY, ["PUT"], [], 60, 0)
    assert not cache.covers(other, "PUT", [], 1)


def test_a_forced_preflight_needs_its_method_remembered() -> None:
    """An upload listener asks for a preflight even of POST."""
    cache = PreflightCache(7200)
    assert cache.covers(KEY, "POST", [], 0)
    assert not cache.covers(KEY, "POST", [], 0, forced=True)


def test_the_second_request_of_a_page_has_no_preflight() -> None:
    """The grant of one preflight is used by the next request, until it expires."""
    kinds: list[str] = []

    def server(sent: Sent) -> Answer:
        kinds.append(sent.kind)
        grant = (("Access-Control-Allow-Origin", PAGE), ("Access-Control-Allow-Credentials", "true"))
        return Answer(204, (*grant, ("Access-Control-Allow-Methods", "PUT"), ("Access-Control-Max-Age", "60")))

    cache, request = PreflightCache(600), PageRequest(URL, PAGE, "PUT", credentials=Credentials.INCLUDE)
    assert all(play(request, server, cache, now).allowed for now in (0, 59, 61))
    assert kinds == ["preflight", "actual", "actual", "preflight", "actual"]


def test_a_failed_cors_check_clears_the_cache() -> None:
    """After a failure the next request asks again."""
    cache = PreflightCache(600)
    cache.store(KEY, ["PUT"], [], 60, 0)
    assert not play(PageRequest(URL, PAGE, "PUT"), lambda _: Answer(200), cache, 1).allowed
    assert not cache.covers(KEY, "PUT", [], 1)


def test_only_a_forced_preflight_without_methods_remembers_the_request_s_own() -> None:
    """Where nothing is listed, an upload's preflight grants its own method, any other grants none."""
    grant = (("Access-Control-Allow-Origin", PAGE), ("Access-Control-Allow-Headers", "X-A"))
    for forced in (True, False):
        cache = PreflightCache(600)
        request = PageRequest(URL, PAGE, "POST", (("X-A", "1"),), Credentials.OMIT, forces_preflight=forced)
        assert play(request, lambda _: Answer(204, grant), cache).allowed
        assert cache.covers(KEY, "POST", ["x-a"], 1, forced=True) is forced
