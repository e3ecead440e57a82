"""A page on one site logs in to an old Django application on another, in a real Chromium over HTTPS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.chromium import Page
from tests.recipes.server import Server, python_server
from tests.recipes.sites import Sites, page_result

pytestmark = pytest.mark.browser

BLOCK_THIRD_PARTY_COOKIES = "--test-third-party-cookie-phaseout"

# The functions of docs/recipes/session-login.md, and a look at who is logged in.
SCRIPT = """
async function login(username, password) {
  const form = await (await call("/login/")).text();
  const token = form.match(/name="csrfmiddlewaretoken" value="([^"]+)"/)[1];
  const body = new URLSearchParams({ csrfmiddlewaretoken: token, username, password });
  return call("/login/", { method: "POST", body });
}

async function logout() {
  const { token } = await (await call("/account/")).json();
  return call("/logout/", { method: "POST", headers: { "X-CSRFToken": token } });
}

const user = async () => (await (await call("/account/")).json()).user;
"""

LOGIN = "const answer = await login('ada', 'analytical'); return { status: answer.status, url: answer.url };"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run the Django application of the recipe for the whole module."""
    with python_server("django_login.py", str(tmp_path_factory.mktemp("django") / "data.sqlite3")) as server:
        yield server


@pytest.fixture
def django_login(running: Server) -> Server:
    """Return it without the requests of earlier tests."""
    return running.from_now()


def run(page: Page, statements: str) -> Any:
    """Run statements after the functions of the script."""
    return page_result(page, SCRIPT + statements)


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param((), id="with third-party cookies as the browser comes"),
        pytest.param((BLOCK_THIRD_PARTY_COOKIES,), id="with third-party cookies blocked"),
    ],
)
def test_a_page_of_another_site_logs_in_stays_logged_in_and_logs_out(
    django_login: Server, sites: Sites, arguments: tuple[str, ...]
) -> None:
    """The session survives a reload of the page, the redirect stays on the proxy, the logout is preflighted."""
    with sites.page_behind("session-login", django_login, *arguments) as page:
        page.open("https://app.example.com/")
        assert run(page, "return await user();") == ""
        assert run(page, LOGIN) == {"status": 200, "url": "https://api.example.net/account/"}
        assert run(page, "return await user();") == "ada"
        page.open("https://app.example.com/again")
        assert run(page, "return await user();") == "ada"
        assert run(page, "const answer = await logout(); return [answer.status, answer.url];") == [
            200,
            "https://api.example.net/account/",
        ]
        assert run(page, "return await user();") == ""
        assert not [line for line in django_login.requests() if line.startswith("OPTIONS")]


FORBIDDEN = {"status": 403, "url": "https://api.example.net/login/"}

WITHOUT = [
    ("domain", (), FORBIDDEN, "CSRF cookie not set"),
    ("same_site", (), FORBIDDEN, "CSRF cookie not set"),
    ("secure", (), FORBIDDEN, "CSRF cookie not set"),
    ("partitioned", (BLOCK_THIRD_PARTY_COOKIES,), FORBIDDEN, "CSRF cookie not set"),
    ("origin", (), FORBIDDEN, "Origin checking failed"),
]


@pytest.mark.parametrize(("key", "arguments", "wanted", "reason"), [pytest.param(*row, id=row[0]) for row in WITHOUT])
def test_without_the_line_the_login_fails_as_the_recipe_says(
    key: str, arguments: tuple[str, ...], wanted: object, reason: str, django_login: Server, sites: Sites
) -> None:
    """Every line has its reason, in the browser's behaviour or in Django's."""
    with sites.page_behind("session-login", django_login, *arguments, **{key: "off"}) as page:
        page.open("https://app.example.com/")
        assert run(page, LOGIN) == wanted
        django_login.wait_line(f"Forbidden \\({reason}")


def test_without_the_header_allowed_the_logout_fails_in_the_preflight(django_login: Server, sites: Sites) -> None:
    """A login needs no preflight, the token in a header does."""
    with sites.page_behind("session-login", django_login, allow_headers="off") as page:
        page.open("https://app.example.com/")
        assert run(page, LOGIN) == {"status": 200, "url": "https://api.example.net/account/"}
        assert run(page, "return await logout();") == "blocked"
        assert run(page, "return await user();") == "ada"


@pytest.mark.parametrize(
    ("changes", "reaches"),
    [
        pytest.param({}, False, id="refused by the proxy, as the recipe has it"),
        pytest.param({"on_refused": "off"}, True, id="forwarded with the upstream's own Origin, without on_refused"),
    ],
)
def test_a_form_of_a_foreign_site_reaches_the_application_only_without_on_refused(
    changes: dict[str, str], reaches: bool, django_login: Server, sites: Sites
) -> None:
    """`origin: upstream` satisfies Django's check for every page, so the proxy must make it."""
    with sites.page_behind("session-login", django_login, **changes) as page:
        page.open("https://evil.example.org/")
        run(
            page, "await call('/login/?forged', { method: 'POST', mode: 'no-cors', body: new URLSearchParams('a=b') });"
        )
        page.open("https://app.example.com/")
        assert run(page, "return await user();") == ""
        django_login.wait_line(r"^GET /account/ ")
        posts = [line for line in django_login.requests() if line.startswith("POST")]
        assert posts == ([f"POST /login/ {django_login.url}"] if reaches else [])
