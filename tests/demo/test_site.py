"""The demo's page is whole in itself, and its API is as wrong as it says."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest
from aiohttp.test_utils import TestClient, TestServer

from corsproxy.tools.demo.legacy import legacy_api
from corsproxy.tools.demo.site import site

PAGE = files("corsproxy.tools.demo") / "page"


@pytest.mark.parametrize("name", ["index.html", "style.css", "app.js"])
def test_nothing_is_loaded_from_outside(name: str) -> None:
    """No file of the page names another host."""
    assert re.findall(r"(?:https?:)?//[a-z0-9]+\.[a-z]", (PAGE / name).read_text(encoding="utf-8")) == []


async def test_the_page_is_served_with_a_policy_that_allows_itself_and_the_two_servers() -> None:
    """The Content-Security-Policy names what the page may ask, and nothing else."""
    application = site(lambda: {"calls": []}, ("http://api.test", "http://proxy.test"))
    async with TestClient(TestServer(application)) as client:
        for path, content_type in (("/", "text/html"), ("/style.css", "text/css"), ("/app.js", "text/javascript")):
            response = await client.get(path)
            assert (response.status, response.content_type) == (200, content_type)
            assert response.headers["Content-Security-Policy"].endswith(
                "; connect-src 'self' http://api.test http://proxy.test"
            )
        assert await (await client.get("/demo.json")).json() == {"calls": []}


WRONG = [
    pytest.param("GET", "/orders", 200, ["http://legacy.invalid"] * 2, id="two lines with another origin"),
    pytest.param("OPTIONS", "/orders/7", 405, [], id="no answer to a preflight"),
    pytest.param("GET", "/account", 200, ["*"], id="a star beside credentials"),
    pytest.param("GET", "/reports/2019", 500, [], id="nothing on an error"),
]


@pytest.mark.parametrize(("method", "path", "status", "origins"), WRONG)
async def test_the_api_gets_cors_wrong(method: str, path: str, status: int, origins: list[str]) -> None:
    """Each path has a different mistake."""
    async with TestClient(TestServer(legacy_api())) as client:
        response = await client.request(method, path, headers={"Origin": "http://page.test"})
        assert response.status == status
        assert response.headers.getall("Access-Control-Allow-Origin", []) == origins


@pytest.mark.parametrize(
    ("path", "content", "status"),
    [
        pytest.param("/orders/7", '{"quantity": 3}', 200, id="an order that is there"),
        pytest.param("/orders/1", '{"quantity": 3}', 404, id="an order that is not there"),
        pytest.param("/orders/7", "quantity=3", 400, id="no JSON"),
        pytest.param("/orders/7", '{"quantity": "many"}', 400, id="no number"),
        pytest.param("/orders/7", "[]", 400, id="no object"),
    ],
)
async def test_the_api_answers_a_put_as_an_api_does(path: str, content: str, status: int) -> None:
    """A person who plays with the demo gets sensible answers."""
    async with TestClient(TestServer(legacy_api())) as client:
        assert (await client.put(path, data=content)).status == status


@pytest.mark.parametrize(("cookie", "visits"), [("4", 5), ("many", 1), ("9" * 30, 1)])
async def test_the_api_counts_visits_in_a_cookie(cookie: str, visits: int) -> None:
    """Whatever the cookie holds, the answer is a count."""
    async with TestClient(TestServer(legacy_api())) as client:
        response = await client.get("/account", headers={"Cookie": f"legacy_visits={cookie}"})
        assert (await response.json())["visits"] == visits
        assert response.cookies["legacy_visits"].value == str(visits)
