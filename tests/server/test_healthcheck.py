"""`healthcheck`: finds the admin listener as `serve` does, and says in a status whether the proxy is healthy."""

from __future__ import annotations

import errno
import os
import re
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from corsproxy.entry import quick_address, quick_healthcheck
from tests.server.setup import config
from tests.support.command import invoked
from tests.support.process import DEADLINE, ran, started
from tests.support.programs import free_port

ROOT = Path(__file__).parents[2]


def test_a_running_proxy_is_healthy_however_the_admin_listener_is_named(tmp_path: Path) -> None:
    """By file, by option and by environment the answer is 0, and nothing is said."""
    port = free_port()
    text = config("http://127.0.0.1:9", f"admin: 127.0.0.1:{port}")
    file = tmp_path / "corsproxy.yaml"
    with started(text, directory=tmp_path):
        assert invoked("healthcheck", "-c", str(file)) == (0, [], [])
        assert invoked("healthcheck", directory=tmp_path) == (0, [], [])
        quick = ("healthcheck", "--upstream", "http://127.0.0.1:9")
        assert ran(*quick, "--admin", f"127.0.0.1:{port}") == (0, [], [])
        assert ran(*quick, environ={"CORSPROXY_ADMIN": f"127.0.0.1:{port}"}) == (0, [], [])
        # A listener on every address is asked on loopback.
        assert invoked(*quick, "--admin", f"0.0.0.0:{port}") == (0, [], [])


def test_a_file_that_has_gone_bad_does_not_matter_where_an_option_names_the_listener(tmp_path: Path) -> None:
    """The proxy keeps its configuration and is healthy; without the option the address is unknown."""
    file = tmp_path / "corsproxy.yaml"
    with started(config("http://127.0.0.1:9"), directory=tmp_path, admin=True) as proxy:
        named = "{}:{}".format(*proxy.admin)
        file.write_text("nonsense: [", encoding="utf-8")
        assert invoked("healthcheck", "-c", str(file), "--admin", named) == (0, [], [])
        assert invoked("healthcheck", environ={"CORSPROXY_ADMIN": named}) == (0, [], [])
        assert invoked("healthcheck", "-c", str(file))[0] == 2


def test_an_admin_listener_on_a_unix_socket_is_asked_there(tmp_path: Path) -> None:
    """The socket file is all there is to know."""
    text = config("http://127.0.0.1:9", f"admin: unix:{tmp_path}/admin.sock")
    with started(text, directory=tmp_path) as proxy:
        assert invoked("healthcheck", directory=tmp_path) == (0, [], [])
        assert proxy.stop() == 0
    status, _, said = invoked("healthcheck", directory=tmp_path)
    assert (status, said) == (1, [f"unhealthy: unix:{tmp_path}/admin.sock: {os.strerror(errno.ENOENT)}"])


def test_a_proxy_that_is_not_there_is_unhealthy(tmp_path: Path) -> None:
    """Status 1, and one line that says why."""
    port = free_port()
    (tmp_path / "corsproxy.yaml").write_text(config("http://127.0.0.1:9", f"admin: 127.0.0.1:{port}"), encoding="utf-8")
    status, _, said = invoked("healthcheck", directory=tmp_path)
    assert (status, said) == (1, [f"unhealthy: 127.0.0.1:{port}: {os.strerror(errno.ECONNREFUSED)}"])


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        pytest.param(b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", "/healthz answers 500", id="another status"),
        pytest.param(b"what?\r\n", r"what\?", id="no HTTP"),
        pytest.param(b"", ".+", id="no answer"),
    ],
)
def test_something_else_on_the_admin_port_is_unhealthy(answer: bytes, said: str) -> None:
    """Only a 200 counts."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def play() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(answer)

        thread = threading.Thread(target=play)
        thread.start()
        port = server.getsockname()[1]
        status, out, err = ran("healthcheck", "--upstream", "http://127.0.0.1:9", "--admin", f"127.0.0.1:{port}")
        thread.join()
    assert (status, out, len(err)) == (1, [], 1)
    assert re.fullmatch(f"unhealthy: 127.0.0.1:{port}: {said}", err[0])


@pytest.mark.parametrize(
    ("args", "said"),
    [
        pytest.param([], "nothing to serve", id="nothing is configured"),
        pytest.param(["--upstream", "http://127.0.0.1:9"], "no admin listener to ask", id="no admin listener"),
        pytest.param(
            ["--upstream", "http://127.0.0.1:9", "--admin", "127.0.0.1:0"], "on a free port", id="a port nobody knows"
        ),
        pytest.param(["-c", "nowhere.yaml"], "missing file", id="a file that is not there"),
    ],
)
def test_a_configuration_without_an_answer_is_status_2(args: list[str], said: str, tmp_path: Path) -> None:
    """There is nothing to ask, and the message says what to do."""
    status, _, lines = invoked("healthcheck", *args, directory=tmp_path)
    assert status == 2
    assert said in lines[0]


@pytest.mark.parametrize(
    ("words", "variable", "address"),
    [
        ("healthcheck --admin 127.0.0.1:8081", "", ("127.0.0.1", 8081)),
        ("healthcheck --admin=[::1]:8081", "", ("::1", 8081)),
        ("healthcheck --admin 8081", "127.0.0.1:1", ("127.0.0.1", 8081)),
        ("healthcheck", "0.0.0.0:8081", ("127.0.0.1", 8081)),
        ("healthcheck", "[::]:8081", ("::1", 8081)),
        ("healthcheck", "localhost:8081", ("localhost", 8081)),
        ("healthcheck", "", None),
        ("healthcheck", "unix:/run/admin.sock", None),
        ("healthcheck", "127.0.0.1:0", None),
        ("healthcheck", "127.0.0.1:65536", None),
        ("healthcheck --admin", "127.0.0.1:1", None),
        ("healthcheck -c x.yaml", "127.0.0.1:1", None),
        ("healthcheck --help", "127.0.0.1:1", None),
        ("serve", "127.0.0.1:1", None),
    ],
)
def test_an_address_that_is_named_outright_needs_no_command_line(
    words: str, variable: str, address: tuple[str, int] | None
) -> None:
    """Whatever is not plain is left to the command line, which has the words for it."""
    assert quick_address(words.split(), {"CORSPROXY_ADMIN": variable}) == address


def test_a_health_check_loads_next_to_nothing() -> None:
    """It runs every few seconds, also where CPU is short: click, YAML and the data path are a tenth of a second."""
    with started(config("http://127.0.0.1:9"), admin=True) as proxy:
        done = subprocess.run(
            [sys.executable, "-X", "importtime", "-m", "corsproxy", "healthcheck"],
            env={**os.environ, "PYTHONPATH": str(ROOT), "CORSPROXY_ADMIN": "{}:{}".format(*proxy.admin)},
            capture_output=True,
            text=True,
            check=False,
            timeout=DEADLINE,
        )
    assert done.returncode == 0, done.stderr
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert {name for name in loaded if name.startswith("corsproxy")} == {
        "corsproxy",
        "corsproxy.entry",
        "corsproxy.health",
    }
    assert not loaded & {"click", "yaml", "aiohttp", "asyncio", "http.client", "email"}


def test_a_proxy_that_hangs_is_unhealthy_in_time(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A connection is accepted by the kernel, and nothing comes."""
    monkeypatch.setattr("corsproxy.entry.TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert quick_healthcheck(("127.0.0.1", port)) == 1
    assert capsys.readouterr().err == f"unhealthy: 127.0.0.1:{port}: timed out\n"
