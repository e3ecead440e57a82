"""The way of one request through the proxy: sent, tried again, answered at once or as it comes, and over once."""

from __future__ import annotations

import pytest

from tests.proxy.inside import Stage, stage

GET = b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
EMPTY = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def lines(head: bytes, *names: bytes) -> list[bytes]:
    """Return the status line of a head, and the field lines with these names."""
    all_lines = head.split(b"\r\n")
    return all_lines[:1] + [line for line in all_lines[1:] if line.partition(b":")[0].lower() in names]


FRAMING = (b"content-length", b"transfer-encoding", b"connection")


async def served(it: Stage, answer: bytes = OK) -> None:
    """Have one request answered, so that there is an idle connection to the upstream."""
    it.writer.write(GET)
    (await it.asked()).answer(answer)
    await it.head()
    await it.exactly(2)
    await it.recorded(1)


# --- the response ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_idle", [False, True], ids=["dialled", "idle"])
@pytest.mark.parametrize(
    ("version", "answer", "framing", "content"),
    [
        pytest.param(b"1.1", OK, [b"Content-Length: 2"], b"ok", id="a length"),
        pytest.param(
            b"1.1",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
            [b"Transfer-Encoding: chunked"],
            b"2\r\nok\r\n0\r\n\r\n",
            id="chunks",
        ),
        pytest.param(b"1.1", b"HTTP/1.1 204 No\r\n\r\n", [], b"", id="no content"),
        pytest.param(b"1.1", b"HTTP/1.1 205 Reset\r\n\r\n", [b"Content-Length: 0"], b"", id="205"),
        pytest.param(
            b"1.1",
            b"HTTP/1.1 205 Reset\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n",
            [b"Content-Length: 0"],
            b"",
            id="205 with chunks",
        ),
        pytest.param(b"1.1", OK.replace(b"1.1", b"1.0"), [b"Content-Length: 2"], b"ok", id="1.0"),
        pytest.param(
            b"1.0", OK, [b"Content-Length: 2", b"Connection: keep-alive"], b"ok", id="a length, for HTTP/1.0"
        ),
    ],
)  # fmt: skip
async def test_a_whole_response(
    version: bytes, answer: bytes, framing: list[bytes], content: bytes, is_idle: bool
) -> None:
    """With the grant of its route, over a connection that is idle or must be made; the client's stays open."""
    async with stage() as it:
        if is_idle:
            await served(it)
        it.writer.write(
            b"GET /a HTTP/%b\r\nHost: h\r\nOrigin: https://app.example\r\nConnection: keep-alive\r\n\r\n" % version
        )
        asked = await it.asked()
        asked.answer(answer)
        head = await it.head()
        assert b"\r\nAccess-Control-Allow-Origin: https://app.example\r\n" in head
        assert lines(head, *FRAMING)[1:] == framing
        assert await it.exactly(len(content)) == content
        record = (await it.recorded(1 + is_idle))[-1]
        status = int(answer[9:12])
        assert (record.status, record.upstream_status, record.error) == (status, status, None)
        assert record.upstream == "up"
        assert record.upstream_duration is not None
        assert 0 <= record.upstream_duration < 60
        await it.stays_open()


async def test_content_as_it_comes() -> None:
    """What is here is passed on before the rest; without a length it goes in chunks, up to the upstream's end."""
    async with stage() as it:
        it.writer.write(GET)
        asked = await it.asked()
        asked.writer.write(b"HTTP/1.1 200 OK\r\n\r\nab")
        assert lines(await it.head(), *FRAMING) == [b"HTTP/1.1 200 OK", b"Transfer-Encoding: chunked"]
        assert await it.exactly(7) == b"2\r\nab\r\n"
        asked.writer.write(b"cde")
        assert await it.exactly(8) == b"3\r\ncde\r\n"
        assert it.proxy.in_flight == 1
        asked.writer.close()
        assert await it.exactly(5) == b"0\r\n\r\n"
        record = (await it.recorded())[0]
        assert (record.status, record.error, record.bytes_out) == (200, None, 5)
        await it.stays_open()


