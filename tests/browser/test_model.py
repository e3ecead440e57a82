"""The model of the browser against Chromium: the same requests, and the same verdict in every single one.

Through the proxy with many policies; to servers that are wrong about CORS, without it; and for each refusal the change
that `explain` proposes, applied, which Chromium must then accept.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest

from corsproxy.config import load_text
from corsproxy.tools.browser import Credentials, PageRequest, Play, play
from corsproxy.tools.explain import NoChangeError, Question, judge, smallest_change
from corsproxy.tools.live.wire import Wire
from tests.browser.chromium import Chromium, Page
from tests.browser.model_rows import LENIENT, MATRIX, POLICIES, ROUTES, SAFELIST, SERVERS, WRONG, Asked
from tests.browser.servers import Pages
from tests.support.process import Proxy, started
from tests.support.upstream import Connection, Upstream
from tests.tools.patches import applied

pytestmark = pytest.mark.browser

_ASK_ALL = """async ([base, requests]) => {
  const verdicts = [];
  for (const [path, method, headers, credentials] of requests) {
    const options = {method, headers, credentials: credentials ? 'include' : 'omit', cache: 'no-store'};
    verdicts.push(await fetch(base + path, options).then(() => true, () => false));
  }
  return verdicts;
}"""
_FRAME = """(html) => new Promise((loaded) => {
  const frame = document.createElement('iframe');
  frame.sandbox = 'allow-scripts';
  frame.srcdoc = html;
  frame.onload = () => loaded(window.frame = frame);
  document.body.append(frame);
}).then(() => null)"""
_IN_FRAME = """([base, requests]) => new Promise((told) => {
  window.addEventListener('message', (event) => told(event.data), {once: true});
  window.frame.contentWindow.postMessage([base, requests], '*');
})"""


@dataclass(frozen=True, slots=True)
class Stage:
    """The browser's tab, where it is, and the proxy before a service that always answers."""

    tab: Page
    page: str
    proxy: Proxy
    config: str

    @property
    def base(self) -> str:
        """Where the tab asks."""
        return f"http://localhost:{self.proxy.address[1]}"


@pytest.fixture(scope="module")
def stage(chromium: Chromium) -> Iterator[Stage]:
    """Run everything until all tests here are through."""
    ok = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nCache-Control: no-store\r\n\r\nok"
    with Pages() as pages, Upstream.answering(ok) as upstream, chromium.page() as tab:
        page = pages.origin("localhost")
        policies = POLICIES.format(page=page).replace("}\n", ", max_age: 0}\n")
        routes = [f"  - {{path: /{name}, upstream: api, policy: {name}}}\n" for name in ROUTES[:-2]]
        config = (
            f"upstreams: {{api: {upstream.url}}}\npolicies:\n{policies}"
            f"routes:\n{''.join(routes)}  - {{path: /none, upstream: api}}\n"
        )
        tab.open(f"{page}/checks.html")
        with started(config) as proxy:
            yield Stage(tab, page, proxy, config)


def verdicts(tab: Page, base: str, requests: Sequence[Asked], script: str = _ASK_ALL) -> list[bool]:
    """Return whether Chromium gives each answer to the page."""
    rows = [[one.path, one.method, dict(one.headers), one.credentials] for one in requests]
    found = tab.evaluate(script, [base, rows])
    assert isinstance(found, list)
    assert len(found) == len(requests)
    return found


def modelled(base: str, origin: str, asked: Asked) -> Play:
    """What the model says, from the same live server."""
    mode = Credentials.INCLUDE if asked.credentials else Credentials.OMIT
    request = PageRequest(base + asked.path, origin, asked.method, asked.headers, mode)
    return play(request, Wire(timeout=20).send)


def differences(base: str, origin: str, requests: Sequence[Asked], said: Sequence[bool]) -> list[str]:
    """Where model and browser disagree, in words."""
    found = []
    for asked, verdict in zip(requests, said, strict=True):
        model = modelled(base, origin, asked)
        if model.allowed is not verdict:
            found.append(f"{asked}: Chromium {verdict}, model {model.allowed}: {model.failure}")
    return found


@pytest.fixture(name="said", scope="module")
def said_fixture(stage: Stage) -> dict[Asked, bool]:
    """Return what Chromium does with every request of the matrix, through the proxy: asked once, compared thrice."""
    requests = [*MATRIX, *SAFELIST]
    return dict(zip(requests, verdicts(stage.tab, stage.base, requests), strict=True))


def test_the_model_agrees_through_the_proxy(stage: Stage, said: dict[Asked, bool]) -> None:
    """Every combination of policy, method, headers and credentials: model and Chromium say the same."""
    assert len(said) >= 400
    assert 50 < sum(said.values()) < len(said) - 50
    assert differences(stage.base, stage.page, list(said), list(said.values())) == []


