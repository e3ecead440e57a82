"""Verify as a command: what it sends and does not send, which routes it asks, its reports, its user's mistakes."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from corsproxy.errors import UsageError
from tests.support.process import ran, started
from tests.support.upstream import Request, Upstream
from tests.tools.verify_servers import FILE, PAGE, Answer, Asked, Fields, Site, codes, served, verified

ROUTES = f"""\
upstreams: {{a: "http://127.0.0.1:1"}}
policies:
  p: {{allow_origins: ["{PAGE}"]}}
  quiet: {{allow_origins: ["{PAGE}"], mode: shadow}}
routes:
  - {{path: "/orders/{{id}}", upstream: a, policy: p}}
  - {{path: /api, host: api.example.com, upstream: a, policy: p}}
  - {{path: /status, exact: true, upstream: a, policy: p}}
  - {{path: /quiet, upstream: a, policy: quiet}}
"""


def sent(server: Upstream) -> list[Request]:
    """Return what the server was asked."""
    return list(server.requests)


def test_it_is_safe_in_production(tmp_path: Path) -> None:
    """Only three methods, as many requests as announced, GET and HEAD with a query that no page uses."""
    with served(Site()) as server:
        _, _, told = verified(server.url, tmp_path, send=("Authorization: Bearer s3cret",))
        asked = sent(server)
    assert {request.line.split()[0] for request in asked} == {b"OPTIONS", b"GET", b"HEAD"}
    announced = re.match(
        r"verify: sends at most (\d+) requests \(OPTIONS, GET and HEAD\) to \S+, at most 50 a second", told
    )
    assert announced is None or len(asked) <= int(announced[1])
    plain = [request.line for request in asked if not request.line.startswith(b"OPTIONS")]
    queries = [line.split(b"corsproxy-verify=")[1] for line in plain]
    # Two pairs share a query, as that is what shows a cache.
    assert len(set(queries)) == len(queries) - 2
    for request in asked:
        is_preflight = request.line.startswith(b"OPTIONS")
        assert (request.values(b"Authorization") == [b"Bearer s3cret"]) is not is_preflight
        assert not is_preflight or not request.values(b"Cookie")
    assert "s3cret" not in told


def test_it_keeps_to_a_rate(tmp_path: Path) -> None:
    """Fifty requests take a second, as they were announced to."""
    times: list[float] = []

    def timed(_: Asked, status: int, fields: Fields) -> Answer:
        times.append(time.monotonic())
        return status, fields

    config = tmp_path / "corsproxy.yaml"
    config.write_text(FILE, encoding="utf-8")
    with served(Site(change=timed)) as server:
        status, out, told = ran("verify", server.url, "-c", str(config))
    assert status == 0, out
    assert "at most 50 a second" in told[0]
    assert len(times) > 51
    # A busy machine may be late with some, so that more come in one second, but not in all of them.
    assert times[-1] - times[0] > 0.8 * len(times) / 50


def test_a_dry_run_asks_nobody(tmp_path: Path) -> None:
    """It prints the plan, in both formats."""
    status, out, _ = verified("http://127.0.0.1:1", tmp_path, dry_run=True, format="text")
    assert status == 0
    assert re.search(r"^/books \(p\): \d+ requests to http://127\.0\.0\.1:1/books$", out, re.MULTILINE)
    assert f"  OPTIONS  Origin: {PAGE}; Access-Control-Request-Method: PUT\n" in out
    status, out, _ = verified("http://127.0.0.1:1", tmp_path, dry_run=True)
    plan = json.loads(out)
    assert plan["requests"] == len(plan["routes"][0]["requests"])


@contextlib.contextmanager
def recording() -> Iterator[Upstream]:
    """Serve anything, and keep what was asked."""
    with served(Site(allows=lambda origin: origin == PAGE, credentials=False, methods="", headers="")) as server:
        yield server


@pytest.mark.parametrize(
    ("options", "paths", "not_asked"),
    [
        pytest.param(
            {}, {"/orders/corsproxy-verify", "/status"}, {"/api": "api.example.com", "/quiet": "shadow"}, id="all"
        ),
        pytest.param({"host": "api.example.com", "only": ("/api",)}, {"/api"}, {}, id="a host"),
        pytest.param({"only": ("/orders/7",)}, {"/orders/7"}, {}, id="a filled-in name"),
        pytest.param(
            {"only": ("/orders/{id}", "/status")}, {"/orders/corsproxy-verify", "/status"}, {}, id="as written"
        ),
    ],
)
def test_which_routes_are_asked(
    options: dict[str, Any], paths: set[str], not_asked: dict[str, str], tmp_path: Path
) -> None:
    """Those of the URL's host, by paths of their own; what is not asked is listed with the reason."""
    with recording() as server:
        _, out, _ = verified(server.url, tmp_path, file=ROUTES, **options)
        asked = {request.line.split()[1].decode().partition("?")[0] for request in sent(server)}
        hosts = {host for request in sent(server) for host in request.values(b"Host")}
    assert {path for path in asked if not path.endswith("not-found")} == paths
    told = {one["route"]: one["why"] for one in json.loads(out)["not_asked"]}
    assert set(told) == set(not_asked)
    assert all(word in told[route] for route, word in not_asked.items())
    assert hosts == {str(options["host"]).encode()} if "host" in options else len(hosts) == 1


def test_the_base_path_of_the_url_comes_first(tmp_path: Path) -> None:
    """A deployment below a path is tested there."""
    with served(Site()) as server:
        verified(f"{server.url}/v2/", tmp_path)
        assert all(request.line.split()[1].startswith(b"/v2/books") for request in sent(server))


