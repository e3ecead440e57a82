"""In development each refusal is a line on the terminal that says what to do."""

from __future__ import annotations

import pytest

from corsproxy.cors import Reason
from corsproxy.proxy import RequestRecord
from corsproxy.server.observe.terminal import FIXES, refusal_line
from tests.server.setup import OTHER, ask, config
from tests.support.process import started
from tests.support.upstream import Upstream

ONLY_A_BROWSER = {Reason.CREDENTIALS_NOT_ALLOWED, Reason.NO_ROUTE}
"""Reasons that a running proxy cannot have: it does not see the credentials mode, and no route is a 404."""


def test_a_refusal_in_quick_mode_is_a_line_with_the_fix_whatever_the_log_level() -> None:
    """A refused preflight and a refused request each say it; granted ones and those without Origin say nothing."""
    with (
        Upstream() as upstream,
        started(None, "--upstream", upstream.url, "--log-level", "error") as proxy,
    ):
        ask(proxy.address, "/granted", Origin="http://localhost:1")
        ask(proxy.address, "/plain")
        ask(proxy.address, "/a?secret=1", Origin=OTHER)
        ask(proxy.address, "/b", "OPTIONS", Origin=OTHER, Access_Control_Request_Method="PUT")
        ask(proxy.address, "/c", Origin="null")
        proxy.stderr.wait_for(lambda lines: sum(line.startswith("refused ") for line in lines) == 3)
        said = [line for line in proxy.stderr.lines if line.startswith("refused ")]
    assert said[0].startswith(f"refused GET /a from {OTHER}: origin_not_allowed: ")
    assert f"--allow-origin {OTHER}" in said[0]
    assert said[1].startswith(f"refused PUT /b from {OTHER}: origin_not_allowed: ")
    assert "serve it over HTTP" in said[2]
    assert "secret" not in proxy.stderr.text


def test_with_a_file_the_terminal_is_left_alone() -> None:
    """In production refusals are in the access log and the metrics."""
    with Upstream() as upstream, started(config(upstream), "--log-format", "json") as proxy:
        ask(proxy.address, Origin=OTHER)
        assert proxy.access_log(at_least=1)[0]["reason"] == "origin_not_allowed"
        assert proxy.stop() == 0
        assert "refused" not in proxy.stderr.text


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason not in ONLY_A_BROWSER])
def test_every_reason_has_a_fix_on_one_line(reason: Reason) -> None:
    """Whatever the client sent, the line is one and every place in the text is filled."""
    record = RequestRecord("OPTIONS", 0.0, "127.0.0.1")
    record.raw_path = b"/a\n\x1b[31m"
    record.origin, record.requested_method, record.requested_headers = b"https://{x}.example", b"PUT", b"x-a\r\n"
    assert reason in FIXES
    line = refusal_line(record, reason)
    assert line.isprintable()
    assert line.startswith("refused PUT /a\\n\\x1b[31m from https://{x}.example: " + reason.value)


@pytest.mark.parametrize(
    ("asked", "headers", "line"),
    [
        (
            "DELETE",
            None,
            "method_not_allowed: the method DELETE is not allowed; start corsproxy with --allow-method DELETE ",
        ),
        ("patch", None, "answers 501 to the method patch, whatever is allowed; have the page write PATCH"),
        ("FOO", None, "answers 501 to the method FOO, whatever is allowed"),
        ("PUT", "x-b", "headers_not_allowed: a header of x-b is not allowed; start corsproxy with --allow-header "),
    ],
)
def test_a_refused_method_or_header_names_the_option_that_allows_it(asked: str, headers: str | None, line: str) -> None:
    """The advice is accepted by the program when followed: no file is needed, and no option that it would refuse."""
    page = "https://page.example.com"
    options = ("--allow-origin", page, "--allow-method", "PUT", "--allow-header", "X-A")
    fields = {"Access_Control_Request_Method": asked} | ({"Access_Control_Request_Headers": headers} if headers else {})
    with Upstream() as upstream, started(None, "--upstream", upstream.url, *options) as proxy:
        ask(proxy.address, "/a", "OPTIONS", None, Origin=page, **fields)
        proxy.stderr.wait_line("^refused ")
        assert line in proxy.stderr.text


COOKIES = b"".join(
    b"Set-Cookie: %b\r\n" % value
    for value in (
        b"sid=hush1; SameSite=None",
        b"kept=hush2; Domain=legacy.internal; Path=/",
        b"__Host-id=hush3; Secure",
        b"sid=hush4; SameSite=None",
    )
)
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n%b\r\nok"


def test_a_cookie_that_the_browser_will_throw_away_is_one_line_in_quick_mode() -> None:
    """Once for each name, with the reason and never a value; what quick mode mends itself is no loss."""
    with (
        Upstream.answering(ANSWER % COOKIES) as upstream,
        started(None, "--upstream", upstream.url) as proxy,
    ):
        for _ in range(3):
            ask(proxy.address, "/login?secret=1")
        ask(proxy.address, "/end", Origin=OTHER)
        proxy.stderr.wait_line("^refused GET /end ")
        assert proxy.stop() == 0
        said = [line for line in proxy.stderr.lines if "will be rejected" in line]
    assert [line.partition(":")[0] for line in said] == [
        f"the cookie {name} of GET /login will be rejected by the browser" for name in ("sid", "__Host-id")
    ]
    assert "SameSite=None without Secure" in said[0]
    assert "needs Path=/" in said[1]
    assert "hush" not in proxy.stderr.text
    assert "secret" not in proxy.stderr.text


def test_a_cookie_withheld_from_a_page_of_another_site_is_one_line() -> None:
    """The page came by 127.0.0.1 and asks localhost: the line names the address to open it under."""
    with (
        Upstream.answering(ANSWER % b"Set-Cookie: sid=hush; SameSite=Lax\r\n") as upstream,
        started(None, "--upstream", upstream.url) as proxy,
    ):
        ask(proxy.address, "/login", Host="localhost:8080", Origin="http://localhost:5173")
        for _ in range(2):
            ask(proxy.address, "/login", Host="localhost:8080", Origin="http://127.0.0.1:5173")
        ask(proxy.address, "/end", Origin=OTHER)
        proxy.stderr.wait_line("^refused GET /end ")
        said = [line for line in proxy.stderr.lines if "will be rejected" in line]
    expected = (
        "the cookie sid of GET /login will be rejected by the browser: SameSite=Lax in an answer to a page of "
        "another site, http://127.0.0.1:5173; open the page under the host it asks (localhost): "
        "localhost and 127.0.0.1 are two sites"
    )
    assert said == [expected]


def test_an_upstream_that_makes_up_cookie_names_is_reported_at_most_a_hundred_times() -> None:
    """The terminal, and what it remembers, are bounded."""
    cookies = b"".join(b"Set-Cookie: c%d=x; Partitioned\r\n" % number for number in range(60))
    with (
        Upstream.answering(ANSWER % cookies) as upstream,
        started(None, "--upstream", upstream.url, "--route", f"/b={upstream.url}") as proxy,
    ):
        ask(proxy.address)
        ask(proxy.address, "/b")
        ask(proxy.address, "/end", Origin=OTHER)
        proxy.stderr.wait_line("^refused GET /end ")
        assert sum("will be rejected" in line for line in proxy.stderr.lines) == 100


def test_with_a_file_lost_cookies_are_not_looked_for() -> None:
    """With a file, its own `cookies` key decides."""
    with Upstream.answering(ANSWER % COOKIES) as upstream, started(config(upstream)) as proxy:
        ask(proxy.address)
        assert proxy.stop() == 0
        assert "will be rejected" not in proxy.stderr.text