def test_the_model_agrees_for_an_opaque_origin(stage: Stage) -> None:
    """The same from a sandboxed frame, whose origin is null."""
    script = f"onmessage = async (event) => parent.postMessage(await ({_ASK_ALL})(event.data), '*')"
    stage.tab.evaluate(_FRAME, f"<script>{script}</script>")
    requests = MATRIX[::3]
    said = verdicts(stage.tab, stage.base, requests, _IN_FRAME)
    assert any(said)
    assert differences(stage.base, "null", requests, said) == []


def _question(asked: Asked, origin: str) -> Question:
    return Question(asked.path, origin, asked.method, asked.headers, asked.credentials)


def test_explain_agrees_without_any_network(stage: Stage, said: dict[Asked, bool]) -> None:
    """What `explain` says from the file alone is what Chromium does."""
    loaded = load_text(stage.config, "corsproxy.yaml", {})
    judged = {asked: judge(loaded, _question(asked, stage.page)).is_allowed for asked in said}
    assert [str(asked) for asked, verdict in said.items() if verdict is not judged[asked]] == []


def test_every_patch_makes_chromium_accept(stage: Stage, said: dict[Asked, bool]) -> None:
    """For each refusal: apply what `explain` proposes, reload, ask again; `patch` no proxy of ours forwards."""
    loaded = load_text(stage.config, "corsproxy.yaml", {})
    refused = [asked for asked in MATRIX if not said[asked] and asked.method != "patch"]
    by_file: dict[str, list[Asked]] = {}
    for asked in refused:
        change = smallest_change(loaded, _question(asked, stage.page), {})
        by_file.setdefault(applied(stage.config, change.patch), []).append(asked)
    still = []
    try:
        for text, requests in by_file.items():
            _reload(stage.proxy, text)
            again = verdicts(stage.tab, stage.base, requests)
            still += [str(asked) for asked, verdict in zip(requests, again, strict=True) if not verdict]
    finally:
        _reload(stage.proxy, stage.config)
    assert len(refused) > 100
    assert still == []


@pytest.mark.parametrize("method", ["TRACE", "patch"])
def test_what_no_file_can_allow(stage: Stage, method: str) -> None:
    """A forbidden method throws in the page, an unknown one gets 501, and `explain` proposes nothing."""
    asked = Asked("/star", method)
    assert verdicts(stage.tab, stage.base, [asked]) == [False]
    with pytest.raises(NoChangeError):
        smallest_change(load_text(stage.config, "corsproxy.yaml", {}), _question(asked, stage.page), {})


def _reload(proxy: Proxy, text: str) -> None:
    """Put another file in force, and wait until the proxy says so."""
    told = len(proxy.stderr.lines)
    proxy.reload(text)
    proxy.stderr.wait_for(lambda lines: any("reload" in line for line in lines[told:]))


@contextlib.contextmanager
def wrong_servers(page: str) -> Iterator[str]:
    """Run the servers that are wrong about CORS, and yield the URL of the one to ask."""
    filled: dict[str, str] = {}

    def script(connection: Connection) -> None:
        _answer_wrongly(connection, filled)

    with Upstream(script) as server, Upstream(script) as other:
        filled |= {"other": other.url, "page": page, "password": f"http://u:p@127.0.0.1:{other.port}"}
        yield server.url


def test_the_model_agrees_on_servers_that_are_wrong(chromium: Chromium) -> None:
    """Duplicate lines, stars beside credentials, odd letter case, redirects, preflights that fail: the same verdict."""
    with contextlib.ExitStack() as stack:
        pages = stack.enter_context(Pages())
        page = pages.origin("localhost")
        server = stack.enter_context(wrong_servers(page))
        tab = stack.enter_context(chromium.page())
        tab.open(f"{page}/checks.html")
        said = verdicts(tab, server, WRONG)
        assert 50 < sum(said) < len(said) - 50
        found = differences(server, page, WRONG, said)
    lenient = {str(asked) for asked in LENIENT}
    assert {one.partition(": Chromium")[0] for one in found} == lenient
    assert all("a star never covers Authorization" in one for one in found)


def _answer_wrongly(connection: Connection, filled: dict[str, str]) -> None:
    """Answer as the path says."""
    request = connection.read_request()
    _, path, _ = request.line.decode().split(" ")
    origin = (request.values(b"Origin") or [b""])[0].decode()
    kind = "preflight" if request.values(b"Access-Control-Request-Method") else "actual"
    serve = SERVERS.get(path[1:])
    status, fields = serve(kind, origin) if serve else (404, [])
    lines = "".join(f"{name}: {value.format(**filled)}\r\n" for name, value in fields)
    head = f"HTTP/1.1 {status} Whatever\r\n{lines}Cache-Control: no-store\r\n"
    length = "" if status == 204 else "Content-Length: 0\r\n"
    connection.send(f"{head}{length}Connection: close\r\n\r\n".encode())
