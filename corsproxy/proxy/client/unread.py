"""The answer to a request that cannot be read.

Knows nothing about transports.
"""

from __future__ import annotations

from typing import NamedTuple

from corsproxy.proxy.response.answers import answer_head, date_line, id_line, with_id


class Unread(NamedTuple):
    """An answer to a request that cannot be read, or to a connection over the limit, for the log."""

    status: int
    peer: str
    text: bytes
    """The text of the answer, without the request id."""


def last_answer(status: int, text: bytes, request_id: bytes, fields: bytes = b"") -> bytes:
    """Return the answer to a request that cannot be read, after which the connection is closed."""
    body = with_id(text, request_id)
    fields += id_line(request_id) + date_line()
    return b"%bConnection: close\r\n\r\n%b" % (answer_head(status, fields, length=len(body)), body)
