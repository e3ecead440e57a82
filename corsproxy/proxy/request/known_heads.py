"""Request heads of repeated field sections: read once, then copied for each request.

Knows nothing about sockets, routes or policies.
"""

from __future__ import annotations

from typing import Final

from corsproxy.proxy.fields.sections import NO_REFERER, FieldSection
from corsproxy.proxy.request.head import Line, RequestHead, read_request_head
from corsproxy.proxy.table import Table


class _KnownHead:
    """The head of a cached section, and the index of the Referer in the head's `fields`; -1 if there is none."""

    __slots__ = ("head", "referer")

    def __init__(self, head: RequestHead) -> None:
        self.head = head
        self.referer = next((index for index, line in enumerate(head.fields) if line is NO_REFERER), -1)


_KNOWN: Final[Table[FieldSection, _KnownHead]] = Table()


def read_known_head(section: FieldSection, lines: list[Line]) -> RequestHead:
    """Return what `read_request_head` returns for these lines, whose section is cached."""
    known = _KNOWN.known.get(section)
    if known is None:
        head = read_request_head(section.lines, 1)
        if head.refusal is not None:  # not shared: an exception gets a traceback when it is raised
            return read_request_head(lines, 1)
        known = _KNOWN.keep(section, len(section.lines), _KnownHead(head))
    head = copied(known.head)
    if known.referer >= 0:
        head.fields[known.referer] = lines[section.referer]
    return head


def copied(head: RequestHead) -> RequestHead:
    """Return a copy that may be changed without changing `head`."""
    copy = RequestHead(head.minor)
    copy.fields = head.fields.copy()
    copy.chunked = head.chunked
    copy.content_length = head.content_length
    copy.expect = head.expect
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
    copy.has_length_field = head.has_length_field
    copy.te = head.te
    copy.trace_id = head.trace_id
    copy.upgrades = head.upgrades
    copy.via = head.via
    return copy
