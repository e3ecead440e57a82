"""The page on blocked requests holds what Chromium really writes on its console, each message in its own section."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.browser.chromium import Chromium, Page, executable
from tests.browser.model_rows import WRONG, Asked
from tests.browser.servers import Pages
from tests.browser.test_model import verdicts, wrong_servers
from tests.support.certificates import self_signed
from tests.support.process import started
from tests.support.upstream import Upstream

pytestmark = pytest.mark.browser

PAGE = Path(__file__).parents[2] / "docs" / "troubleshooting.md"
SECTIONS = {
    title: text
    for title, _, text in (
        part.partition("\n") for part in re.split(r"^#{2,3} ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    )
}

CONFIG = """
upstreams:
  up: {upstream}
  dead: http://127.0.0.1:1
policies:
  app: {{allow_origins: ["{page}"], allow_methods: [PUT]}}
  star: {{allow_origins: ["*"]}}
  other: {{allow_origins: ["https://app.example.com"]}}
  reject: {{allow_origins: ["https://app.example.com"], on_refused: reject}}
  sockets-off: {{allow_origins: ["{page}"], websockets: off}}
routes:
  - {{path: /app, upstream: up, policy: app}}
  - {{path: /star, upstream: up, policy: star}}
  - {{path: /other, upstream: up, policy: other}}
  - {{path: /reject, upstream: up, policy: reject}}
  - {{path: /sockets-off, upstream: up, policy: sockets-off}}
  - {{path: /dead, upstream: dead, policy: other}}
  - {{path: /bare, upstream: up}}
