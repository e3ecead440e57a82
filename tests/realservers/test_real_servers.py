"""Real servers behind the proxy: a page may do what the policy says and nothing else, whatever they say themselves.

A browser is played (`corsproxy.tools.browser`), since it shows every field.
The same servers are asked by Chromium in tests/browser.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

from corsproxy.tools.browser import Answer, Credentials, PageRequest, Play, Sent, play
from tests.realservers.programs import COMMANDS, config, running
from tests.support.process import DEADLINE, Proxy, started

APP = "https://app.example.com"
STRANGER = "https://evil.example.net"
COOKIE = "visited=1"


@dataclass(frozen=True, slots=True)
class Stage:
    """The servers, and the proxy before them."""

    direct: dict[str, str]
    proxy: Proxy

    def proxied(self, server: str) -> str:
        """Return the URL of a server by way of the proxy."""
        return f"{self.proxy.url}/{server}"

    def count(self, path: str) -> int:
        """Count the requests for a path that the proxy sent on, of those it has logged."""
        return sum(each["path"] == path and each["upstream_status"] is not None for each in self.proxy.access_log())


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """Run the servers and the proxy until all tests here are through."""
    with running() as urls, started(config(urls, APP)) as proxy:
        yield Stage(urls, proxy)


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of one request of a page."""

    play: Play
    contents: tuple[bytes, ...]

    @property
    def answer(self) -> Answer:
        """The last answer, preflights included."""
        answer = self.play.exchanges[-1].answer
        assert answer is not None
        return answer


def ask(
    url: str,
    origin: str = APP,
    *,
    method: str = "GET",
    headers: tuple[tuple[str, str], ...] = (),
    body: bytes | None = None,
    credentials: bool = True,
    cookie: str = COOKIE,
) -> Asked:
    """Ask as a page of an origin would, with credentials unless said otherwise."""
    mode = Credentials.INCLUDE if credentials else Credentials.OMIT
    contents: list[bytes] = []

    def send(sent: Sent) -> Answer:
        answer, content = exchange(sent.method, sent.url, dict(sent.headers), body if sent.kind == "actual" else None)
        contents.append(content)
        return answer

    request = PageRequest(url, origin, method, headers, mode, cookie=cookie)
    return Asked(play(request, send), tuple(contents))


def exchange(method: str, url: str, headers: dict[str, str], body: bytes | None = None) -> tuple[Answer, bytes]:
    """Send one request, and give the answer with every field line."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=DEADLINE)
    try:
        connection.request(method, parts.path + (f"?{parts.query}" if parts.query else ""), body, headers)
        response = connection.getresponse()
        content = response.read()
        return Answer(response.status, tuple(response.getheaders())), content
    finally:
        connection.close()


def cors_fields(answer: Answer) -> list[tuple[str, str]]:
    """Return every CORS field, names in lower case, sorted: nothing missing, nothing more."""
    return sorted((name.lower(), value) for name, value in answer.headers if name.lower().startswith("access-control-"))


def vary(answer: Answer) -> list[str]:
    """Return the members of every Vary line that say Origin."""
    return [
        each.strip().lower() for each in (answer.combined("Vary") or "").split(",") if each.strip().lower() == "origin"
    ]


GRANT = [
    ("access-control-allow-credentials", "true"),
    ("access-control-allow-origin", APP),
    ("access-control-expose-headers", "X-Total-Count"),
]

PATHS = [
    pytest.param("flask", "/books", 200, id="Flask: a list"),
    pytest.param("flask", "/no-such", 404, id="Flask: a path that is not there"),
    pytest.param("flask", "/fails", 500, id="Flask: an error"),
    pytest.param("starlette", "/books", 200, id="Starlette: a list"),
    pytest.param("starlette", "/no-such", 404, id="Starlette: a path that is not there"),
    pytest.param("starlette", "/fails", 500, id="Starlette: an error outside of its CORS middleware"),
    pytest.param("datasette", "/_memory.json?sql=select+1", 200, id="Datasette: a query"),
    pytest.param("datasette", "/_memory.json?sql=selct", 400, id="Datasette: a wrong query"),
    pytest.param("datasette", "/no-such.json", 404, id="Datasette: a database that is not there"),
    pytest.param("dav", "/", 200, id="WsgiDAV: a folder"),
    pytest.param("dav", "/no-such.txt", 404, id="WsgiDAV: a file that is not there"),
]


@pytest.mark.parametrize(("server", "path", "status"), PATHS)
def test_the_origin_of_the_policy_reads_every_answer(stage: Stage, server: str, path: str, status: int) -> None:
    """Errors too, with exactly the policy's fields in place of the server's own."""
    asked = ask(stage.proxied(server) + path)
    assert asked.play.allowed, asked.play.failure
    assert asked.answer.status == status
    assert cors_fields(asked.answer) == GRANT
    assert vary(asked.answer) == ["origin"]
    assert "x-internal" not in asked.play.exposed


@pytest.mark.parametrize(("server", "path", "status"), PATHS)
def test_another_origin_reads_nothing(stage: Stage, server: str, path: str, status: int) -> None:
    """Nothing of the server's own generosity is left, with credentials and without."""
    for credentials in (True, False):
        asked = ask(stage.proxied(server) + path, STRANGER, credentials=credentials)
        assert asked.play.reason == "origin_not_allowed"
        assert asked.answer.status == status
        assert cors_fields(asked.answer) == []
        assert vary(asked.answer) == ["origin"]


