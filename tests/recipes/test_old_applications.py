"""The recipe for a session login holds for applications of other families, each with its own check against forgery.

A page on one site logs in to a Sinatra (Rack) and a PHP application on another, in a real Chromium over HTTPS; Django
and Tomcat have modules of their own.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.chromium import Page
from tests.recipes.server import SERVERS, Server
from tests.recipes.sites import Sites, page_result
from tests.support.programs import free_port, launched, needs, wait_until_listening

pytestmark = pytest.mark.browser

SCRIPT = """
const post = (path, fields) => call(path, { method: "POST", body: new URLSearchParams(fields) });

async function login(username, password) {
  const form = await (await call("/login")).text();
  const [, authenticity_token] = form.match(/name="authenticity_token" value="([^"]+)"/);
  return post("/login", { authenticity_token, username, password });
}

async function logout() {
  const { token } = await (await call("/account")).json();
  return post("/logout", { authenticity_token: token });
}

const user = async () => (await (await call("/account")).json()).user;
"""

LOGIN = "const answer = await login('ada', 'analytical'); return { status: answer.status, url: answer.url };"
LOGGED_IN = {"status": 200, "url": "https://api.example.net/account"}
FORBIDDEN = {"status": 403, "url": "https://api.example.net/login"}


@contextlib.contextmanager
def sinatra(_: Path) -> Iterator[Server]:
    """Run the Sinatra application."""
    program = needs("ruby", "install it (Debian: apt-get install ruby-sinatra ruby-webrick)")
    with launched(program, str(SERVERS / "sinatra_login.rb")) as output:
        yield Server(output.wait_line(r"serving on (http://\S+)$")[1], output)


@contextlib.contextmanager
def php(folder: Path) -> Iterator[Server]:
    """Run the PHP application; its sessions are files of a folder."""
    program = needs("php", "install it (Debian: apt-get install php-cli)")
    port = free_port()
    with launched(
        program, "-d", f"session.save_path={folder}", "-S", f"127.0.0.1:{port}", str(SERVERS / "php_login.php")
    ) as output:
        wait_until_listening(port)
        yield Server(f"http://127.0.0.1:{port}", output)


APPLICATIONS: dict[str, Callable[[Path], contextlib.AbstractContextManager[Server]]] = {"sinatra": sinatra, "php": php}


@pytest.fixture(scope="module", params=APPLICATIONS)
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run one application after the other."""
    with APPLICATIONS[request.param](tmp_path_factory.mktemp("application")) as server:
        yield server


@pytest.fixture
def application(running: Server) -> Server:
    """Return it without the requests of earlier tests."""
    return running.from_now()


def run(page: Page, statements: str) -> Any:
    """Run statements after the functions of the script."""
    return page_result(page, SCRIPT + statements)


def test_a_page_of_another_site_logs_in_stays_logged_in_and_logs_out(application: Server, sites: Sites) -> None:
    """With its token, through its absolute redirect, over a reload of the page."""
    with sites.page_behind("session-login", application) as page:
        page.open("https://app.example.com/")
        assert run(page, "return await user();") == ""
        assert run(page, LOGIN) == LOGGED_IN
        page.open("https://app.example.com/again")
        assert run(page, "return await user();") == "ada"
        assert run(page, "const answer = await logout(); return answer.url;") == LOGGED_IN["url"]
        assert run(page, "return await user();") == ""


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        pytest.param({"origin": "off"}, FORBIDDEN, id="without the upstream's own origin"),
        pytest.param({"domain": "off"}, FORBIDDEN, id="with a cookie of another domain"),
        pytest.param({"same_site": "off"}, FORBIDDEN, id="with cookies for one site"),
    ],
)
def test_without_a_line_the_login_fails(
    application: Server, sites: Sites, changes: dict[str, str], wanted: object
) -> None:
    """Each of these applications makes its own check of the origin."""
    with sites.page_behind("session-login", application, **changes) as page:
        page.open("https://app.example.com/")
        assert run(page, LOGIN) == wanted


@pytest.mark.parametrize("running", ["sinatra"], indirect=True)
def test_rack_must_not_be_told_of_the_proxys_name(application: Server, sites: Sites) -> None:
    """It believes X-Forwarded-Host, and compares Origin with that: what `forwarded: client` is the default for."""
    with sites.page_behind("session-login", application, origin="upstream\n    forwarded: all") as page:
        page.open("https://app.example.com/")
        assert run(page, LOGIN) == FORBIDDEN


def test_a_form_of_a_foreign_site_does_not_reach_the_application(application: Server, sites: Sites) -> None:
    """The proxy makes the check that `origin: upstream` takes away."""
    with sites.page_behind("session-login", application) as page:
        page.open("https://evil.example.org/")
        run(page, "await call('/login', { method: 'POST', mode: 'no-cors', body: new URLSearchParams('a=b') });")
        page.open("https://app.example.com/")
        assert run(page, "return await user();") == ""
        application.wait_line("^GET /account ")
        assert not [line for line in application.requests() if line.startswith("POST")]
