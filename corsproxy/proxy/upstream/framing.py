"""The end of a response's content, and whether its connection persists (RFC 9112 sections 6.3 and 9.3).

What two recipients could read differently is refused, or, with lenient parsing, read in the only way that is safe on a
connection that is closed afterwards.
Knows heads only.
"""

from __future__ import annotations

from corsproxy.proxy.fields.lengths import read_length
from corsproxy.proxy.fields.names import ResponseField
from corsproxy.proxy.upstream.head import NO_CONTENT_STATUSES, RESET_CONTENT, Framing, ResponseHead
from corsproxy.proxy.upstream.oddity import Oddities, Oddity, protocol_error


def settle(head: ResponseHead, oddities: Oddities, *, is_head_request: bool) -> None:
    """Set framing, length and persistence of a final response from its fields; raises `UpstreamError`."""
    options = _options(head)
    head.keep_alive = b"close" not in options and (head.minor > 0 or b"keep-alive" in options)
    if head.status == 101:
        head.framing = Framing.NONE
        if b"upgrade" not in options or not any(line.meaning is ResponseField.UPGRADE for line in head.fields):
            raise protocol_error("101 that does not say what it switches to")
    elif is_head_request or head.status in NO_CONTENT_STATUSES:
        _settle_without_content(head)
    else:
        _settle_content(head, oddities)
    if oddities.found:
        head.keep_alive = False


def _options(head: ResponseHead) -> set[bytes]:
    """Return the connection options of all lines, in lower case."""
    values = [line.value for line in head.fields if line.meaning is ResponseField.CONNECTION]
    return {option.strip(b" \t").lower() for value in values for option in value.split(b",")}


def _settle_without_content(head: ResponseHead) -> None:
    """Settle a response that ends with its head "regardless of the header fields present" (RFC 9112 section 6.3).

    A Content-Length that cannot be forwarded is removed.
    """
    head.framing = Framing.NONE
    lengths = _values(head, ResponseField.CONTENT_LENGTH)
    if not lengths:
        return
    length = _length(lengths)
    # RFC 9112 section 6.3: "the Transfer-Encoding overrides the Content-Length".
    if length < 0 or _values(head, ResponseField.TRANSFER_ENCODING):
        _drop(head, ResponseField.CONTENT_LENGTH)
        head.keep_alive = False
    else:
        _keep_one_length(head, length, len(lengths))


def _settle_content(head: ResponseHead, oddities: Oddities) -> None:
    """Settle a response with content, in the order of RFC 9112 section 6.3: chunked, a length, the connection's end."""
    lengths = _values(head, ResponseField.CONTENT_LENGTH)
    if _is_chunked(head, oddities):
        if head.minor == 0:
            oddities.note(Oddity.CHUNKED_IN_1_0)
        if lengths:
            oddities.note(Oddity.LENGTH_AND_CODING)
            _drop(head, ResponseField.CONTENT_LENGTH)
        head.framing = Framing.CHUNKED
    elif lengths:
        length = _length(lengths)
        if length < 0:
            raise protocol_error("invalid Content-Length, or more than one")
        _keep_one_length(head, length, len(lengths))
        head.framing = Framing.LENGTH
    else:
        head.framing = Framing.CLOSE if head.status != RESET_CONTENT else Framing.NONE
        head.keep_alive = False


def _is_chunked(head: ResponseHead, oddities: Oddities) -> bool:
    """Return whether the content is chunked; raises `UpstreamError` for any other coding."""
    values = _values(head, ResponseField.TRANSFER_ENCODING)
    names = [name.strip(b" \t").lower() for value in values for name in value.split(b",")]
    if not set(names) <= {b"chunked", b"identity"}:
        raise protocol_error("a transfer coding other than chunked")
    if b"identity" in names:
        oddities.note(Oddity.IDENTITY)
    if names.count(b"chunked") > 1:
        oddities.note(Oddity.CHUNKED_TWICE)
    return b"chunked" in names


def _length(values: list[bytes]) -> int:
    """Return the length that all values have, -1 if they differ or one is invalid.

    RFC 9110 section 8.6: a recipient may replace "the same decimal value repeated as a comma-separated list" with one.
    """
    lengths = set()
    for value in values:
        for item in value.split(b","):
            lengths.add(read_length(item.strip(b" \t")))
    return lengths.pop() if len(lengths) == 1 else -1


def _keep_one_length(head: ResponseHead, length: int, lines: int) -> None:
    """Set the length, and leave one Content-Length line with one value."""
    head.length = length
    at = next(index for index, line in enumerate(head.fields) if line.meaning is ResponseField.CONTENT_LENGTH)
    first = head.fields[at]
    if lines == 1 and b"," not in first.value:
        return
    _drop(head, ResponseField.CONTENT_LENGTH)
    head.fields.insert(at, first.with_value(b"%d" % length))


def _values(head: ResponseHead, meaning: ResponseField) -> list[bytes]:
    return [line.value for line in head.fields if line.meaning is meaning]


def _drop(head: ResponseHead, meaning: ResponseField) -> None:
    head.fields = [line for line in head.fields if line.meaning is not meaning]