@pytest.mark.parametrize(("server", "path", "status"), PATHS)
def test_an_answer_to_a_request_without_origin_has_no_grant_either(
    stage: Stage, server: str, path: str, status: int
) -> None:
    """Vary says that the answer depends on the origin, so that no cache gives it to one."""
    answer, _ = exchange("GET", stage.proxied(server) + path, {})
    assert answer.status == status
    assert cors_fields(answer) == []
    assert vary(answer) == ["origin"]


GENEROUS = [
    pytest.param("flask", "/books", True, id="Flask-CORS reflects any origin, with credentials"),
    pytest.param("starlette", "/books", True, id="Starlette's CORSMiddleware reflects any origin, with credentials"),
    pytest.param("datasette", "/_memory.json?sql=select+1", False, id="Datasette lets anybody read"),
    pytest.param("dav", "/", False, id="WsgiDAV lets anybody read"),
]


@pytest.mark.parametrize(("server", "path", "credentials"), GENEROUS)
def test_asked_directly_the_server_lets_a_stranger_read(
    stage: Stage, server: str, path: str, credentials: bool
) -> None:
    """There is something to overrule: without the proxy the same request is allowed."""
    assert ask(stage.direct[server] + path, STRANGER, credentials=credentials).play.allowed


JSON = (("Content-Type", "application/json"),)
TITLE = json.dumps({"title": "URL"}).encode()

PREFLIGHTED = [
    pytest.param("flask", "/books/1", "PUT", JSON, TITLE, 200, id="Flask: a PUT of JSON"),
    pytest.param("starlette", "/books/1", "PUT", JSON, TITLE, 200, id="Starlette: a PUT of JSON"),
    pytest.param(
        "datasette", "/_memory.json", "DELETE", (), None, 403, id="Datasette: a DELETE that it refuses itself"
    ),
    pytest.param("dav", "/new.txt", "PUT", (), b"text", 201, id="WsgiDAV: a PUT of a file"),
    pytest.param("dav", "/", "PROPFIND", (("Depth", "1"),), None, 207, id="WsgiDAV: a PROPFIND with a Depth"),
]


@pytest.mark.parametrize(("server", "path", "method", "headers", "body", "status"), PREFLIGHTED)
def test_what_the_policy_names_is_allowed_after_a_preflight(
    stage: Stage,
    server: str,
    path: str,
    method: str,
    headers: tuple[tuple[str, str], ...],
    body: bytes | None,
    status: int,
) -> None:
    """The proxy answers the preflight, the server answers the request."""
    asked = ask(stage.proxied(server) + path, method=method, headers=headers, body=body)
    assert asked.play.allowed, asked.play.failure
    preflight, _ = asked.play.exchanges
    assert preflight.answer is not None
    assert preflight.answer.status == 204
    assert asked.answer.status == status
    assert cors_fields(asked.answer) == GRANT


