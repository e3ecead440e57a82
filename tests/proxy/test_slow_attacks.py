"""Hundreds of slow clients, as `slowhttptest` plays them: all others are still served.

`slowhttptest` sends a probe of its own all the while and reports whether it was answered; the tests send another.
"""

from __future__ import annotations

import re
import subprocess
from concurrent.futures import ThreadPoolExecutor, wait

import pytest

from tests.packaging.files import program
from tests.proxy.bench import Bench
from tests.proxy.wire import GET
from tests.support.upstream import Connection

CONFIG = """
admin: 127.0.0.1:0
upstreams: {{up: "{upstream}"}}
routes: [{{path: /, upstream: up}}]
limits: {{header_timeout: 2s, body_timeout: 2s, idle_timeout: 2s, max_connections: 1000}}
log: {{access: false, level: error}}
"""

MODES = [
    pytest.param(["-H", "-i", "1", "-x", "24"], id="slow heads"),
    pytest.param(["-B", "-i", "1", "-s", "65536", "-x", "10"], id="slow content"),
    pytest.param(["-R", "-a", "5", "-b", "3000"], id="many ranges"),
    pytest.param(["-X", "-n", "1", "-w", "256", "-y", "512", "-z", "16", "-k", "3"], id="slow reading"),
]


@pytest.mark.parametrize("mode", MODES)
def test_http_89_a_probe_keeps_being_served(bench: Bench, mode: list[str]) -> None:
    """http-77, http-89: 300 such clients, and a client in between is answered every time."""
    slowhttptest = program("slowhttptest", "slowhttptest")
    body = b"x" * 200_000

    def script(connection: Connection) -> None:
        while True:
            request = connection.read_request()
            small = b"X-Probe: 1" in request.head
            content = b"ok" if small else body
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(content), content))

    bench.script = script
    host, port = bench.address
    command = [slowhttptest, *mode, "-c", "300", "-r", "300", "-l", "3", "-p", "20", "-u", f"http://{host}:{port}/"]
    probes = []
    with ThreadPoolExecutor(1) as pool:
        attack = pool.submit(subprocess.run, command, capture_output=True, text=True, timeout=60, check=False)
        while not wait([attack], 0.05).done:
            probes.append(bench.ask(GET.replace(b"\r\n\r\n", b"\r\nX-Probe: 1\r\nConnection: close\r\n\r\n")).body)
    report = re.sub(r"\x1b\[[0-9;]*m", "", attack.result().stdout)
    assert set(probes) == {b"ok"}
    assert re.findall(r"service available:\s*(\w+)", report)[-1:] == ["YES"], report
    bench.wait_idle()