def test_without_keys_of_its_own_pages_keys_are_asked(tmp_path: Path) -> None:
    """No query is added."""
    with served(Site()) as server:
        assert codes(server.url, tmp_path, shared_keys=True) == []
        assert not any(b"?" in request.line for request in sent(server))


def test_a_difference_names_the_rule_and_the_line(tmp_path: Path) -> None:
    """As text for people, with what a browser does."""
    with served(Site(allows=lambda origin: origin == PAGE, max_age="60")) as server:
        status, out, _ = verified(server.url, tmp_path, format="text")
        _, data, _ = verified(server.url, tmp_path)
    assert status == 1
    assert "/books: origin_not_granted: https://www.example.org: the answer has no Access-Control-Allow-Origin" in out
    file = tmp_path / "corsproxy.yaml"
    assert f"    the file   {file}:4: allow_origins: [https://app.example.com, https://www.example.org]" in out
    assert f"    the file   {file}:9: max_age: 10m" in out
    assert "    the rule   https://fetch.spec.whatwg.org/#concept-cors-check" in out
    assert out.splitlines()[-1].startswith("2 differences (")
    first = json.loads(data)["differences"][0]
    assert (first["line"], first["path"]) == (4, "policies.p.allow_origins[1]")


def test_junit(tmp_path: Path) -> None:
    """A suite for each route, a failure for each check that differs, routes that are not asked as skipped."""
    with recording() as server:
        status, out, _ = verified(server.url, tmp_path, file=ROUTES, format="junit")
    root = ET.fromstring(out)
    suites = {suite.get("name"): suite for suite in root}
    assert set(suites) == {"/orders/{id}", "/status", "/api", "/quiet"}
    failures = [failure.get("type") for failure in suites["/status"].iter("failure")]
    assert failures == ["name_exposed"]
    assert status == 1
    assert suites["/quiet"].find("testcase/skipped") is not None
    assert int(root.get("failures", "")) == len(list(root.iter("failure")))
    assert int(root.get("tests", "")) == len(list(root.iter("testcase")))


def test_corsproxy_itself_has_no_difference(tmp_path: Path) -> None:
    """Whatever the policy: patterns, expressions, everybody, nobody, credentials, errors of the upstream."""
    file = """\
listen: 127.0.0.1:0
upstreams: {{a: {url}}}
policies:
  exact: {{allow_origins: [https://app.example.com, "http://localhost:*"], allow_credentials: true,
          allow_methods: ["*"], allow_headers: ["*", Authorization], expose_headers: [ETag, X-Total], max_age: 0}}
  star: {{allow_origins: ["https://*.example.com", "https://pr-*.example.net"], allow_headers: ["*"], max_age: 24h}}
  regex: {{allow_origins: [regex: 'https://[a-z]+\\.example\\.(org|net)'], allow_methods: [DELETE], on_refused: reject}}
  all: {{allow_origins: ["*"], expose_headers: ["*"]}}
  told: {{extends: exact, allow_methods: [PUT], diagnostics: true}}
routes:
  - {{path: /exact, upstream: a, policy: exact}}
  - {{path: "/star/{{id}}", upstream: a, policy: star}}
  - {{path: /regex, exact: true, upstream: a, policy: regex}}
  - {{path: /all, upstream: a, policy: all}}
  - {{path: /staff, upstream: a, policy: [exact, regex, all]}}
  - {{path: /told, methods: [GET, PUT], upstream: a, policy: told}}
  - {{path: /told, methods: [POST, DELETE], upstream: a, policy: regex}}
  - {{path: /, upstream: a}}
"""
    answer = b'HTTP/1.1 200 OK\r\nETag: "1"\r\nAccess-Control-Allow-Origin: *\r\nContent-Length: 0\r\n\r\n'
    with Upstream.answering(answer) as upstream:
        text = file.format(url=upstream.url)
        with started(text) as proxy:
            status, out, _ = verified(proxy.url, tmp_path, file=text)
    assert json.loads(out)["differences"] == []
    assert status == 0


def test_nothing_listens_there(tmp_path: Path) -> None:
    """One line, and exit status 2."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    for form in ("text", "json", "junit"):
        status, out, told = verified(url, tmp_path, format=form)
        assert status == 2
        assert told.splitlines()[-1] == f"verify: {url} cannot be reached: connection refused: nothing listens there"
    assert ET.fromstring(out).get("errors") == "1"


@pytest.mark.parametrize(
    ("url", "options", "said"),
    [
        ("api.example.com", {}, "invalid URL .*: write https://api.example.com"),
        ("https://a.example/?b", {}, "without a query"),
        ("https://me@a.example/", {}, "--send 'Authorization"),
        ("https://a.example", {"only": ("books",)}, "--only: .* begins with '/'"),
        ("https://a.example", {"only": ("/nothing",)}, "--only: no route of the file takes"),
        ("https://a.example", {"host": "a b"}, "--host: invalid host"),
        ("https://a.example", {"send": ("Cookie",)}, "--send: .* expected 'Name: value'"),
        ("https://a.example", {"send": ("Origin: null",)}, "--send: Origin cannot be sent"),
        ("https://a.example", {"send": ("Host: b",)}, "name it with --host"),
        ("https://a.example", {"timeout": float("nan")}, "--timeout"),
    ],
)
def test_mistakes_of_its_user(url: str, options: dict[str, Any], said: str, tmp_path: Path) -> None:
    """Each is one line with the remedy, and no request is sent."""
    with pytest.raises(UsageError, match=said):
        verified(url, tmp_path, **options)
