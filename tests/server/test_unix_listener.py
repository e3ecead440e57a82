"""A listener on a Unix socket: its permissions, its file, and what it never replaces."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from corsproxy.errors import UsageError
from corsproxy.server.listen.sockets import EVERYBODY, open_listeners
from corsproxy.settings import UnixAddress
from tests.server.setup import config
from tests.support.process import ran, started
from tests.support.upstream import Upstream

NOBODY = 65534


def test_a_unix_socket_is_served_replaced_when_stale_and_removed_at_the_end(tmp_path: Path) -> None:
    """A stale socket file is replaced; at the end there is none."""
    path = tmp_path / "proxy.sock"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    with Upstream() as upstream, started(config(upstream), "--listen", f"unix:{path}") as proxy:
        assert proxy.unix_path == str(path)
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            client.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            assert client.recv(100).startswith(b"HTTP/1.1 200 OK\r\n")
        status, _, said = ran("serve", "--upstream", upstream.url, "--listen", f"unix:{path}")
        message = f"corsproxy: cannot listen on unix:{path} (--listen): the address is in use"
        assert (status, said) == (3, [f"{message}: stop what listens there, or take another path"])
        assert proxy.stop() == 0
        assert not path.exists()


@pytest.mark.parametrize(("workers", "umask"), [(1, 0o000), (1, 0o077), (2, 0o022), (2, 0o077)])
def test_everybody_whom_the_directory_lets_through_may_connect(workers: int, umask: int, tmp_path: Path) -> None:
    """A server in front is another user; the umask, which a service manager makes strict, is for files with content.

    The admin listener is for the own group.
    """
    path, admin = tmp_path / "proxy.sock", tmp_path / "admin.sock"
    before = os.umask(umask)
    try:
        text = config("http://127.0.0.1:9", f"admin: unix:{admin}\nworkers: {workers}")
        with started(text, "--listen", f"unix:{path}") as proxy:
            proxy.stderr.wait_line("routes:")
            assert stat.S_IMODE(path.lstat().st_mode) == 0o666
            assert stat.S_IMODE(admin.lstat().st_mode) == 0o660
            assert ran("healthcheck", "-c", str(proxy.config))[0] == 0
            assert proxy.stop() == 0
            assert not path.exists()
            assert not admin.exists()
    finally:
        os.umask(before)


def message(path: Path) -> str:
    """Try to listen there, and give what is said; that a process says it is shown above."""
    with pytest.raises(UsageError) as raised:
        open_listeners(UnixAddress(str(path)), "--listen", EVERYBODY)
    assert raised.value.status == 3
    return str(raised.value).removeprefix(f"cannot listen on unix:{path} (--listen): ")


@pytest.mark.parametrize("kind", ["file", "directory", "link to a socket", "dangling link", "pipe"])
def test_what_is_no_socket_is_never_replaced(kind: str, tmp_path: Path) -> None:
    """A mistyped path must not cost a file, and a link to another program's socket is not followed."""
    path, stale = tmp_path / "proxy.sock", tmp_path / "stale.sock"
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(stale))
    match kind:
        case "file":
            path.write_text("content", encoding="utf-8")
        case "directory":
            path.mkdir()
        case "link to a socket":
            path.symlink_to(stale)
        case "dangling link":
            path.symlink_to(tmp_path / "nowhere")
        case "pipe":
            os.mkfifo(path)
    before = path.lstat()
    assert message(path) == "there is a file that is not a socket: remove it, or take another path"
    assert path.lstat() == before
    assert stale.exists()


def test_a_socket_of_another_kind_is_in_use(tmp_path: Path) -> None:
    """One for datagrams, as a log daemon has it, does not answer as ours would, and is not stale."""
    path = tmp_path / "log.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
        log.bind(str(path))
        assert message(path) == "the address is in use: stop what listens there, or take another path"
        assert path.exists()


def test_a_socket_that_took_our_place_is_left_alone(tmp_path: Path) -> None:
    """Who removed ours and put another there keeps it when we end."""
    path = tmp_path / "proxy.sock"
    with started(config("http://127.0.0.1:9"), "--listen", f"unix:{path}") as proxy:
        path.unlink()
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(str(path))
        assert proxy.stop() == 0
        assert path.exists()


def test_a_login_of_the_connection_is_refused(tmp_path: Path) -> None:
    """A server in front sends the requests of many clients over it: `connection_login: auto` passes no login on."""
    path = tmp_path / "proxy.sock"
    with Upstream() as upstream, started(config(upstream), "--listen", f"unix:{path}"):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            client.sendall(b"GET / HTTP/1.1\r\nHost: h\r\nAuthorization: NTLM hello\r\n\r\n")
            assert client.recv(100).startswith(b"HTTP/1.1 502 Bad Gateway\r\n")
        assert upstream.requests == []


def test_a_missing_directory_is_reported(tmp_path: Path) -> None:
    """It is not created, because its mode would be unclear."""
    assert message(tmp_path / "none" / "proxy.sock") == "the directory is missing: make it, or take another path"


def test_a_directory_that_we_may_not_write_to_names_the_user_who_should(tmp_path: Path) -> None:
    """It is not about ports."""
    script = (
        "import os; from corsproxy.server.listen.sockets import open_listeners;"
        "from corsproxy.settings import UnixAddress;"
        f"os.geteuid() or os.seteuid({NOBODY});"
        f"open_listeners(UnixAddress('{tmp_path}/proxy.sock'), 'listen', 0o666)"
    )
    tmp_path.chmod(0o555)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=False)
    user = os.geteuid() or NOBODY
    assert f"(listen): permission denied for user {user}, as whom corsproxy runs: let that user write" in done.stderr
