"""The general parser of a response's head, for whatever `plain_head` leaves to it, obsolete forms included.

Knows nothing about sockets or state: the bytes of one head in, a head out.
"""

from __future__ import annotations

import re

from corsproxy.proxy.fields.lines import FieldLine
from corsproxy.proxy.fields.names import RESPONSE_FIELDS, ResponseField
from corsproxy.proxy.upstream.field_section import CONTROLS, read_field_lines, split_lines
from corsproxy.proxy.upstream.framing import settle
from corsproxy.proxy.upstream.head import ResponseHead
from corsproxy.proxy.upstream.oddity import Oddities, protocol_error

_STATUS_LINE = re.compile(rb"HTTP/1\.([0-9]) ([0-9]{3})(?: (.*))?", re.DOTALL)
"""As in RFC 9112 section 4, but the space before an empty reason phrase may be missing; a higher minor version is read
as HTTP/1.1 (RFC 9110 section 2.5)."""


def read_head(section: bytes, oddities: Oddities, *, is_head_request: bool, expects_upgrade: bool) -> ResponseHead:
    """Parse a head, given without the empty line; raises `UpstreamError`."""
    lines = split_lines(section)
    match = _STATUS_LINE.fullmatch(lines[0])
    if match is None:
        raise protocol_error("no valid HTTP/1 status line")
    head = ResponseHead()
    head.minor = min(int(match[1]), 1)
    head.status = int(match[2])
    reason = match[3] or b""
    head.reason = b"" if CONTROLS.search(reason) else reason
    if head.status < 100:
        raise protocol_error(f"status {head.status:03}")
    head.fields = [
        FieldLine(RESPONSE_FIELDS[name], name, value) for name, value in read_field_lines(lines[1:], oddities)
    ]
    if head.status == 101 and not expects_upgrade:
        raise protocol_error("101 to a request without an upgrade")
    if head.status < 200 and head.status != 101:
        _refuse_content(head)
    else:
        settle(head, oddities, is_head_request=is_head_request)
    return head


def _refuse_content(head: ResponseHead) -> None:
    """Raise `UpstreamError` for an interim response that announces content: it has none (RFC 9110 section 15.2), but
    some recipients would read it.

    A length of 0, which some servers send, is accepted.
    """
    for line in head.fields:
        announced = line.meaning is ResponseField.CONTENT_LENGTH and line.value.strip(b"0")
        if announced or line.meaning is ResponseField.TRANSFER_ENCODING:
            raise protocol_error(f"content announced by a {head.status} response")
