"""What Chromium keeps of an upstream's cookies on plain HTTP, off loopback, where it keeps no Secure ones."""

from __future__ import annotations

import pytest

from tests.browser.chromium import Chromium
from tests.support.process import started
from tests.support.upstream import Upstream

pytestmark = pytest.mark.browser

COOKIES = (
    b"none=1; Secure; SameSite=None",
    b"partitioned=1; Secure; Partitioned",
    b"both=1; Path=/; Secure; SameSite=none; Partitioned",
    b"secure=1; Secure",
    b"plain=1",
)
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 4\r\n%b\r\npage" % b"".join(
    b"Set-Cookie: %b\r\n" % cookie for cookie in COOKIES
)
HOST = "old.example.test"


@pytest.mark.parametrize(
    ("edit", "kept"),
    [
        pytest.param("{secure: remove}", {"none", "partitioned", "both", "secure", "plain"}, id="Secure taken off"),
        pytest.param("{}", {"plain"}, id="as they come"),
    ],
)
def test_a_cookie_whose_secure_is_taken_off_is_kept(chromium: Chromium, edit: str, kept: set[str]) -> None:
    """Without the other two edits that go with it, Chromium would throw the first three away."""
    config = "upstreams: {{a: {{url: '{url}', cookies: {edit}}}}}\nroutes: [{{path: /, upstream: a}}]\n"
    with (
        Upstream.answering(ANSWER) as upstream,
        started(config.format(url=upstream.url, edit=edit)) as proxy,
        chromium.page() as page,
    ):
        page.open(f"http://{HOST}:{proxy.address[1]}/")
        cookies = str(page.evaluate("() => document.cookie"))
    assert {cookie.partition("=")[0] for cookie in cookies.split("; ")} == kept
