"""The recipes that a browser matters for, asked by one: the page's own start, and what a script of that origin gets.

tests/recipes/test_desk_recipes.py asks all of them by curl, which minds neither cookies' sites nor certificates.
"""

from __future__ import annotations

import contextlib
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.browser.chromium import MISSING, Chromium, executable
from tests.browser.servers import Pages
from tests.recipes.certificate import Certificate, fingerprint_of
from tests.recipes.sites import pages
from tests.recipes.test_desk_recipes import RECIPES_AT_THE_DESK, runs
from tests.support.installed import installed
from tests.support.process import Proxy, started
from tests.support.upstream import Connection, Upstream

pytestmark = pytest.mark.browser

PAGES_OF = {
    "phone-on-the-lan": "http://192.168.1.20:5173",
    "https-on-localhost": "https://localhost:{tls_page}",
    "remote-staging": "http://localhost:{page}",
    "beside-vite": "http://localhost:{page}",
}
"""The origin that each recipe's page is opened as."""

STORY = """async (base) => {
  const include = { credentials: "include" };
  const login = await fetch(base + "/login", { ...include, method: "POST", body: new URLSearchParams({ user: "me" }) });
  const headers = { Authorization: "Bearer t", "Content-Type": "application/json" };
  const order = { method: "PUT", headers, body: "{}" };
  const put = await fetch(base + "/orders/7", { ...include, ...order });
  return [login.url.slice(base.length), await login.text(), put.status, await put.text()];
}"""
"""Log in, follow the redirect, then ask for something that needs a preflight."""


def api(connection: Connection) -> None:
    """Log in by a cookie for a domain that is not the proxy's, and say which cookie comes; no CORS anywhere."""
    while True:
        request = connection.read_request()
        host = request.values(b"Host")[0]
        if b" /login " in request.line:
            connection.send(
                b"HTTP/1.1 303 See Other\r\nLocation: http://%b/account\r\nContent-Length: 0\r\n"
                b"Set-Cookie: sid=1; Domain=example.com; Path=/; HttpOnly\r\n\r\n" % host
            )
        else:
            came = b"; ".join(request.values(b"Cookie")) or b"no cookie"
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(came), came))


@dataclass(frozen=True, slots=True)
class Desk:
    """The running recipes, and the browser for all of them."""

    chromium: Chromium
    page_port: int
    tls_page_port: int
    proxies: dict[str, Proxy]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Start each recipe as it is written, but for ports, and one Chromium that finds the LAN on loopback."""
    path = installed(executable(), MISSING)
    home = tmp_path_factory.mktemp("home")
    with contextlib.ExitStack() as stack:
        page = int(stack.enter_context(Pages()).origin("localhost").rpartition(":")[2])
        upstream = stack.enter_context(Upstream(api))
        proxies = {name: stack.enter_context(recipe(name, upstream.url, home)) for name in PAGES_OF}
        rules = (
            f"MAP 192.168.1.20:5173 127.0.0.1:{page}",
            f"MAP 192.168.1.20:8080 127.0.0.1:{proxies['phone-on-the-lan'].address[1]}",
        )
        # The page says that its dev server can use the same certificate.
        authority = home / ".local/share/corsproxy/authority.pem"
        [made] = [file for file in authority.parent.glob("*.pem") if file != authority]
        trusted = fingerprint_of(made.read_bytes())
        tls_page = stack.enter_context(pages(Certificate(made, made.with_suffix(".key"), authority, trusted)))
        chromium = Chromium(
            path, f"--host-resolver-rules={', '.join(rules)}", f"--ignore-certificate-errors-spki-list={trusted}"
        )
        stack.callback(chromium.close)
        yield Desk(chromium, page, tls_page, proxies)


def recipe(name: str, upstream: str, home: Path) -> contextlib.AbstractContextManager[Proxy]:
    """Start the first command of a recipe's page with an upstream and a port of this test."""
    [found] = [one for one in RECIPES_AT_THE_DESK if Path(one.page).stem == name]
    options = shlex.split(re.sub(found.upstream, upstream, next(runs(found.page)).serve))[2:]
    if "--listen" in options:
        options[options.index("--listen") + 1] = "127.0.0.1:0"
    return started(None, *options, environ={"HOME": str(home), "XDG_DATA_HOME": ""}, directory=home)


@pytest.mark.parametrize("name", PAGES_OF)
def test_a_page_logs_in_and_reads_its_answer(name: str, desk: Desk) -> None:
    """The redirect leads back to the proxy, the cookie is kept and sent, and a PUT with a token passes."""
    proxy = desk.proxies[name]
    scheme = proxy.url.partition(":")[0]
    base = "http://192.168.1.20:8080" if name == "phone-on-the-lan" else f"{scheme}://localhost:{proxy.address[1]}"
    assert (scheme == "https") is (name == "https-on-localhost")
    with desk.chromium.page() as page:
        page.open(PAGES_OF[name].format(page=desk.page_port, tls_page=desk.tls_page_port) + "/checks.html")
        assert page.evaluate(STORY, base) == ["/account", "sid=1", 200, "sid=1"], page.console


def test_a_page_of_another_scheme_is_told_of_its_lost_cookie(desk: Desk) -> None:
    """Chromium counts http and https as two sites: it drops the cookie without a word, and the terminal says why."""
    proxy = desk.proxies["https-on-localhost"]
    with desk.chromium.page() as page:
        page.open(f"http://localhost:{desk.page_port}/checks.html")
        assert page.evaluate(STORY, f"https://localhost:{proxy.address[1]}")[1] == "no cookie"
    proxy.stderr.wait_line(
        "^the cookie sid of POST /login will be rejected.* no SameSite.*serve the page over https too"
    )
