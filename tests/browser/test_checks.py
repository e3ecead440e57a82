"""What Chromium lets a page do through the proxy is what the proxy was configured to allow, and nothing else."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.browser import rows_of_requests as requests
from tests.browser import rows_of_responses as responses
from tests.browser.checks import DEAD, NO_POLICY, PAGES, POLICIES, Check
from tests.browser.chromium import Chromium, Page
from tests.browser.servers import Pages, service
from tests.support.process import Proxy, started
from tests.support.upstream import Upstream

pytestmark = pytest.mark.browser

CHECKS = (
    *requests.ORIGINS,
    *requests.METHODS,
    *requests.REQUEST_HEADERS,
    *requests.CREDENTIALS,
    *responses.RESPONSES,
    *responses.REDIRECTS,
    *responses.CACHING,
    *responses.OTHER_WAYS,
)

HOME = PAGES["home"]

POLICY_NAMES = tuple(line.strip(" :") for line in POLICIES.splitlines() if line.startswith("  ") and line[2] != " ")


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that a check needs: the browser, its pages, the proxy and the service behind it.

    Loading a page takes longer than a script on it, so it stays loaded, in a profile that is emptied for each row.
    """

    home: Page
    elsewhere: Page
    pages: Pages
    neighbours: Pages
    """The same pages on another port: another origin of the same site, so that the browser's cache is one for both."""
    proxy: Proxy
    upstream: Upstream

    def base(self, policy: str, row: str) -> str:
        """Return the URL of a row, under the proxy's name on the site of `home`: cookies stay on one site."""
        return f"http://localhost:{self.proxy.address[1]}/{policy}/{row}"

    def play(self, script: str, page: str, base: str) -> Any:
        """Run a script of the table on a page of an origin, in an empty profile."""
        tab = self.home if page == "home" else self.elsewhere
        origin = self.pages.origin(PAGES[page])
        if tab.evaluate("origin") != origin:
            tab.open(f"{origin}/checks.html")
        tab.forget()
        return tab.evaluate(in_page(script), base)

    def decisions(self, path: str, count: int) -> tuple[str, ...]:
        """Return what the proxy decided of the requests below a path, once it has logged so many."""
        assert self.proxy.stdout is not None
        mark = f'"path":"{path}/'
        self.proxy.stdout.wait_for(lambda lines: sum(mark in line for line in lines) >= count)
        logged = [json.loads(line) for line in self.proxy.stdout.lines if mark in line]
        return tuple(": ".join(filter(None, (each["cors"], each["reason"]))) for each in logged)

    def reached(self, path: str) -> tuple[str, ...]:
        """Return the methods of the requests below a path that reached the upstream."""
        lines = [request.line.decode().split(" ") for request in self.upstream.requests]
        return tuple(method for method, target, _ in lines if target.startswith(f"{path}/"))


def in_page(script: str) -> str:
    """Return a function with a script of the table, to be called with the row's URL."""
    return f"(base) => {{ const at = (what) => `${{base}}/${{what}}`; return {script}; }}"


@pytest.fixture(scope="module")
def stage(chromium: Chromium) -> Iterator[Stage]:
    """One proxy, one upstream and one server of pages for the whole table."""
    with contextlib.ExitStack() as stack:
        silent = stack.enter_context(socket.socket())
        pages, neighbours = stack.enter_context(Pages()), stack.enter_context(Pages())
        upstream = stack.enter_context(Upstream(service))
        silent.bind(("127.0.0.1", 0))  # bound and never listening: nobody else gets the port, and it refuses everybody
        routes = {**{name: name for name in POLICY_NAMES}, DEAD: "app"}
        config = "\n".join(
            (
                "log: {format: json}",
                "limits: {max_body: 6MiB}",
                f"upstreams: {{service: '{upstream.url}', nobody: 'http://127.0.0.1:{silent.getsockname()[1]}'}}",
                POLICIES.replace("{home}", pages.origin(HOME)).replace("{neighbour}", neighbours.origin(HOME)),
                "routes:",
                *(
                    f"  - {{path: /{path}, upstream: {_upstream(path)}, policy: {name}}}"
                    for path, name in routes.items()
                ),
                f"  - {{path: /{NO_POLICY}, upstream: service}}",
            )
        )
        proxy = stack.enter_context(started(config))
        home, elsewhere = stack.enter_context(chromium.page()), stack.enter_context(chromium.page())
        yield Stage(home, elsewhere, pages, neighbours, proxy, upstream)


def _upstream(path: str) -> str:
    return "nobody" if path == DEAD else "service"


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_a_page_may_do_what_the_policy_says_and_nothing_else(stage: Stage, check: Check) -> None:
    """The script's value, the proxy's decisions in order, and the requests that reached the upstream are these."""
    row = str(CHECKS.index(check))
    path, base = f"/{check.policy}/{row}", stage.base(check.policy, row)
    value = stage.play(check.script, check.page, base)
    assert json.loads(json.dumps(value).replace(base, "{base}")) == check.expects
    assert stage.decisions(path, len(check.log)) == check.log
    assert stage.reached(path) == check.upstream


@pytest.mark.parametrize(
    ("policy", "reached"),
    [
        pytest.param("app", ("GET", "GET"), id="where Vary says Origin, each origin has an answer of its own"),
        pytest.param("open", ("GET",), id="where the answer is the same for everyone, one is enough for both"),
    ],
)
def test_the_browser_caches_an_answer_for_whom_it_was_made(stage: Stage, policy: str, reached: tuple[str, ...]) -> None:
    """Two origins of one site read an answer that lasts, one after the other, with one cache between them."""
    base = stage.base(policy, "lasts")
    seen = []
    stage.elsewhere.forget()
    for pages in (stage.pages, stage.neighbours):
        stage.elsewhere.open(f"{pages.origin(HOME)}/checks.html")
        seen.append(stage.elsewhere.evaluate(in_page("attempt(at('lasting')).then((r) => r.text ?? r)"), base))
    assert seen == ["ok", "ok"]
    assert stage.reached(f"/{policy}/lasts") == reached


def test_a_path_without_a_route_grants_nothing(stage: Stage) -> None:
    """The proxy's 404 has no policy, so the page cannot read it."""
    assert stage.play("attempt(at('ok'))", "home", stage.base("nowhere", "x")) == "blocked"
    assert stage.reached("/nowhere") == ()


def test_there_are_many_checks_and_no_two_are_alike() -> None:
    """The table is at least as long as it was asked to be, and each row says something of its own."""
    assert len(CHECKS) >= 25
    assert len({check.id for check in CHECKS}) == len(CHECKS)