REFUSED = [
    pytest.param(APP, "PATCH", (), "method_not_allowed", id="a method that the policy does not name"),
    pytest.param(APP, "GET", (("X-Other", "1"),), "headers_not_allowed", id="a header that the policy does not name"),
    pytest.param(STRANGER, "PUT", (), "origin_not_allowed", id="a method that it names, from another origin"),
]


@pytest.mark.parametrize("server", COMMANDS)
@pytest.mark.parametrize(("origin", "method", "headers", "reason"), REFUSED)
def test_what_the_policy_does_not_name_never_reaches_the_server(
    stage: Stage, server: str, origin: str, method: str, headers: tuple[tuple[str, str], ...], reason: str
) -> None:
    """The preflight is refused with the reason in words, and the server is not asked."""
    path = f"/{server}/refused/{reason}"
    asked = ask(stage.proxy.url + path, origin, method=method, headers=headers)
    assert not asked.play.allowed
    assert len(asked.play.exchanges) == 1
    assert asked.answer.status == 403
    assert reason.encode() in asked.contents[0]
    assert cors_fields(asked.answer) == []
    assert vary(asked.answer) == ["origin"]
    mark = f'"path":"{path}"'
    assert stage.proxy.stdout is not None
    stage.proxy.stdout.wait_for(lambda lines: any(mark in line for line in lines))
    assert stage.count(path) == 0


def test_a_session_of_flask_goes_through_its_redirect(stage: Stage) -> None:
    """The login's cookie is kept by the browser, and its redirect stays below the proxy's path, with a grant on it."""
    url = f"{stage.proxied('flask')}/login"
    asked = ask(url, method="POST", cookie="")
    assert asked.play.allowed, asked.play.failure
    assert [exchange.sent.url for exchange in asked.play.exchanges] == [url, f"{stage.proxied('flask')}/me"]
    first = asked.play.exchanges[0].answer
    assert first is not None
    assert cors_fields(first) == GRANT
    session = first.lines("Set-Cookie")[0].partition(";")[0]
    assert json.loads(ask(f"{stage.proxied('flask')}/me", cookie=session).contents[0]) == "ada"


def test_starlettes_absolute_redirect_stays_at_the_proxy(stage: Stage) -> None:
    """Starlette adds the slash by a redirect to its own address, which no page could follow."""
    asked = ask(f"{stage.proxied('starlette')}/shelf")
    assert asked.play.allowed, asked.play.failure
    assert [exchange.sent.url for exchange in asked.play.exchanges] == [
        f"{stage.proxied('starlette')}/shelf",
        f"{stage.proxied('starlette')}/shelf/",
    ]


def test_an_options_that_is_no_preflight_is_the_servers_to_answer(stage: Stage) -> None:
    """WebDAV clients ask with OPTIONS what a server can do: the answer is WsgiDAV's, without its CORS fields."""
    answer, _ = exchange("OPTIONS", f"{stage.proxied('dav')}/", {"Origin": STRANGER})
    assert answer.status == 200
    assert answer.lines("DAV") == ("1,2",)
    assert "PROPFIND" in (answer.combined("Allow") or "")
    assert cors_fields(answer) == []


def test_what_a_server_computes_arrives_unchanged(stage: Stage) -> None:
    """Datasette's answer to a query is byte for byte what it says without the proxy."""
    path = "/_memory.json?sql=select+%27%C3%A4%25%27+as+x&_shape=array"
    _, direct = exchange("GET", stage.direct["datasette"] + path, {})
    _, proxied = exchange("GET", stage.proxied("datasette") + path, {})
    assert proxied == direct
    assert json.loads(proxied) == [{"x": "ä%"}]
