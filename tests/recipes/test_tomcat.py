"""A page logs in to a Tomcat application on another site: form login, a session cookie, a token in a header.

Tomcat redirects after the login to the address that it was asked by; its filter against forgery hands out the token in
a response header. In a real Chromium over HTTPS.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.chromium import Page
from tests.recipes.server import SERVERS, Server
from tests.recipes.sites import Sites, page_result
from tests.support.programs import launched, needs

pytestmark = pytest.mark.browser

HOME = Path("/usr/share/tomcat10")
LIBRARY = Path("/etc/tomcat10/web.xml")
"""Tomcat's own defaults: without them there are no pages and no files."""

JAVA = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto"
"""A server for ten requests is not worth the second compiler."""

SCRIPT = """
async function login(username, password) {
  await call("/account.jsp");
  const body = new URLSearchParams({ j_username: username, j_password: password });
  return call("/j_security_check", { method: "POST", body });
}

async function logout() {
  const answer = await call("/account.jsp", { headers: { "X-CSRF-Token": "Fetch" } });
  return call("/account.jsp", { method: "POST", headers: { "X-CSRF-Token": answer.headers.get("X-CSRF-Token") } });
}

const shown = async () => (await (await call("/account.jsp")).text()).trim();
"""

FORM = '<form method="post" action="j_security_check"><input name="j_username"></form>'
HEADERS = {"allow_headers": "[X-CSRF-Token]\n    expose_headers: [X-CSRF-Token]"}
"""What the token in a header needs, beside the recipe."""


@pytest.fixture(scope="module")
def tomcat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run Tomcat with one application, in a folder of its own."""
    needs("java", "install Tomcat (Debian: apt-get install tomcat10)")
    if not LIBRARY.exists():
        pytest.skip("no Tomcat: install it (Debian: apt-get install tomcat10)")
    base = tmp_path_factory.mktemp("tomcat")
    shutil.copytree(SERVERS / "tomcat", base, dirs_exist_ok=True)
    shutil.copy(LIBRARY, base / "conf")
    for folder in ("logs", "temp", "work"):
        (base / folder).mkdir()
    places = (f"CATALINA_HOME={HOME}", f"CATALINA_BASE={base}", f"CATALINA_TMPDIR={base / 'temp'}")
    with launched("env", *places, f"CATALINA_OPTS={JAVA}", str(HOME / "bin" / "catalina.sh"), "run") as output:
        port = output.wait_line(r"http-nio-127\.0\.0\.1-auto-1-(\d+)", timeout=120)[1]
        yield Server(f"http://127.0.0.1:{port}", output)


@contextlib.contextmanager
def opened(server: Server, sites: Sites, **changes: str) -> Iterator[Page]:
    """Open a page of another site, with the proxy between it and the server."""
    with sites.page_behind("session-login", server, **{**HEADERS, **changes}) as page:
        page.open("https://app.example.com/")
        yield page


def run(page: Page, statements: str) -> Any:
    """Run statements after the functions of the script."""
    return page_result(page, SCRIPT + statements)


LOGIN = "const answer = await login('ada', 'analytical'); return [answer.status, answer.url];"
ACCOUNT = "https://api.example.net/account.jsp"


def test_a_page_of_another_site_logs_in_stays_logged_in_and_logs_out(tomcat: Server, sites: Sites) -> None:
    """The redirect stays on the proxy, the session survives a reload, and the token is read and sent."""
    with opened(tomcat, sites) as page:
        assert run(page, "return await shown();") == FORM
        assert run(page, LOGIN) == [200, ACCOUNT]
        page.open("https://app.example.com/again")
        assert run(page, "return await shown();") == '{"user": "ada"}'
        assert run(page, "return (await call('/account.jsp', { method: 'POST' })).status;") == 403
        assert run(page, "return (await logout()).status;") == 200
        assert run(page, "return await shown();") == FORM


@pytest.mark.parametrize("key", ["domain", "same_site", "secure"])
def test_without_a_line_the_login_is_lost(tomcat: Server, sites: Sites, key: str) -> None:
    """The session that the form belongs to does not come back: Tomcat knows of no login page (408 or 400)."""
    with opened(tomcat, sites, **{key: "off"}) as page:
        status, _ = run(page, LOGIN)
        assert status in {400, 408}
        assert run(page, "return await shown();") == FORM


def test_without_the_exposed_header_the_token_cannot_be_read(tomcat: Server, sites: Sites) -> None:
    """And so not be sent back."""
    with opened(tomcat, sites, allow_headers="[X-CSRF-Token]") as page:
        assert run(page, LOGIN) == [200, ACCOUNT]
        assert run(page, "return (await logout()).status;") == 403
