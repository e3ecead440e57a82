"""An old server that a recipe is for, and what it was asked during one test."""

from __future__ import annotations

import contextlib
import http.client
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from tests.support.process import DEADLINE, Output
from tests.support.programs import launched

SERVERS = Path(__file__).resolve().parent / "servers"


@dataclass(frozen=True, slots=True)
class Server:
    """A running old server, which prints a line for every request: method, path, Origin."""

    url: str
    output: Output
    first: int = 0
    """The line of its output with which the test begins."""

    def from_now(self) -> Server:
        """Return the same server for one more test, which sees nothing of what was printed before.

        A request marks the place: lines of the test before may still be on their way through the pipe.
        """
        mark = f"/mark/{len(self.output.lines)}"
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=DEADLINE)
        with contextlib.closing(connection):
            connection.request("GET", mark)
            connection.getresponse().read()
        self.output.wait_line(f"^GET {mark} ")
        return replace(self, first=1 + next(n for n, line in enumerate(self.output.lines) if f"GET {mark} " in line))

    def requests(self) -> list[str]:
        """Return every request of this test so far: method, path, Origin."""
        return [line for line in self._lines() if line.split(" ", 1)[0].isupper() and " /" in line]

    def wait_line(self, pattern: str) -> None:
        """Wait for a line of this test in which the regular expression is found."""
        self.output.wait_for(lambda _: any(re.search(pattern, line) for line in self._lines()))

    def _lines(self) -> list[str]:
        return self.output.lines[self.first :]


@contextlib.contextmanager
def python_server(script: str, *args: str) -> Iterator[Server]:
    """Run one of the servers that are written in Python."""
    with launched(sys.executable, str(SERVERS / script), *args) as output:
        yield Server(output.wait_line(r"serving on (http://\S+)$")[1], output)
