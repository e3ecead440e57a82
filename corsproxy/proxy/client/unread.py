"""What is known of a request that could not be read, and the answer to it.

Knows nothing about transports.
"""

from __future__ import annotations

from typing import NamedTuple

from corsproxy.proxy.response.answers import answer_head, date_line, id_line, with_id


class Unread(NamedTuple):
    """An answer to what is no request yet, or not one that can be read, for the log."""

    status: int
    peer: str
    text: bytes
    """Of the answer, without the request's id."""


def last_answer(status: int, text: bytes, request_id: bytes, fields: bytes = b"") -> bytes:
    """Return the answer to what is no request, after which the connection is closed."""
    body = with_id(text, request_id)
    fields += id_line(request_id) + date_line()
    return b"%bConnection: close\r\n\r\n%b" % (answer_head(status, fields, length=len(body)), body)
