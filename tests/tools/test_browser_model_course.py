"""The whole course of a request: where it ends, redirects, credentials and remarks, against the Fetch standard."""

from __future__ import annotations

import pytest

from corsproxy.tools.browser import Answer, Check, Credentials, Outcome, PageRequest, Play, Sent, Step, play, urls
from tests.tools.browser_rows import PAGE, URL, allow, asked, row


def failed(played: Play) -> Check | None:
    """The check that decided against it."""
    return played.failure.check if played.failure else None


GRANT = Answer(204, (*allow(PAGE), ("Access-Control-Allow-Methods", "PUT"), ("Access-Control-Allow-Headers", "X-A")))


@pytest.mark.parametrize(
    ("request_", "answers", "check", "sends"),
    [
        row("a granted GET", PageRequest(URL, PAGE), [Answer(200, allow(PAGE))], None, 1),
        row("a granted PUT is preflight and request", PageRequest(URL, PAGE, "PUT"), [GRANT, GRANT], None, 2),
        row(
            "a refused preflight keeps the request at home",
            PageRequest(URL, PAGE, "PUT"),
            [Answer(403)],
            Check.PREFLIGHT_CORS,
            1,
        ),
        row("a method refused", PageRequest(URL, PAGE, "DELETE"), [GRANT], Check.PREFLIGHT_METHOD, 1),
        row("a header refused", PageRequest(URL, PAGE, "PUT", (("X-B", "1"),)), [GRANT], Check.PREFLIGHT_HEADERS, 1),
        row("the request itself without a grant", PageRequest(URL, PAGE, "PUT"), [GRANT, Answer(200)], Check.CORS, 2),
        row("an error with its grant can be read", PageRequest(URL, PAGE), [Answer(500, allow(PAGE))], None, 1),
        row("an error without a grant is blocked", PageRequest(URL, PAGE), [Answer(502)], Check.CORS, 1),
        row("no answer to a preflight", PageRequest(URL, PAGE, "PUT"), [None], Check.PREFLIGHT_ANSWER, 1),
        row("no answer to the request", PageRequest(URL, PAGE), [None], Check.ANSWER, 1),
        row("the same origin needs no grant", PageRequest(f"{PAGE}/x", PAGE, "PUT"), [Answer(200)], None, 1),
        row("TRACE throws", PageRequest(URL, PAGE, "trace"), [], Check.REQUEST, 0),
        row("a method with a space throws", PageRequest(URL, PAGE, "GE T"), [], Check.REQUEST, 0),
        row("a header name with a space throws", PageRequest(URL, PAGE, "GET", (("X A", "1"),)), [], Check.REQUEST, 0),
        row(
            "a header value with a line end throws",
            PageRequest(URL, PAGE, "GET", (("A", "1\r\nB: 2"),)),
            [],
            Check.REQUEST,
            0,
        ),
        row("a URL with a password throws", PageRequest("https://u:p@api.example.net/", PAGE), [], Check.URL, 0),
        row("a blocked port", PageRequest("https://api.example.net:6000/", PAGE), [], Check.URL, 0),
        row("mixed content", PageRequest("http://api.example.net/", PAGE), [], Check.URL, 0),
        row(
            "loopback is no mixed content",
            PageRequest("http://localhost:8080/", PAGE),
            [Answer(200, allow("*"))],
            None,
            1,
        ),
        row("a URL of another scheme", PageRequest("ftp://api.example.net/", PAGE), [], Check.URL, 0),
    ],
)
def test_course(request_: PageRequest, answers: list[Answer | None], check: Check | None, sends: int) -> None:
    """A request ends at this check, after so many messages."""
    played = asked(request_, *answers)
    assert (failed(played), len(played.exchanges)) == (check, sends)
    assert played.allowed is (check is None)


def test_every_step_links_to_a_standard() -> None:
    """No check is without its section."""
    assert all(Step(check, Outcome.PASSED, "").section.startswith("https://") for check in Check)


def to(location: str, *fields: tuple[str, str], status: int = 302) -> Answer:
    """A redirect."""
    return Answer(status, (*fields, ("Location", location)))


A, B, C = "https://a.example", "https://b.example", "https://c.example"


@pytest.mark.parametrize(
    ("request_", "answers", "check", "origins"),
    [
        row("a redirect needs the grant itself", PageRequest(f"{B}/1", A), [to(f"{B}/2")], Check.CORS, [A]),
        row(
            "a redirect within the other origin keeps Origin",
            PageRequest(f"{B}/1", A),
            [to("/2", *allow(A)), Answer(200, allow(A))],
            None,
            [A, A],
        ),
        row(
            "a redirect to a third origin turns Origin null",
            PageRequest(f"{B}/1", A),
            [to(f"{C}/", *allow(A)), Answer(200, allow(A))],
            Check.CORS,
            [A, "null"],
        ),
        row(
            "null can be granted after that",
            PageRequest(f"{B}/1", A),
            [to(f"{C}/", *allow("*")), Answer(200, allow("null"))],
            None,
            [A, "null"],
        ),
        row(
            "a redirect from the page's own origin keeps Origin",
            PageRequest(f"{A}/1", A),
            [to(f"{B}/"), Answer(200, allow(A))],
            None,
            [None, A],
        ),
        row(
            "a redirect back to the page's own origin is still judged, as null",
            PageRequest(f"{B}/1", A),
            [to(f"{A}/2", *allow(A)), Answer(200)],
            Check.CORS,
            [A, "null"],
        ),
        row(
            "a Location with a password is refused",
            PageRequest(f"{B}/1", A),
            [to("https://u:p@b.example/", *allow(A))],
            Check.REDIRECT,
            [A],
        ),
        row(
            "a Location that is no http URL is refused",
            PageRequest(f"{B}/1", A),
            [to("data:,x", *allow(A))],
            Check.REDIRECT,
            [A],
        ),
        row("a redirect without Location is an answer", PageRequest(f"{B}/1", A), [Answer(302, allow(A))], None, [A]),
        row("a 304 is no redirect", PageRequest(f"{B}/1", A), [Answer(304, allow(A))], None, [A]),
        row(
            "the 21st redirect is refused",
            PageRequest(f"{B}/1", A),
            [to("/1", *allow(A))] * 21,
            Check.REDIRECT,
            [A] * 21,
        ),
        row(
            "a redirect of a preflight fails",
            PageRequest(f"{B}/1", A, "PUT"),
            [to("/2", *allow(A))],
            Check.PREFLIGHT_STATUS,
            [A],
        ),
    ],
)
def test_redirects(
    request_: PageRequest, answers: list[Answer], check: Check | None, origins: list[str | None]
) -> None:
    """Redirects are judged hop by hop, and Origin is what the standard makes of it."""
    played = asked(request_, *answers)
    assert failed(played) is check
    assert [exchange.sent.origin for exchange in played.exchanges] == origins


