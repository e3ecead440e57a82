"""Requests and responses for tests: most of them valid, some of them odd, ways to break them, and other spellings.

Knows the grammar of RFC 9112 from the writing side; nothing of corsproxy.
"""

from __future__ import annotations

from hypothesis import strategies as st

CONTENT = st.binary(max_size=60) | st.sampled_from(
    [
        b"",
        b"\r\n\r\n",
        b"0\r\n\r\n",
        b"GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"x" * 3000,
    ]
)

_VALUES = st.sampled_from(
    [b"", b"a", b"a, b", b'"a\\"b"', b"\xe4\xff", b"close", b"x" * 200, b"a\tb", b"1;q=0.5", b"https://app.example"]
)

_REQUEST_NAMES = st.sampled_from(
    [b"X-A", b"x-a", b"X_B", b"Cookie", b"Accept", b"Origin", b"Via", b"Connection", b"TE", b"Keep-Alive", b"Referer"]
)

_RESPONSE_NAMES = st.sampled_from(
    [b"X-A", b"x-a", b"Set-Cookie", b"Vary", b"Connection", b"Keep-Alive", b"Access-Control-Allow-Origin", b"Location"]
)

_METHODS = st.sampled_from([b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"PROPFIND"])

_TARGETS = st.sampled_from([b"/", b"/a?b=c", b"/a%2Fb", b"//x", b"/?", b"/a/../b", b"http://h/x", b"/\\x"])


def _fields(names: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    line = st.builds(lambda name, space, value: name + b":" + space + value + b"\r\n", names, _SPACE, _VALUES)
    return st.lists(line, max_size=5).map(b"".join)


_SPACE = st.sampled_from([b" ", b"", b"  ", b"\t"])


@st.composite
def chunked(draw: st.DrawFn, content: bytes) -> bytes:
    """Write content in chunks, with extensions and trailer fields here and there."""
    written = b""
    rest = content
    while rest:
        size = draw(st.integers(1, len(rest)))
        extension = draw(st.sampled_from([b"", b";a", b";a=b", b';a="b"']))
        case = draw(st.sampled_from([b"%x", b"%X", b"0%x"]))
        written += case % size + extension + b"\r\n" + rest[:size] + b"\r\n"
        rest = rest[size:]
    trailers = draw(st.sampled_from([b"", b"", b"X-T: 1\r\n", b"X-T: 1\r\nx-t: 2\r\n"]))
    return written + b"0\r\n" + trailers + b"\r\n"


@st.composite
def _framed(draw: st.DrawFn, content: bytes) -> tuple[bytes, bytes]:
    """Return framing lines, and the content as they frame it."""
    if draw(st.booleans()):
        return b"Content-Length: %d\r\n" % len(content), content
    return b"Transfer-Encoding: chunked\r\n", draw(chunked(content))


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """Write a request that is valid HTTP/1.1, content included; what it means may be anything."""
    framing, content = b"", b""
    if draw(st.booleans()):
        framing, content = draw(_framed(draw(CONTENT)))
    line = b"%b %b HTTP/1.1\r\nHost: h\r\n" % (draw(_METHODS), draw(_TARGETS))
    return line + draw(_fields(_REQUEST_NAMES)) + framing + b"\r\n" + content


@st.composite
def responses(draw: st.DrawFn) -> bytes:
    """Write a response that is valid HTTP/1.1 or 1.0, interim ones before it, content included."""
    interim = draw(
        st.lists(st.sampled_from([b"HTTP/1.1 100 x\r\n\r\n", b"HTTP/1.1 103 x\r\nLink: a\r\n\r\n"]), max_size=2)
    )
    version = draw(st.sampled_from([b"1.1", b"1.1", b"1.0"]))
    status = draw(st.sampled_from([b"200 OK", b"200 ", b"404 Not Found", b"302 x", b"500 x", b"599 x"]))
    content = draw(CONTENT)
    if version == b"1.0" or draw(st.integers(0, 3)) == 0:
        framing = draw(st.sampled_from([b"", b"Content-Length: %d\r\n" % len(content)]))
    else:
        framing, content = draw(_framed(content))
    head = b"HTTP/" + version + b" " + status + b"\r\n" + draw(_fields(_RESPONSE_NAMES)) + framing + b"\r\n"
    return b"".join(interim) + head + content


_INSERTED = st.sampled_from(
    [
        b"\r\n",
        b"\n",
        b"\r",
        b" ",
        b"\t",
        b"\x00",
        b"\x7f",
        b"\xff",
        b":",
        b"0",
        b"9",
        b"-1",
        b",",
        b"Content-Length: 3\r\n",
        b"Content-Length: 0\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: gzip\r\n",
        b"Connection: close\r\n",
        b"Upgrade: websocket\r\nConnection: Upgrade\r\n",
        b"Expect: 100-continue\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n",
    ]
)


@st.composite
def mutated(draw: st.DrawFn, messages: st.SearchStrategy[bytes]) -> bytes:
    """Break a message: bytes replaced, taken out, put in, or its end cut off."""
    data = draw(messages)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(data)))
        match draw(st.integers(0, 4)):
            case 0:
                data = data[:at] + draw(st.binary(min_size=1, max_size=2)) + data[at + 1 :]
            case 1:
                data = data[:at] + data[at + draw(st.integers(1, 8)) :]
            case 2:
                data = data[:at]
            case 3:
                line = data.find(b"\r\n", at) + 2  # at the beginning of a line
                data = data[:line] + draw(_INSERTED) + data[line:]
            case _:
                data = data[:at] + draw(_INSERTED) + data[at:]
    return data


def spellings(line: bytes) -> tuple[bytes, bytes, bytes]:
    """Return a field line as it is, and with its name in capitals and in lower case."""
    name, _, value = line.partition(b": ")
    return line, name.upper() + b": " + value, name.lower() + b": " + value