"""

FETCH = "([url, options]) => fetch(url, options).then((answer) => answer.status, () => 'blocked')"
SOCKET = """([url]) => new Promise((settle) => {
  const socket = new WebSocket(url);
  socket.onopen = () => settle("open");
  socket.onclose = () => settle("blocked");
})"""

ORIGIN, PREFLIGHT = "The origin is not allowed", "The preflight is refused"
CREDENTIALS, SOCKETS = "Credentials are not allowed", "A WebSocket is refused"
OTHER_RULE, NOT_CORS = "The message mentions CORS, but the cause is another rule", "Not CORS"
PUT, INCLUDE = {"method": "PUT"}, {"credentials": "include"}

REFUSED = [
    pytest.param("/other", {}, ORIGIN, id="the origin"),
    pytest.param("/reject", {}, ORIGIN, id="the origin, rejected"),
    pytest.param("/dead", {}, ORIGIN, id="the origin, on a 502"),
    pytest.param("/bare", {}, ORIGIN, id="no policy"),
    pytest.param("/nowhere", {}, ORIGIN, id="no route"),
    pytest.param("/other", PUT, PREFLIGHT, id="the origin in a preflight"),
    pytest.param("/app", {"method": "DELETE"}, PREFLIGHT, id="the method"),
    pytest.param("/app", {"headers": {"X-Trace": "1"}}, PREFLIGHT, id="a header"),
    pytest.param("/bare", PUT, PREFLIGHT, id="no policy for a preflight"),
    pytest.param("/nowhere", PUT, PREFLIGHT, id="no route for a preflight"),
    pytest.param("/app", INCLUDE, CREDENTIALS, id="credentials"),
    pytest.param("/app", INCLUDE | PUT, CREDENTIALS, id="credentials in a preflight"),
    pytest.param("/star", INCLUDE, CREDENTIALS, id="credentials under a star"),
    pytest.param("/other", None, SOCKETS, id="the origin of a WebSocket"),
    pytest.param("/bare", None, SOCKETS, id="a WebSocket without a policy"),
    pytest.param("/sockets-off", None, SOCKETS, id="a WebSocket where there are none"),
]
"""A path at the proxy, the options of `fetch` (None opens a WebSocket), and where the page explains what is said."""


def pattern(text: str) -> re.Pattern[str]:
    """Turn a message of the page into an expression, `…` standing for anything."""
    return re.compile(".*".join(map(re.escape, text.split("…"))))


def documented(title: str) -> list[re.Pattern[str]]:
    """Return the messages of Chromium in a section."""
    return [pattern(text) for text in re.findall(r"^- Chromium: `(.+)`$", SECTIONS[title], flags=re.MULTILINE)]


def explained(message: str, patterns: list[re.Pattern[str]]) -> bool:
    """Return whether the message contains one of them."""
    return any(each.search(message) for each in patterns)


@dataclass(frozen=True, slots=True)
class Stage:
    """A page in Chromium, and the proxy that it asks."""

    tab: Page
    url: str

    def said(self, path: str, options: dict[str, object] | None) -> list[str]:
        """Make a request that is blocked, and give what the console says of it, but for what fits any failure."""
        self.tab.console.clear()
        if options is None:
            answer = self.tab.evaluate(SOCKET, [f"ws{self.url.removeprefix('http')}{path}"])
        else:
            answer = self.tab.evaluate(FETCH, [self.url + path, options])
        assert answer == "blocked"
        return [line for line in self.tab.console if not line.startswith("Failed to load resource: net::ERR_FAILED")]


@pytest.fixture(scope="module")
def stage(chromium: Chromium) -> Iterator[Stage]:
    """Run the proxy, and open a page of an origin that some of its policies name."""
    with contextlib.ExitStack() as stack:
        page = stack.enter_context(Pages()).origin("localhost")
        upstream = stack.enter_context(Upstream())
        proxy = stack.enter_context(started(CONFIG.format(upstream=upstream.url, page=page)))
        tab = stack.enter_context(chromium.page())
        tab.open(f"{page}/checks.html")
        yield Stage(tab, proxy.url)


@pytest.fixture(scope="module")
def public(chromium: Chromium) -> Iterator[tuple[Chromium, Pages]]:
    """Run a Chromium of its own that takes the pages for some from the internet; skipped like any other."""
    with Pages() as pages:
        port = pages.origin("localhost").rpartition(":")[2]
        browser = Chromium(executable() or "", f"--ip-address-space-overrides=127.0.0.1:{port}=public")
        yield browser, pages
        browser.close()


def test_every_message_of_chromium_is_explained(chromium: Chromium) -> None:
    """Each message that the matrix of wrong servers brings about is on the page, and the page has no other."""
    with contextlib.ExitStack() as stack:
        pages = stack.enter_context(Pages())
        page = pages.origin("localhost")
        server = stack.enter_context(wrong_servers(page))
        tab = stack.enter_context(chromium.page())
        tab.open(f"{page}/checks.html")
        verdicts(tab, server, [*WRONG, Asked("/methods", "DELETE")])
        messages = [line.partition("blocked by CORS policy: ")[2] for line in tab.console if "CORS policy" in line]
    assert len(messages) > 100
    patterns = [each for title in SECTIONS if title not in {SOCKETS, OTHER_RULE} for each in documented(title)]
    assert [text for text in messages if not explained(text, patterns)] == []
    assert [each.pattern for each in patterns if not any(map(each.search, messages))] == []


@pytest.mark.parametrize(("path", "options", "title"), REFUSED)
def test_what_corsproxy_refuses_is_explained_where_its_message_leads(
    stage: Stage, path: str, options: dict[str, object] | None, title: str
) -> None:
    """Whoever looks for the words of the console comes to the section with the cause."""
    [message] = stage.said(path, options)
    assert explained(message, documented(title)), message


@pytest.mark.parametrize("host", ["localhost", "page.test"])
def test_the_local_network_is_explained(public: tuple[Chromium, Pages], host: str) -> None:
    """A page from the internet is not let to this machine, on a secure origin as on another."""
    chromium, pages = public
    with Upstream() as upstream, chromium.page() as tab:
        tab.open(f"{pages.origin(host)}/checks.html")
        [message] = Stage(tab, upstream.url).said("/", {})
    assert "has been blocked by CORS policy" in message
    assert explained(message, documented(OTHER_RULE)), message


def test_a_file_is_explained(chromium: Chromium, tmp_path: Path) -> None:
    """A page from a file that requests a file gets a CORS error."""
    (tmp_path / "page.html").touch()
    with chromium.page() as tab:
        tab.open(f"file://{tmp_path}/page.html")
        [message] = Stage(tab, f"file://{tmp_path}").said("/page.html", {})
    assert "has been blocked by CORS policy" in message
    assert explained(message, documented(OTHER_RULE)), message


CSP = """() => {
  const meta = document.createElement("meta");
  meta.httpEquiv = "Content-Security-Policy";
  meta.content = "connect-src 'self'";
  document.head.append(meta);
}"""


def test_what_is_not_cors_is_explained(chromium: Chromium, tmp_path: Path) -> None:
    """Failures that have nothing to do with CORS are known by their words."""
    rows = re.findall(r"^\| (.+?) \| .+ \| .+ \|$", SECTIONS[NOT_CORS], flags=re.MULTILINE)
    patterns = [pattern(text) for row in rows for text in re.findall("`([^`]+)`", row)]
    certificate = self_signed(tmp_path, "localhost")
    secure = (
        f"tls: {{certificate: {certificate.certificate}, private_key: {certificate.private_key}}}\n"
        "upstreams: {pages: PAGES}\nroutes: [{path: /, upstream: pages}]\n"
    )
    with contextlib.ExitStack() as stack:
        page = stack.enter_context(Pages()).origin("localhost")
        proxy = stack.enter_context(started(secure.replace("PAGES", page)))
        own = proxy.url.replace("127.0.0.1", "localhost")
        plain = stack.enter_context(chromium.page())
        plain.open(f"{page}/checks.html")
        with Upstream() as gone:
            refusing = gone.url
        lines = [
            line
            for url in (refusing, "http://127.0.0.1:6000", own, "localhost:8080")
            for line in Stage(plain, url).said("/", {})
        ]
        plain.evaluate(CSP)
        lines += Stage(plain, proxy.url).said("/", {})[:1]
        https = stack.enter_context(chromium.page(ignore_https_errors=True))
        https.open(f"{own}/checks.html")
        lines += Stage(https, page.replace("localhost", "pages.test")).said("/", {})
    assert len(lines) == 6
    assert [line for line in lines if not explained(line, patterns)] == []
