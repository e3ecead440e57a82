"""Probe against third-party servers, configured as they often are; each finding was confirmed by hand.

What each is known to do is in its file under `servers/`; the comments say why a finding is right.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.process import started
from tests.support.programs import free_port, launched, needs, wait_until_listening
from tests.support.upstream import Upstream
from tests.tools.probe_servers import codes, probed

HERE = Path(__file__).with_name("servers")
NODE_MODULES = HERE / "node_modules"
_ADDRESS = r"(?i)(?:running|listening|available) on:?\s+(http://127\.0\.0\.1:\d+)|(http://127\.0\.0\.1:\d+)"


@contextlib.contextmanager
def served(*command: str) -> Iterator[str]:
    """Run a server that prints its address, and yield its URL."""
    with launched(*command, folder=HERE) as output:
        found = output.wait_line(_ADDRESS)
        yield found[1] or found[2]


@contextlib.contextmanager
def nginx(folder: Path) -> Iterator[str]:
    """Run nginx, and yield its URL."""
    port = free_port()
    config = folder / "nginx.conf"
    config.write_text((HERE / "nginx.conf").read_text().replace("@PORT@", str(port)))
    with launched("nginx", "-p", str(folder), "-c", str(config), "-e", "stderr", folder=folder):
        wait_until_listening(port)
        yield f"http://127.0.0.1:{port}"


def node() -> str:
    """Find Node with the packages of `servers/package.json`."""
    found = needs("node", "install Node.js (Debian: apt-get install nodejs npm)")
    if not NODE_MODULES.is_dir():
        pytest.skip(f"no packages: npm install --no-package-lock --prefix {HERE.relative_to(Path.cwd())}")
    return found


def test_flask_cors() -> None:
    """Whatever asks is granted with cookies, null too; an answer without Origin has no Vary."""
    pytest.importorskip("flask_cors")
    with served(
        sys.executable, "-m", "flask", "--app", "flask_app.py", "run", "--host", "127.0.0.1", "--port", "0"
    ) as url:
        status, report, _ = probed(f"{url}/books", credentials=True)
    assert report["verdict"]["allowed"]
    assert codes(report) == {
        "reflects_any_origin": "error",
        "accepts_null": "error",
        "missing_vary": "warning",
    }
    assert status == 1


def test_starlette() -> None:
    """The dot before example matches any character; an uncaught error has no grant."""
    pytest.importorskip("starlette")
    command = (sys.executable, "-m", "uvicorn", "starlette_app:app", "--host", "127.0.0.1", "--port", "0")
    with served(*command) as url:
        status, report, _ = probed(f"{url}/books", method="PUT", credentials=True)
    assert report["verdict"]["allowed"]
    assert codes(report) == {"unescaped_dot": "error", "error_without_grant": "warning", "max_age_zero": "note"}
    assert status == 1


def test_django_cors_headers() -> None:
    """The expression has no end, and the s is optional: prefix and plain http are granted with cookies."""
    pytest.importorskip("corsheaders")
    with served(sys.executable, "django_app.py") as url:
        status, report, _ = probed(f"{url}/books", "Content-Type", method="POST", credentials=True)
    assert report["verdict"]["allowed"]
    assert codes(report) == {"prefix_match": "error", "trusts_http_origin": "warning", "max_age_excessive": "note"}
    assert status == 1


def test_express_cors() -> None:
    """Whatever ends in example.com is granted: evilexample.com, and plain http."""
    with served(node(), "express_app.js") as url:
        status, report, _ = probed(f"{url}/books", "Content-Type", method="POST", credentials=True)
    assert codes(report) == {"suffix_match": "error", "trusts_http_origin": "warning", "max_age_missing": "note"}
    assert status == 1


def test_nginx(tmp_path: Path) -> None:
    """Everybody is reflected with cookies, Vary is nowhere, and errors have no grant without `always`."""
    needs("nginx", "install it (Debian: apt-get install nginx-light)")
    with nginx(tmp_path) as url:
        status, report, _ = probed(f"{url}/books", "Content-Type", method="PUT")
    assert report["verdict"]["allowed"]
    assert codes(report) == {
        "reflects_any_origin": "error",
        "accepts_null": "error",
        "missing_vary": "warning",
        "error_without_grant": "warning",
        "max_age_excessive": "note",
    }
    assert status == 1


def test_http_server(tmp_path: Path) -> None:
    """A star for everyone, on errors too: the only finding is that preflights are not cached."""
    (tmp_path / "books").write_text("[]")
    binary = str(NODE_MODULES / "http-server" / "bin" / "http-server")
    with served(node(), binary, str(tmp_path), "--cors", "-a", "127.0.0.1", "-p", "0") as url:
        status, report, _ = probed(f"{url}/books", "X-Requested-With")
    assert report["verdict"]["allowed"]
    assert codes(report) == {"max_age_missing": "note"}
    assert status == 0


def test_corsproxy_itself() -> None:
    """Before any of these, corsproxy: nothing is found, errors and refusals included."""
    origins = "allow_origins: [https://app.example.com], allow_credentials: true"
    policy = f"{{{origins}, allow_methods: [PUT], allow_headers: [Content-Type]}}"
    config = "upstreams: {{a: {url}}}\npolicies:\n  p: {policy}\nroutes: [{{path: /books, upstream: a, policy: p}}]\n"
    with (
        Upstream.answering(
            b"HTTP/1.1 404 Not Found\r\nAccess-Control-Allow-Origin: *\r\nContent-Length: 0\r\n\r\n"
        ) as upstream,
        started(config.format(url=upstream.url, policy=policy)) as proxy,
    ):
        status, report, _ = probed(f"{proxy.url}/books", "Content-Type", method="PUT", credentials=True)
    assert report["verdict"]["allowed"]
    assert codes(report) == {}
    assert status == 0
