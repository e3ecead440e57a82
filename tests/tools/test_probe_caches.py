"""Probe behind a cache that ignores Vary: it is named, whichever client filled it, and the server is not blamed."""

from __future__ import annotations

import pytest

from tests.support.upstream import Connection, Upstream
from tests.tools.probe_servers import PAGE, Fields, careful, codes, probed

OTHER = "https://other.example.org"


class Cached:
    """The careful server, granting one page more, behind a cache."""

    def __init__(self, *, ignores_query: bool, mark: str, varies: bool = True) -> None:
        self._ignores_query = ignores_query
        self._mark = mark
        self._varies = varies
        self._kept: dict[str, tuple[int, Fields]] = {}

    def fill(self, path: str, origin: str) -> None:
        """Have a page ask first."""
        self._answer("GET", path, origin)

    def __call__(self, connection: Connection) -> None:
        """Answer one connection's request."""
        request = connection.read_request()
        method, path, _ = request.line.decode().split(" ")
        kind = "PREFLIGHT" if method == "OPTIONS" else method
        status, fields = self._answer(kind, path, (request.values(b"Origin") or [b""])[0].decode())
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields)
        connection.send(f"HTTP/1.1 {status} Whatever\r\n{lines}Content-Length: 0\r\n\r\n".encode())

    def _answer(self, kind: str, path: str, origin: str) -> tuple[int, Fields]:
        key = path.partition("?")[0] if self._ignores_query else path
        if kind == "GET" and key in self._kept:
            status, fields = self._kept[key]
            name, _, value = self._mark.partition(": ")
            return status, [*fields, (name, value)]
        status, fields = careful(kind, path.partition("?")[0], PAGE if origin in {PAGE, OTHER} else None)
        fields = [(name, origin if value == PAGE else value) for name, value in fields]
        fields = [field for field in fields if self._varies or field[0] != "Vary"]
        if kind == "GET":
            self._kept[key] = status, fields
        return status, fields


@pytest.mark.parametrize("filled_by", [None, PAGE, OTHER, "https://stranger.example"])
@pytest.mark.parametrize("ignores_query", [False, True], ids=["by the whole URL", "whatever the query"])
def test_a_cache_is_named(filled_by: str | None, ignores_query: bool) -> None:
    """It is found whether the page, another page, a stranger or no one filled it."""
    cached = Cached(ignores_query=ignores_query, mark="X-Cache: HIT from squid-1")
    if filled_by is not None:
        cached.fill("/x", filled_by)
    with Upstream(cached) as server:
        status, report, _ = probed(f"{server.url}/x")
    found = codes(report)
    assert status == 1
    assert found["cache_mixes_origins"] == "error"
    named = next(one for one in report["findings"] if one["code"] == "cache_mixes_origins")
    assert "Squid (X-Cache: HIT from squid-1)" in named["message"]
    assert "make Origin a part of its key" in named["fix"]
    assert not set(found) - {"cache_mixes_origins", "origin_not_allowed", "error_without_grant"}


def test_without_vary_the_server_is_to_blame() -> None:
    """Then the cache cannot know, and the fix is the server's."""
    with Upstream(Cached(ignores_query=False, mark="Age: 7", varies=False)) as server:
        _, report, _ = probed(f"{server.url}/x")
    named = next(one for one in report["findings"] if one["code"] == "cache_mixes_origins")
    assert named["fix"].startswith("send Vary: Origin")
    assert codes(report) == {"cache_mixes_origins": "error", "missing_vary": "warning"}


def test_made_up_origins_reach_no_shared_cache() -> None:
    """Each further GET has a unique query, so that no other client gets its response."""
    with Upstream(Cached(ignores_query=False, mark="Age: 7")) as server:
        probed(f"{server.url}/x")
        gets = [one for one in server.requests if one.line.startswith(b"GET /x ")]
    assert [one.values(b"Origin") for one in gets] == [[PAGE.encode()]]
