"""What a section that comes again says is what its lines say, and no request sees another's."""

from __future__ import annotations

import inspect

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corsproxy.proxy.client.head import ParsedHead
from corsproxy.proxy.client.plain_head import read_plain_head
from corsproxy.proxy.errors import Refusal
from corsproxy.proxy.fields.lines import FieldLine
from corsproxy.proxy.fields.names import REQUEST_FIELDS
from corsproxy.proxy.fields.sections import FieldSection
from corsproxy.proxy.request.head import RequestHead, read_request_head
from corsproxy.proxy.request.known_heads import copied, read_known_head

LINES = [
    b"Accept: a/b",
    b"Access-Control-Request-Headers: x-a, x-b",
    b"Access-Control-Request-Method: PUT",
    b"Connection: Keep-Alive",
    b"Content-Length: 0",
    b"Origin: https://app.example.com",
    b"Origin: null",
    b"Referer: https://app.example.com/one",
    b"TE: trailers",
    b"Via: 1.1 edge",
]

# A compiled class keeps no `__slots__`, and its properties look like its slots.
SLOTS = {name for name, kind in vars(RequestHead).items() if inspect.isdatadescriptor(kind)} - {
    "__weakref__",
    "has_content",
    "wants_trailers",
}
NAMES = sorted(SLOTS - {"refusal"})


def parsed(lines: list[bytes]) -> ParsedHead:
    """Return a head of these lines, of a section that is known if it can be."""
    data = b"\r\n".join((b"GET / HTTP/1.1", b"Host: h", *lines, b"", b""))
    head = [read_plain_head(data, 100) for _ in range(3)][-1]
    assert head is not None
    return head


def said(head: RequestHead) -> dict[str, object]:
    """Return all there is to know of it."""
    return {name: getattr(head, name) for name in NAMES} | {"fields": [line.line for line in head.fields]}


@given(st.lists(st.sampled_from(LINES), unique=True).flatmap(st.permutations))
def test_a_known_section_says_what_its_lines_say(lines: list[bytes]) -> None:
    """With and without a Referer, in any order, the first time and again."""
    head = parsed(lines)
    assert head.section is not None
    wanted = said(read_request_head(head.lines, 1))
    for _ in range(2):
        assert said(read_known_head(head.section, head.lines)) == wanted


def test_a_section_is_read_once() -> None:
    """What it says is then at hand: to read it again would cost what it saves."""
    head = parsed([b"Accept: a/b", b"Origin: https://app.example.com"])
    assert head.section is not None
    first, again = (read_known_head(head.section, head.lines) for _ in range(2))
    assert first is not again
    assert first.origins is again.origins


def test_a_refusal_is_one_requests() -> None:
    """An exception that is raised for two requests would tell of both, in the log of either."""
    lines = [FieldLine(REQUEST_FIELDS[name], name, value) for name, value in ((b"Host", b"h"), (b"Expect", b"x"))]
    section = FieldSection(lines, -1, keep_alive=True)
    first, again = (read_known_head(section, lines) for _ in range(2))
    assert None not in (first.refusal, again.refusal)
    assert first.refusal is not again.refusal
    assert said(first) == said(again) == said(read_request_head(lines, 1))


FILLED = [name + b": " + b"a" * 400 for name in (b"Accept", b"Accept-Language", b"Cache-Control", b"Pragma")]
"""Most of a section, in lines that are short enough to be remembered."""


@pytest.mark.parametrize(
    ("others", "size", "is_kept"),
    [
        pytest.param([], 2048, True, id="the longest"),
        pytest.param([], 2049, False, id="a byte more"),
        pytest.param([b"Referer: https://app.example.com/" + b"a" * 200], 2048, True, id="a Referer apart"),
        pytest.param([b"Referer: https://app.example.com/"], 2049, False, id="a byte more, a Referer apart"),
        pytest.param([b"Cookie: a=b"], 2048, False, id="a cookie"),
        pytest.param([b"Referer: https://app.example.com/", b"Cookie: a=b"], 2048, False, id="a cookie and a Referer"),
        pytest.param([b"referer: https://app.example.com/"], 2048, False, id="a Referer in other letters"),
    ],
)
def test_which_sections_are_kept(others: list[bytes], size: int, is_kept: bool) -> None:
    """Those of a few lines that say nothing of a person; the page that one looks at is never among them."""
    apart = sum(len(line) + 2 for line in others if line.startswith(b"Referer"))
    lines = [*FILLED, *others, b"User-Agent: "]
    lines[-1] += b"a" * (size + apart - len(b"\r\n".join((b"", b"Host: h", *lines, b"", b""))))
    assert (parsed(lines).section is not None) is is_kept


def test_each_request_has_its_own_referer() -> None:
    """Of one section, one behind the other."""
    for page in (b"one", b"two", b"one"):
        head = parsed([b"Accept: a/b", b"Referer: https://app.example.com/" + page])
        assert head.section is not None
        fields = [line.line for line in read_known_head(head.section, head.lines).fields]
        assert fields == [b"Accept: a/b\r\n", b"Referer: https://app.example.com/" + page + b"\r\n"]


def test_what_one_request_changes_no_other_sees() -> None:
    """The fields are taken out of a head once they are written, and some are rewritten before."""
    head = parsed([b"Accept: a/b"])
    assert head.section is not None
    first = read_known_head(head.section, head.lines)
    wanted = said(first)
    first.fields.clear()
    first.host = b"other"
    assert said(read_known_head(head.section, head.lines)) == wanted


def test_a_copy_is_whole() -> None:
    """No slot is forgotten."""
    head = RequestHead(0)
    marks: dict[str, object] = {
        "chunked": True, "content_length": 7, "expect": b"a", "forwarded": ((b"a", b"b"),),
        "has_references": True, "host": b"h", "login": b"NTLM", "max_forwards": 3, "options": (b"a",),
        "origins": (b"o",), "refusal": Refusal(400, "a"), "request_id": b"i", "requested_headers": (b"x",),
        "requested_methods": (b"PUT",), "has_length_field": True, "te": (b"t",), "trace_id": b"r", "upgrades": (b"u",),
        "via": (b"v",),
    }  # fmt: skip
    assert {*marks, "fields", "minor"} == SLOTS
    for name, mark in marks.items():
        setattr(head, name, mark)
    copy = copied(head)
    assert {name: getattr(copy, name) for name in (*marks, "minor")} == {**marks, "minor": 0}
    assert copy.fields == head.fields
    assert copy.fields is not head.fields


def test_a_host_that_is_none_is_refused_each_time() -> None:
    """The refusal is the request's, and nothing is kept of it."""
    for _ in range(3):
        data = b"GET / HTTP/1.1\r\nHost: a b\r\nAccept: a/b\r\n\r\n"
        head = [read_plain_head(data, 100) for _ in range(3)][-1]
        assert head is not None
        assert head.section is not None
        with pytest.raises(Refusal, match="not a host name"):
            read_known_head(head.section, head.lines)
