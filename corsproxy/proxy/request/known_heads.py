"""What the field sections that come again say: read once, then copied for each request.

Knows nothing about sockets, routes or policies.
"""

from __future__ import annotations

from typing import Final

from corsproxy.proxy.fields.sections import NO_REFERER, FieldSection
from corsproxy.proxy.request.head import Line, RequestHead, read_request_head
from corsproxy.proxy.table import Table


class _KnownHead:
    """What is read from a kept section, and which of the fields to forward is the Referer."""

    __slots__ = ("head", "referer")

    def __init__(self, head: RequestHead) -> None:
        self.head = head
        self.referer = next((index for index, line in enumerate(head.fields) if line is NO_REFERER), -1)


_KNOWN: Final[Table[FieldSection, _KnownHead]] = Table()


def read_known_head(section: FieldSection, lines: list[Line]) -> RequestHead:
    """Read the field lines of a request whose section comes again, as `read_request_head` does."""
    known = _KNOWN.known.get(section)
    if known is None:
        head = read_request_head(section.lines, 1)
        if head.refusal is not None:  # an exception belongs to one request
            return read_request_head(lines, 1)
        known = _KNOWN.keep(section, len(section.lines), _KnownHead(head))
    head = copied(known.head)
    if known.referer >= 0:
        head.fields[known.referer] = lines[section.referer]
    return head


def copied(head: RequestHead) -> RequestHead:
    """Return one that may be changed without changing `head`."""
    copy = RequestHead(head.minor)
    copy.fields = head.fields.copy()
    copy.chunked = head.chunked
    copy.content_length = head.content_length
    copy.expectation = head.expectation
    copy.forwarded = head.forwarded
    copy.has_references = head.has_references
    copy.host = head.host
    copy.login = head.login
    copy.max_forwards = head.max_forwards
    copy.options = head.options
    copy.origins = head.origins
    copy.refusal = head.refusal
    copy.request_id = head.request_id
    copy.requested_headers = head.requested_headers
    copy.requested_methods = head.requested_methods
    copy.says_length = head.says_length
    copy.te = head.te
    copy.trace_id = head.trace_id
    copy.upgrades = head.upgrades
    copy.via = head.via
    return copy
