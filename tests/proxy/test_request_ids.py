"""Ids for requests that have brought none: never the same twice, and fit for a header and a log."""

from __future__ import annotations

from corsproxy.proxy.fields.lines import FieldLine
from corsproxy.proxy.fields.names import REQUEST_FIELDS
from corsproxy.proxy.request.head import read_request_head
from corsproxy.proxy.request_ids import RequestIds


def test_no_id_comes_twice() -> None:
    """Nor do two workers give out the same."""
    one, other = RequestIds(), RequestIds()
    given = [ids.next() for _ in range(3 * 256 + 5) for ids in (one, other)]
    assert len(set(given)) == len(given)


def test_ids_count_up() -> None:
    """The number behind the hyphen is that of the request, in hexadecimal."""
    ids = RequestIds()
    assert [int(ids.next().partition(b"-")[2], 16) for _ in range(600)] == list(range(1, 601))


def test_the_next_proxy_takes_such_an_id() -> None:
    """It is as this proxy wants those of others."""
    given = RequestIds().next()
    lines = [
        FieldLine(REQUEST_FIELDS[name], name, value) for name, value in ((b"Host", b"h"), (b"X-Request-Id", given))
    ]
    assert read_request_head(lines, 1).request_id == given