@pytest.mark.parametrize(
    ("status", "method", "then"),
    [(301, "POST", "GET"), (302, "POST", "GET"), (303, "PUT", "GET"), (303, "HEAD", "HEAD"), (307, "POST", "POST"),
     (308, "POST", "POST"), (302, "PUT", "PUT"), (301, "GET", "GET")],
)  # fmt: skip
def test_method_after_redirect(status: int, method: str, then: str) -> None:
    """301 and 302 turn POST into GET, 303 everything but GET and HEAD, 307 and 308 nothing."""
    grant = Answer(204, (*allow(A), ("Access-Control-Allow-Methods", "*")))
    sent: list[Sent] = []

    def server(message: Sent) -> Answer:
        if message.kind == "preflight":
            return grant
        sent.append(message)
        return to("/2", *allow(A), status=status) if len(sent) == 1 else Answer(200, allow(A))

    assert play(PageRequest(f"{B}/1", A, method), server).allowed
    assert [message.method for message in sent] == [method, then]


def test_authorization_is_dropped_at_another_origin() -> None:
    """A redirect to another origin takes Authorization off, and so the need for its permission."""
    grant = Answer(204, (*allow(A), ("Access-Control-Allow-Headers", "authorization")))
    request = PageRequest(f"{B}/1", A, headers=(("Authorization", "secret"),))
    played = asked(request, grant, to(f"{C}/", *allow(A)), Answer(200, allow("*")))
    assert played.allowed
    assert [exchange.sent.kind for exchange in played.exchanges] == ["preflight", "actual", "actual"]
    assert "secret" not in str(played.exchanges[-1].sent)


def test_a_redirected_request_has_a_preflight_of_its_own() -> None:
    """The second hop is asked for permission like the first."""
    grant = Answer(204, (*allow(A), ("Access-Control-Allow-Methods", "PUT")))
    played = asked(
        PageRequest(f"{B}/1", A, "PUT"), grant, to("/2", *allow(A), status=307), grant, Answer(200, allow(A))
    )
    assert [exchange.sent.kind for exchange in played.exchanges] == ["preflight", "actual"] * 2
    assert played.allowed


@pytest.mark.parametrize(
    ("url", "mode", "sends"),
    [
        row("include sends cookies to another origin", URL, Credentials.INCLUDE, True),
        row("same-origin sends none to another origin", URL, Credentials.SAME_ORIGIN, False),
        row("omit sends none", URL, Credentials.OMIT, False),
        row("same-origin sends them to its own", f"{PAGE}/x", Credentials.SAME_ORIGIN, True),
        row("omit sends none to its own", f"{PAGE}/x", Credentials.OMIT, False),
    ],
)
def test_cookies(url: str, mode: Credentials, sends: bool) -> None:
    """Cookies go out exactly where the credentials mode lets them."""
    played = play(PageRequest(url, PAGE, credentials=mode, cookie="a=b"), lambda _: None)
    assert (("Cookie", "a=b") in played.exchanges[0].sent.headers) is sends


@pytest.mark.parametrize(
    ("origin", "url", "remark"),
    [
        row("a public page that asks loopback", PAGE, "http://localhost:8000/", "asks the user"),
        row("a public page that asks a private address", PAGE, "https://192.168.1.9/", "asks the user"),
        row("a public page without HTTPS that asks loopback", "http://app.example.com", "http://127.0.0.1/", "refuses"),
        row("a loopback page that asks loopback", "http://localhost:3000", "http://127.0.0.1:8000/", None),
        row("a public page that asks a public address", PAGE, URL, None),
        row("a private page that asks loopback", "http://192.168.1.5", "http://[::1]:80/", "refuses"),
    ],
)
def test_local_network_access(origin: str, url: str, remark: str | None) -> None:
    """Asking something nearer than oneself is remarked on, and never decides."""
    played = play(PageRequest(url, origin), lambda _: Answer(200, allow("*")))
    said = [step.why for step in played.steps if step.check is Check.LOCAL_NETWORK]
    assert played.allowed
    assert len(said) == (remark is not None)
    assert remark is None or remark in said[0]


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://Example.COM:443/x", "https://example.com"),
        ("http://example.com:8080", "http://example.com:8080"),
        ("http://[::1]:80/", "http://[::1]"),
        ("https://bücher.example/", "https://xn--bcher-kva.example"),
        ("https://example.com:99999/", None),
        ("file:///x", None),
    ],
)
def test_origin_of(url: str, origin: str | None) -> None:
    """An origin is serialized as HTML says."""
    assert urls.origin_of(url) == origin
