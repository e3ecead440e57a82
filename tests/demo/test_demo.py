"""`corsproxy demo`: what it prints, how it ends, and that its verdicts can be wrong."""

from __future__ import annotations

import io
import re
import signal
import socket
from collections.abc import Iterator

import pytest

from corsproxy.tools.demo import DemoOptions, command, demo_command
from corsproxy.tools.demo.calls import CALLS
from tests.support.process import Process, ran


def rows(lines: list[str]) -> Iterator[tuple[str, str, str, str]]:
    """Read the table: call, how it was asked, what came, verdict; wrapped lines are put together again."""
    head = next(number for number, line in enumerate(lines) if line.startswith("call "))
    starts = [0, *(found.end() for found in re.finditer(" {2}", lines[head + 1]))]
    found: list[list[str]] = []
    for line in lines[head + 2 :]:
        if not line:
            break
        cells = [line[start:end].strip() for start, end in zip(starts, [*starts[1:], None], strict=True)]
        if cells[1]:
            found.append([cells[0] or found[-1][0], *cells[1:]])
        else:
            found[-1][3] += f" {cells[3]}"
    for row in found:
        yield (row[0], row[1], row[2], row[3])


EXPECTED = [
    ("GET /orders", "directly", "200", "blocked: the answer has 2 lines of Access-Control-Allow-Origin"),
    ("GET /orders", "proxied", "200", "allowed"),
    ("PUT /orders/7", "directly", "preflight 405", "blocked: the answer has no Access-Control-Allow-Origin"),
    ("PUT /orders/7", "proxied", "preflight 204, then 200", "allowed"),
    ("GET /account with cookies", "directly", "200", "blocked: Access-Control-Allow-Origin is *"),
    ("GET /account with cookies", "proxied", "200", "allowed"),
    ("GET /reports/2019", "directly", "500", "blocked: the answer has no Access-Control-Allow-Origin"),
    ("GET /reports/2019", "proxied", "500", "allowed"),
]

WIDE = {"COLUMNS": "120"}
"""The environment of a wide terminal, in which calls have a column; pytest's workers set a width, too."""


def test_check_prints_what_each_call_answered_and_exits_with_0() -> None:
    """The table has every call both ways, aligned, with the status that came and the verdict of a browser."""
    status, lines, errors = ran("demo", "--check", environ=WIDE)
    found = list(rows(lines))
    assert [row[:3] for row in found] == [row[:3] for row in EXPECTED]
    assert [row[3] for row, wanted in zip(found, EXPECTED, strict=True) if not row[3].startswith(wanted[3])] == []
    assert (status, errors) == (0, [])
    assert "open " not in "\n".join(lines)


@pytest.mark.parametrize("columns", [66, 80])
def test_the_table_fits_a_narrow_terminal(columns: int) -> None:
    """In a narrow terminal the calls are headings, so that the verdicts have room."""
    status, lines, _ = ran("demo", "--check", environ={"COLUMNS": str(columns)})
    start, end = lines.index("") + 1, lines.index("", lines.index("") + 1)
    assert status == 0
    assert [line for line in lines[start:end] if len(line) > columns] == []
    assert "GET /account with cookies" in lines
    assert [line for line in lines if line.startswith("  proxied ") and line.endswith("  allowed")]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_it_serves_until_it_is_stopped(number: signal.Signals) -> None:
    """Ctrl-C and SIGTERM end it with status 0, and not a word on stderr."""
    process = Process(["demo"], fresh=True)
    try:
        assert process.stdout is not None
        process.stdout.wait_line("Ctrl-C ends the demo")
        process.signal(number)
        assert process.wait() == 0
        assert process.stderr.lines == []
    finally:
        process.end()


def test_a_signal_at_the_very_start_ends_it_quietly_too() -> None:
    """The handlers are installed before the first line is printed."""
    process = Process(["demo"])
    try:
        assert process.stdout is not None
        process.stdout.wait_line("a page on")
        process.signal(signal.SIGINT)
        assert process.wait() == 0
        assert process.stderr.lines == []
    finally:
        process.end()


def test_it_prints_the_requests_that_the_proxy_sees() -> None:
    """One line a request, with the decision; what a stranger sends cannot write to the terminal."""
    process = Process(["demo"])
    try:
        assert process.stdout is not None
        host, port = process.stdout.wait_line(r"^and again +http://(\S+):(\d+)").groups()
        process.stdout.wait_line("Ctrl-C ends the demo")
        for path in (b"/orders", b"/orders\x1b[31m"):
            with socket.create_connection((host, int(port))) as connection:
                connection.sendall(b"GET %b HTTP/1.1\r\nHost: h\r\nOrigin: http://evil.invalid\r\n\r\n" % path)
                connection.recv(65536)
        process.stdout.wait_line(r" 200 +GET /orders +refused: origin_not_allowed$")
        process.stdout.wait_line(r" 400 *")
        assert process.stop() == 0
        assert [line for line in process.stdout.lines if not line.isprintable()] == []
    finally:
        process.end()


def test_check_exits_with_1_when_the_proxy_does_not_allow_what_it_should(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under a policy without PUT one verdict is another, and that is noticed."""
    monkeypatch.setattr(command, "POLICY", command.POLICY.replace("[GET, PUT]", "[GET]"))
    monkeypatch.setenv("COLUMNS", WIDE["COLUMNS"])
    out = io.StringIO()
    assert demo_command(DemoOptions(check=True), out=out) == 1
    assert "NOT as it should be" in out.getvalue()
    found = {row[:2]: row[2:] for row in rows(out.getvalue().splitlines())}
    assert found["PUT /orders/7", "proxied"][0] == "preflight 403"
    assert [key for key, row in found.items() if key[1] == "proxied" and row[1] != "allowed"] == [
        ("PUT /orders/7", "proxied")
    ]


def test_the_four_calls_are_explained_in_words() -> None:
    """Each call explains itself for both ways, in sentences."""
    assert [call.id for call in CALLS] == ["get", "put", "cookies", "error"]
    assert [call.id for call in CALLS if not (call.direct.endswith(".") and call.proxied.endswith("."))] == []