async def test_content_without_a_length_for_http_1_0() -> None:
    """It ends with the connection; a cut is a reset, which does not look like that."""
    for cut in (False, True):
        async with stage() as it:
            it.writer.write(b"GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            asked = await it.asked()
            asked.writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n")
            assert lines(await it.head(), *FRAMING) == [b"HTTP/1.1 200 OK", b"Connection: close"]
            assert await it.exactly(2) == b"ab"
            if cut:
                asked.reset()
                with pytest.raises(ConnectionResetError):
                    await it.rest()
                assert (await it.recorded())[0].error == "closed"
            else:
                asked.answer(b"0\r\n\r\n")
                assert await it.rest() == b""
                assert (await it.recorded())[0].error is None


async def test_a_response_that_is_cut_looks_cut() -> None:
    """The connection ends before the content does, and the record says who is at fault."""
    async with stage() as it:
        it.writer.write(GET)
        asked = await it.asked()
        asked.writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab")
        await it.head()
        assert await it.exactly(2) == b"ab"
        asked.reset()
        assert await it.rest() == b""
        record = (await it.recorded())[0]
        assert (record.status, record.error) == (200, "closed")


async def test_head_gets_no_content() -> None:
    """Whatever the head announces."""
    async with stage() as it:
        it.writer.write(GET.replace(b"GET", b"HEAD"))
        (await it.asked()).answer(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n")
        assert lines(await it.head(), *FRAMING) == [b"HTTP/1.1 200 OK", b"Content-Length: 7"]
        assert (await it.recorded())[0].bytes_out == 0
        await it.stays_open()


@pytest.mark.parametrize("wants", [False, True])
@pytest.mark.parametrize("whole", [False, True], ids=["as it comes", "whole"])
async def test_trailer_fields(wants: bool, whole: bool) -> None:
    """They are for those who ask for them."""
    async with stage() as it:
        await served(it)
        te = b"TE: trailers\r\nConnection: TE\r\n" if wants else b""
        it.writer.write(b"GET /a HTTP/1.1\r\nHost: h\r\n%b\r\n" % te)
        asked = await it.asked()
        start = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n"
        rest = b"0\r\nX-T: 1\r\n\r\n"
        if whole:
            asked.answer(start + rest)
            await it.head()
        else:
            asked.writer.write(start)
            await it.head()
            asked.answer(rest)
        content = b"2\r\nok\r\n0\r\nX-T: 1\r\n\r\n" if wants else b"2\r\nok\r\n0\r\n\r\n"
        assert await it.exactly(len(content)) == content
        await it.stays_open()


async def test_interim_responses() -> None:
    """Those that say something are passed on before the final one; a 100 that nobody waits for is not."""
    async with stage() as it:
        it.writer.write(GET)
        asked = await it.asked()
        asked.writer.write(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        early = await it.head()
        assert lines(early, b"link") == [b"HTTP/1.1 103 Early Hints", b"Link: </a>"]
        asked.answer(OK)
        assert lines(await it.head()) == [b"HTTP/1.1 200 OK"]
        assert await it.exactly(2) == b"ok"
        it.writer.write(b"GET /a HTTP/1.0\r\n\r\n")
        (await it.asked()).answer(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK)
        assert lines(await it.head()) == [b"HTTP/1.1 200 OK"]


# --- tried again ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"OPTIONS", b"PUT", b"DELETE"])
async def test_an_idle_connection_that_was_dead_is_replaced_once(method: bytes) -> None:
    """A request that may come twice is sent again over a new one, which is not given up for a third."""
    for succeeds in (True, False):
        async with stage() as it:
            await served(it)
            it.writer.write(method + GET[3:])
            first = await it.asked()
            assert first.number == 1
            first.reset()
            second = await it.asked()
            assert (second.number, second.line) == (2, method + b" /a HTTP/1.1")
            assert second.head == first.head
            if succeeds:
                second.answer(EMPTY)
                assert lines(await it.head()) == [b"HTTP/1.1 200 OK"]
            else:
                second.reset()
                assert lines(await it.head()) == [b"HTTP/1.1 502 Bad Gateway"]
                assert it.nothing_asked()
            record = (await it.recorded(2))[1]
            assert record.error == (None if succeeds else "closed")


@pytest.mark.parametrize(
    ("request_", "part"),
    [
        pytest.param(b"POST /a HTTP/1.1\r\nHost: h\r\n\r\n", b"", id="it may not come twice"),
        pytest.param(b"PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nok", b"", id="it has content"),
        pytest.param(GET, b"HTTP/1.1 2", id="an answer has begun"),
    ],
)
async def test_no_other_request_is_sent_twice(request_: bytes, part: bytes) -> None:
    """The first one may have been carried out."""
    async with stage() as it:
        await served(it)
        it.writer.write(request_)
        asked = await it.asked()
        if part:
            asked.writer.write(part)
            await asked.writer.drain()
            asked.writer.close()
            asked.over.set()
        else:
            asked.reset()
        assert lines(await it.head()) == [b"HTTP/1.1 502 Bad Gateway"]
        assert it.nothing_asked()
        assert (await it.recorded(2))[1].error == "closed"


async def test_a_new_connection_is_not_tried_again() -> None:
    """Its server is at fault."""
    async with stage() as it:
        it.writer.write(GET)
        (await it.asked()).reset()
        assert lines(await it.head()) == [b"HTTP/1.1 502 Bad Gateway"]
        assert it.nothing_asked()


# --- content of the request -----------------------------------------------------------------------------------------


async def test_small_content_goes_with_its_head() -> None:
    """In one piece, once all of it is here: until then no connection is taken."""
    async with stage() as it:
        it.writer.write(b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhe")
        await it.begun()
        assert it.nothing_asked()
        it.writer.write(b"llo")
        asked = await it.asked()
        assert b"\r\nContent-Length: 5\r\n" in asked.head
        assert await asked.reader.readexactly(5) == b"hello"
        asked.answer(EMPTY)
        assert lines(await it.head()) == [b"HTTP/1.1 200 OK"]
        assert (await it.recorded())[0].bytes_in == 5
        await it.stays_open()


async def test_content_in_chunks_is_passed_on_as_it_comes() -> None:
    """In chunks again, as there is no length."""
    async with stage() as it:
        it.writer.write(b"POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n")
        asked = await it.asked()
        assert b"\r\nTransfer-Encoding: chunked\r\n" in asked.head
        assert await asked.reader.readexactly(7) == b"2\r\nhe\r\n"
        it.writer.write(b"3\r\nllo\r\n")
        assert await asked.reader.readexactly(8) == b"3\r\nllo\r\n"
        it.writer.write(b"0\r\n\r\n")
        assert await asked.reader.readexactly(5) == b"0\r\n\r\n"
        asked.answer(EMPTY)
        assert lines(await it.head(), b"connection") == [b"HTTP/1.1 200 OK"]
        assert (await it.recorded())[0].bytes_in == 5
        await it.stays_open()


async def test_an_answer_that_comes_before_the_content_does() -> None:
    """It is passed on; neither connection carries another request."""
    async with stage() as it:
        it.writer.write(b"POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n")
        asked = await it.asked()
        asked.writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        assert lines(await it.head(), b"connection") == [b"HTTP/1.1 413 Too Large", b"Connection: close"]
        await asked.reader.read()
        record = (await it.recorded())[0]
        assert (record.status, record.error, record.bytes_in) == (413, None, 2)


@pytest.mark.parametrize(
    "content",
    [b"Content-Length: 5\r\n\r\nhe", b"Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n"],
    ids=["length", "chunks"],
)
async def test_a_client_that_goes_while_it_sends(content: bytes) -> None:
    """The request ends with it, once; what was sent of it is not completed."""
    async with stage() as it:
        it.writer.write(b"POST /a HTTP/1.1\r\nHost: h\r\n" + content)
        if b"chunked" in content:
            asked = await it.asked()
            it.vanish()
            assert not (await asked.reader.read()).endswith(b"0\r\n\r\n")
        else:
            await it.begun()
            it.vanish()
        (record,) = await it.recorded()
        assert record.error == "client_disconnected"
        assert it.proxy.in_flight == 0
        assert it.nothing_asked()


async def test_broken_chunks() -> None:
    """The client is told, and the upstream's message stays unfinished."""
    async with stage() as it:
        it.writer.write(b"POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n")
        asked = await it.asked()
        it.writer.write(b"x\r\n")
        assert lines(await it.head(), b"connection") == [b"HTTP/1.1 400 Bad Request", b"Connection: close"]
        assert not (await asked.reader.read()).endswith(b"0\r\n\r\n")
        assert (await it.recorded())[0].error == "client_bad_body"


async def test_the_upstream_says_when_to_go_on() -> None:
    """Its 100 is passed on to the client that waits for it, once, and then the content."""
    async with stage() as it:
        await served(it)
        it.writer.write(b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        asked = await it.asked()
        assert b"\r\nExpect: 100-continue\r\n" in asked.head
        asked.writer.write(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n")
        assert lines(await it.head()) == [b"HTTP/1.1 100 Continue"]
        it.writer.write(b"ok")
        assert await asked.reader.readexactly(2) == b"ok"
        asked.answer(EMPTY)
        assert lines(await it.head()) == [b"HTTP/1.1 200 OK"]
        await it.stays_open()


async def test_a_client_is_told_to_go_on_by_us_if_the_upstream_knows_no_expect() -> None:
    """HTTP/1.0 has none."""
    async with stage() as it:
        await served(it, b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")
        it.writer.write(b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        assert lines(await it.head()) == [b"HTTP/1.1 100 Continue"]
        asked = await it.asked()
        assert b"Expect" not in asked.head
        it.writer.write(b"ok")
        assert await asked.reader.readexactly(2) == b"ok"
        asked.answer(EMPTY)
        assert lines(await it.head()) == [b"HTTP/1.1 200 OK"]


# --- ends -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_idle", [False, True], ids=["dialled", "idle"])
@pytest.mark.parametrize("begun", [False, True], ids=["before the head", "in the content"])
async def test_a_client_that_goes_while_it_waits(begun: bool, is_idle: bool) -> None:
    """The upstream's connection is cut: nobody would take the rest."""
    async with stage() as it:
        if is_idle:
            await served(it)
        it.writer.write(GET)
        asked = await it.asked()
        if begun:
            asked.writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab")
            await it.head()
        it.vanish()
        assert await asked.reader.read() == b""
        record = (await it.recorded(1 + is_idle))[-1]
        assert (record.error, record.status) == ("client_disconnected", 200 if begun else 0)
        assert it.proxy.in_flight == 0
        assert {state: number for _, state, number in it.proxy.upstream_connections if number} == {}


@pytest.mark.parametrize(
    ("answer", "status", "error"),
    [
        (b"junk\r\n\r\n", 502, "protocol"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", 502, "protocol"),
        (b"HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", 502, "protocol"),
    ],
)
@pytest.mark.parametrize("is_idle", [False, True], ids=["dialled", "idle"])
async def test_an_answer_that_is_none(answer: bytes, status: int, error: str, is_idle: bool) -> None:
    """The client gets one of ours with the grant on it, and may go on."""
    async with stage() as it:
        if is_idle:
            await served(it)
        it.writer.write(b"GET /a HTTP/1.1\r\nHost: h\r\nOrigin: https://app.example\r\n\r\n")
        (await it.asked()).answer(answer)
        head = await it.head()
        assert head.startswith(b"HTTP/1.1 %d " % status)
        assert b"\r\nAccess-Control-Allow-Origin: https://app.example\r\n" in head
        record = (await it.recorded(1 + is_idle))[-1]
        assert (record.status, record.error, record.upstream) == (status, error, "up")


async def test_a_connection_is_used_again_only_if_it_is_clean() -> None:
    """Not behind `close`, not behind surplus bytes, not behind a cut."""
    async with stage() as it:
        numbers = []
        for answer in (OK, OK, OK.replace(b"Content", b"Connection: close\r\nContent"), OK, OK + b"x", OK):
            it.writer.write(GET)
            asked = await it.asked()
            numbers.append(asked.number)
            asked.answer(answer)
            await it.head()
            await it.exactly(2)
            await it.recorded(len(numbers))
        assert numbers == [1, 1, 1, 2, 2, 3]


async def test_an_upgrade() -> None:
    """Both sides then speak to each other; the upstream's place is a tunnel's."""
    async with stage() as it:
        upgrade = b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
        it.writer.write(b"GET /a HTTP/1.1\r\nHost: h\r\nOrigin: https://app.example\r\n%b\r\n" % upgrade)
        asked = await it.asked()
        assert asked.fields.count(b"Upgrade: websocket") == 1
        asked.writer.write(b"HTTP/1.1 101 Switching Protocols\r\n%b\r\n\x01" % upgrade)
        assert lines(await it.head(), b"upgrade") == [b"HTTP/1.1 101 Switching Protocols", b"Upgrade: websocket"]
        assert await it.exactly(1) == b"\x01"
        it.writer.write(b"ping")
        assert await asked.reader.readexactly(4) == b"ping"
        states = {state: number for _, state, number in it.proxy.upstream_connections if number}
        assert states == {"tunnel": 1}
        asked.writer.close()
        assert await it.rest() == b""
        assert (await it.recorded())[0].status == 101


async def test_a_declined_upgrade_is_an_ordinary_answer() -> None:
    """And is never sent twice."""
    async with stage() as it:
        await served(it)
        upgrade = b"GET /a HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
        it.writer.write(upgrade)
        (await it.asked()).answer(OK)
        assert lines(await it.head()) == [b"HTTP/1.1 200 OK"]
        assert await it.exactly(2) == b"ok"
        it.writer.write(upgrade)
        (await it.asked()).reset()
        assert lines(await it.head()) == [b"HTTP/1.1 502 Bad Gateway"]
        assert it.nothing_asked()
