"""The head of an HTTP/1.1 response as a browser reads it: lenient in form, with interim responses skipped.

No socket: bytes in, an `Answer` out.
Browsers accept what RFC 9112 tells a recipient to repair or ignore: bare LF line ends, folded lines, white space before
a colon, lines without one.
"""

from __future__ import annotations

import re

from corsproxy.tools.browser import Answer

MAX_HEAD = 256 * 1024
"""Bytes of one head; Chromium has the same limit (kMaxHeaderBufSize in net/http/http_stream_parser.cc)."""

_STATUS_LINE = re.compile(rb"[ \t\r\n]*HTTP/[0-9]\.[0-9][ \t]+([0-9]{3})(?![0-9])[^\n]*")
_END = re.compile(rb"\r?\n\r?\n")
_SWITCHING = 101


class NoHeadError(Exception):
    """The bytes are not an HTTP/1.1 response; the text says why."""


class HeadReader:
    """Read bytes as they arrive until the final response's head is complete."""

    def __init__(self) -> None:
        self._received = bytearray()
        self._searched = 0
        """The offset before which no head ends."""

    @property
    def content(self) -> bytes:
        """The bytes after the head."""
        return bytes(self._received)

    @property
    def has_begun(self) -> bool:
        """Return whether a part of a head has arrived."""
        return bool(self._received)

    def feed(self, part: bytes) -> Answer | None:
        """Return the answer once its head is complete; further bytes are content.

        Any number of interim responses (100 to 199, except 101) is skipped.
        Raises `NoHeadError` if the bytes so far cannot become a response.
        """
        self._received += part
        while end := _END.search(self._received, max(0, self._searched - 3)):
            answer = parse_head(bytes(self._received[: end.start()]))
            del self._received[: end.end()]
            self._searched = 0
            if not 100 <= answer.status <= 199 or answer.status == _SWITCHING:
                return answer
        self._searched = len(self._received)
        _check_beginning(bytes(self._received[:16]))
        if len(self._received) > MAX_HEAD:
            raise NoHeadError(f"its head is longer than {MAX_HEAD // 1024} KiB, which no browser takes")
        return None


def parse_head(head: bytes) -> Answer:
    """Return a head, without its empty line, as an answer; raises `NoHeadError` if it has no status line."""
    status_line = _STATUS_LINE.match(head)
    if status_line is None:
        raise NoHeadError(f"it begins with {head[:40].decode('latin-1')!r}")
    fields: list[tuple[str, str]] = []
    for raw in head[status_line.end() :].split(b"\n"):
        line = raw.rstrip(b"\r")
        if line[:1] in b" \t" and line.strip() and fields:
            name, value = fields[-1]
            fields[-1] = name, f"{value} {line.strip().decode('latin-1')}"
            continue
        written, colon, rest = line.partition(b":")
        if colon and written.strip():
            fields.append((written.strip(b" \t").decode("latin-1"), rest.strip(b" \t").decode("latin-1")))
    return Answer(int(status_line[1]), tuple(fields))


def _check_beginning(begun: bytes) -> None:
    """Raise `NoHeadError` as soon as the first bytes cannot become a status line."""
    begun = begun.lstrip(b" \t\r\n")
    if not b"HTTP/".startswith(begun[:5]):
        raise NoHeadError(f"it begins with {begun.decode('latin-1')!r}")
