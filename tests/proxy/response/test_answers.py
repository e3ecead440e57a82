"""The proxy's own answers as bytes: status lines, fields, and texts that name the reason and the way out."""

from __future__ import annotations

import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime

import pytest

from corsproxy.cors import Reason
from corsproxy.proxy.response import answers


@pytest.mark.parametrize(
    ("status", "reason", "line"),
    [
        (200, None, b"HTTP/1.1 200 OK\r\n"),
        (417, None, b"HTTP/1.1 417 Expectation Failed\r\n"),
        (599, None, b"HTTP/1.1 599 \r\n"),
        (200, b"", b"HTTP/1.1 200 \r\n"),
        (200, b"Fine \xe4", b"HTTP/1.1 200 Fine \xe4\r\n"),
    ],
)
def test_a_status_line(status: int, reason: bytes | None, line: bytes) -> None:
    """The upstream's phrase where there is one, else the standard's."""
    assert answers.status_line(status, reason) == line


@pytest.mark.parametrize(
    ("status", "length", "head"),
    [
        (204, 0, b"HTTP/1.1 204 No Content\r\nX: 1\r\n"),
        (200, 0, b"HTTP/1.1 200 OK\r\nX: 1\r\nContent-Length: 0\r\n"),
        (
            403,
            5,
            b"HTTP/1.1 403 Forbidden\r\nX: 1\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 5\r\n",
        ),
    ],
)
def test_a_head(status: int, length: int, head: bytes) -> None:
    """RFC 9110 section 8.6: a 204 has no Content-Length; what is empty has no type."""
    assert answers.answer_head(status, b"X: 1\r\n", length=length) == head


def test_the_request_id() -> None:
    """At the end of the text and in a field, so that a log can be searched for it."""
    assert answers.with_id(b"no\n", b"abc") == b"no; request id abc\n"
    assert answers.id_line(b"abc") == b"X-Request-Id: abc\r\n"


def test_what_this_proxy_allows() -> None:
    """For `OPTIONS *` and methods refused here."""
    assert answers.ALLOW_LINE == b"Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n"


NAMED_IN_PREFLIGHTS = [
    Reason.ORIGIN_NOT_ALLOWED,
    Reason.ORIGIN_MALFORMED,
    Reason.METHOD_NOT_ALLOWED,
    Reason.HEADERS_NOT_ALLOWED,
    Reason.NO_POLICY,
    Reason.NO_ROUTE,
]


@pytest.mark.parametrize("reason", NAMED_IN_PREFLIGHTS)
def test_a_refusal_names_its_reason(reason: Reason) -> None:
    """The word of the closed list, and a sentence of its own, on one line."""
    for kind, text in (
        ("preflight", answers.preflight_refusal_text(reason)),
        ("request", answers.refused_text(reason)),
    ):
        begin, sentence = f"{kind} refused: {reason.value}: ".encode(), text.split(b": ")[-1]
        assert text.startswith(begin)
        assert len(sentence.split()) >= 4
        assert text.count(b"\n") == 1
        assert text.endswith(b"\n")
    sentences = {answers.preflight_refusal_text(reason).split(b": ")[-1] for reason in NAMED_IN_PREFLIGHTS}
    assert len(sentences) == len(NAMED_IN_PREFLIGHTS)


def test_a_refusal_without_a_reason() -> None:
    """It says what was refused."""
    assert answers.preflight_refusal_text(None) == b"preflight refused\n"
    assert answers.refused_text(None) == b"request refused\n"
    assert answers.no_method_text() == b"no route of this path accepts the method\n"


WAYS_OUT = [
    # what, the way out in a file, the way out by options; None is that there is none
    (answers.refused_text, Reason.ORIGIN_NOT_ALLOWED, b"under public_origins", b"with --public-origin"),
    (answers.refused_text, Reason.ORIGIN_MALFORMED, None, None),
    (answers.refused_text, Reason.NO_POLICY, None, None),
    (answers.websocket_refused_text, None, b"(websockets: off)", b"(--websockets off)"),
    (answers.websocket_refused_text, Reason.ORIGIN_NOT_ALLOWED, b"'websockets: any'", b"--websockets any"),
    (answers.websocket_refused_text, Reason.ORIGIN_NOT_ALLOWED, b"allow_origins", b"--allow-origin ORIGIN"),
    (answers.websocket_refused_text, Reason.NO_POLICY, *[b"a policy that names the origin"] * 2),
]


@pytest.mark.parametrize(("write", "reason", "in_file", "by_options"), WAYS_OUT)
def test_the_way_out(
    write: Callable[..., bytes], reason: Reason | None, in_file: bytes | None, by_options: bytes | None
) -> None:
    """The remedy fits the configuration: a key with a file, an option without one."""
    for options, own, other in ((False, in_file, by_options), (True, by_options, in_file)):
        said = write(reason, by_options=options)
        assert said.startswith(b"request refused: " + (reason.value.encode() if reason else b"the policy"))
        assert said.endswith(b"\n")
        assert own is None or own in said
        assert own == other or other is None or other not in said
        assert own is not None or b"public" not in said


def test_the_date() -> None:
    """Now, as RFC 9110 section 5.6.7 writes it."""
    before = int(time.time())
    for _ in range(2):
        line = answers.date_line()
        assert line == b"Date: " + answers.date_value() + b"\r\n" or int(time.time()) > before
        said = parsedate_to_datetime(line[len(b"Date: ") : -2].decode())
        assert line.endswith(b" GMT\r\n")
        assert before <= said.timestamp() <= time.time()
