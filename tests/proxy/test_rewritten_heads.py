"""Heads whose addresses are turned: each rewriter gets its own lines, and what it writes stands in their place."""

from __future__ import annotations

from dataclasses import replace

import pytest

from corsproxy.proxy.fields.cookies import CookieRewriter
from corsproxy.proxy.fields.destinations import DestinationRewriter
from corsproxy.proxy.fields.edits import FieldEditor
from corsproxy.proxy.fields.redirects import RedirectRewriter
from corsproxy.proxy.fields.referer import OriginRewriter
from corsproxy.proxy.outgoing import edit_fields, rewrite_origin, rewrite_references
from corsproxy.proxy.response.head import interim_head
from corsproxy.settings import CookieRules, FieldEdits, OriginMode, Upstream
from tests.proxy.inside import CONFIG, stage
from tests.proxy.request.test_request_head import going_on, read
from tests.proxy.response.test_response_head import DATE, NONE, PLAIN, head, middle

UPSTREAM = Upstream("up", "http", "up.example", 80, base_path="/base")
PROXY = b"https://proxy.example"

RULES = replace(
    PLAIN,
    redirects=RedirectRewriter.compile(UPSTREAM, "/app"),
    cookies=CookieRewriter.compile(CookieRules(domain="proxy.example", path="rewrite"), UPSTREAM, "/app"),
)


@pytest.mark.parametrize(
    ("line", "turned"),
    [
        (b"Location: http://up.example/base/a", b"Location: https://proxy.example/app/a"),
        (b"LOCATION: /base/a?b", b"LOCATION: /app/a?b"),
        (b"content-location: http://up.example/base/", b"content-location: https://proxy.example/app/"),
        (b"Refresh: 5; url=http://up.example/base/a", b"Refresh: 5; url=https://proxy.example/app/a"),
        (b"REFRESH: 5; URL=/base/a", b"REFRESH: 5; URL=/app/a"),
        (b"Link: <http://up.example/base/a>; rel=next", b"Link: <https://proxy.example/app/a>; rel=next"),
        (b"LINK: </base/a>", b"LINK: </app/a>"),
        (b"Set-Cookie: a=b; Path=/base/c; Domain=up.example", b"Set-Cookie: a=b; Path=/app/c; Domain=proxy.example"),
        (b"X-Location: http://up.example/base/a", b"X-Location: http://up.example/base/a"),
        (b"Location: http://other.example/base/a", b"Location: http://other.example/base/a"),
    ],
)
def test_a_response_line_is_turned_back(line: bytes, turned: bytes) -> None:
    """In its place, with its name as it was spelt; nothing where the route has no such rule."""
    lines = (DATE, b"X-1: 1", line, b"X-2: 2")
    assert middle(head(*lines), NONE, RULES) == [b"X-1: 1", turned, b"X-2: 2"]
    assert middle(head(*lines), NONE, PLAIN) == [b"X-1: 1", line, b"X-2: 2"]


async def test_redirects_keep_leaves_the_lines_as_they_are() -> None:
    """The route then has no such rule; by default it has."""
    for key, location in (("", b"Location: HOST/a"), (", redirects: keep", b"Location: http://127.0.0.1:PORT/a")):
        async with stage(CONFIG.replace('PORT"', f'PORT"{key}')) as it:
            it.writer.write(b"GET /a HTTP/1.1\r\nHost: proxy.example\r\n\r\n")
            asked = await it.asked()
            port = b"%d" % asked.writer.get_extra_info("sockname")[1]
            asked.answer(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:%b/a\r\nContent-Length: 0\r\n\r\n" % port)
            expected = location.replace(b"PORT", port).replace(b"HOST", b"http://proxy.example")
            assert expected in (await it.head()).split(b"\r\n")


def test_the_host_that_the_client_has_sent_is_the_upstream_s_too() -> None:
    """`host: client`: the upstream knows itself by that name alone, also if an edge made it another one."""
    rewriter = RedirectRewriter.compile(replace(UPSTREAM, host_mode="client"), "/app")
    rules, line = replace(PLAIN, redirects=rewriter), b"Link: <http://sent.example/base/a>"
    turned = b"Link: <https://proxy.example/app/a>"
    assert middle(head(DATE, line), NONE, rules, client_host=b"sent.example") == [turned]
    assert middle(head(DATE, line), NONE, rules) == [line]
    early = interim_head(head(line, status=103), rules, PROXY, b"sent.example")
    assert early == b"HTTP/1.1 103 \r\n" + turned + b"\r\n\r\n"


def test_an_interim_link_is_turned_back() -> None:
    """A browser that preloads would ask the upstream."""
    early = head(b"Link: <http://up.example/base/a>; rel=preload", status=103)
    said = interim_head(early, RULES, PROXY, b"proxy.example")
    assert said == b"HTTP/1.1 103 \r\nLink: <https://proxy.example/app/a>; rel=preload\r\n\r\n"


REQUEST = (
    b"X-1: 1",
    b"Origin: https://page.example",
    b"Referer: https://proxy.example/app/form",
    b"X-2: 2",
    b"Destination: https://proxy.example/app/b",
    b"If: <https://proxy.example/app/b> (<urn:x>)",
    b"X-3: https://proxy.example/app/b",
)


@pytest.mark.parametrize(
    ("mode", "said"),
    [
        ("forward", REQUEST[1:3]),
        ("remove", ()),
        ("upstream", (b"Origin: http://up.example", b"Referer: http://up.example/base/form")),
    ],
)
def test_origin_and_referer(mode: OriginMode, said: tuple[bytes, ...]) -> None:
    """In their place, as the key says; every other line stays."""
    made = read(*REQUEST)
    rewrite_origin(made, OriginRewriter.compile(replace(UPSTREAM, origin_mode=mode), "/app"), PROXY)
    assert going_on(made) == [REQUEST[0], *said, *REQUEST[3:]]


def test_references() -> None:
    """Destination and If are rewritten to the upstream's address, and the return value shows whether any was."""
    destinations = DestinationRewriter.compile(UPSTREAM, "/app", lambda path: b"/base" + path.removeprefix(b"/app"))
    made = read(*REQUEST)
    assert rewrite_references(made, destinations, b"up.example", PROXY)
    turned = [b"Destination: http://up.example/base/b", b"If: <http://up.example/base/b> (<urn:x>)"]
    assert going_on(made) == [*REQUEST[:4], *turned, REQUEST[6]]
    for lines in ((b"Destination: https://other.example/b", b"If: (<urn:x>)"), ()):
        made = read(*lines)
        assert not rewrite_references(made, destinations, b"up.example", PROXY)
        assert going_on(made) == list(lines)
    made = read(REQUEST[4], b"If: (<urn:x>)")
    assert rewrite_references(made, destinations, b"up.example", PROXY), "one is enough, whichever it is"


def test_edited_fields() -> None:
    """What is set or removed is left out of what the client sent."""
    editor = FieldEditor.compile(FieldEdits((("x-1", "n"),), ("Referer",)), folds=True)
    assert editor is not None
    made = read(*REQUEST, b"X_1: 3")
    edit_fields(made, editor)
    assert going_on(made) == [REQUEST[1], *REQUEST[3:]]
