"""The recipes of the desk, run as they are written: the page's own start, the page's own curl, the page's own output.

A page shows `corsproxy serve ...`, behind the file it reads if it reads one, then `curl ...`, then what that prints.
The listener goes to a free port of loopback and the upstream to one of the test's; curl is led there whatever address
it was given, so that everything else is what a reader would type.
"""

from __future__ import annotations

import os
import re
import shlex
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pytest

from tests.recipes import RECIPES
from tests.support.certificates import Certificate, self_signed
from tests.support.process import DEADLINE, Proxy, started
from tests.support.programs import free_port, needs
from tests.support.upstream import OK, Connection, Script, Upstream

ROOT = RECIPES.parents[1]
LOGIN = b"""HTTP/1.1 302 Found\r
Location: http://%b/account\r
Set-Cookie: sid=1; Domain=example.com; Path=/; Secure; HttpOnly\r
Content-Length: 0\r
\r
"""


@dataclass(frozen=True, slots=True)
class Recipe:
    """A page, the upstream's address in it, and how the upstream is to answer."""

    page: str
    upstream: str
    answer: bytes = OK


@dataclass(frozen=True, slots=True)
class Run:
    """One start of a page with its request."""

    file: str
    """The YAML before it; nothing where the start reads none."""
    serve: str
    curl: str
    output: str


RECIPES_AT_THE_DESK = [
    Recipe("README.md", "http://localhost:8000"),
    Recipe("docs/recipes/phone-on-the-lan.md", "http://localhost:8000"),
    Recipe("docs/recipes/hosts-file-name.md", "http://localhost:8000"),
    Recipe("docs/recipes/self-signed-api.md", "https://localhost:8443"),
    Recipe("docs/recipes/remote-staging.md", "https://staging.example.com", LOGIN),
    Recipe("docs/recipes/beside-vite.md", "http://localhost:8000"),
    Recipe("docs/recipes/https-on-localhost.md", "http://localhost:8000"),
    Recipe("docs/recipes/platform-port.md", "https://api.example.com"),
    Recipe("docs/recipes/moving.md", r"https://api.example.com|http://127.0.0.1:8000"),
]


def runs(page: str) -> Iterator[Run]:
    """Find every request of a page that shows its output, with the start and the file nearest before it."""
    file = serve = curl = ""
    text = (ROOT / page).read_text(encoding="utf-8")
    for language, indented in re.findall(r"^ *```(\w*)\n(.*?)^ *```", text, flags=re.MULTILINE | re.DOTALL):
        block = dedent(indented)
        if language == "yaml":
            file = block
        elif language == "sh" and block.startswith("curl "):
            curl = block
        elif language == "sh" and (line := re.search(r"^corsproxy serve .*$", block, flags=re.MULTILINE)):
            serve = line[0]
        elif language == "text" and curl:
            yield Run(file if " -c " in serve else "", serve, curl, block)
            curl = ""


RUNS = [
    pytest.param(recipe, run, id=f"{Path(recipe.page).stem}-{number}")
    for recipe in RECIPES_AT_THE_DESK
    for number, run in enumerate(runs(recipe.page), 1)
]


def test_every_recipe_shows_a_request_and_its_output() -> None:
    """Each page has a run, and those that move from three programs or start twice have as many."""
    counts = {recipe.page: len(list(runs(recipe.page))) for recipe in RECIPES_AT_THE_DESK}
    assert all(counts.values()), counts
    assert counts["docs/recipes/moving.md"] == 3
    assert counts["docs/recipes/self-signed-api.md"] == 2


@pytest.mark.parametrize(("recipe", "run"), RUNS)
def test_a_recipe_does_what_its_page_says(recipe: Recipe, run: Run, tmp_path: Path) -> None:
    """Started as written, asked as written, it prints what the page shows."""
    made = self_signed(tmp_path, "localhost") if recipe.upstream.startswith("https://localhost") else None
    with Upstream(answering(recipe.answer), tls=server_tls(made)) as upstream:
        url = upstream.url.replace("https://127.0.0.1", "https://localhost")
        command, file = (re.sub(recipe.upstream, url, text) for text in (run.serve, run.file))
        assert url in command + file
        if made is not None:
            file = file.replace("/etc/corsproxy/api.pem", str(made.certificate))
        options = [word for word in shlex.split(command)[2:] if word not in {"-c", "corsproxy.yaml"}]
        if "--listen" in options:
            options[options.index("--listen") + 1] = "127.0.0.1:0"
        environ = {"HOME": str(tmp_path), "XDG_DATA_HOME": "", "PORT": "0"}
        with started(file or None, *options, environ=environ, directory=tmp_path) as proxy:
            assert printed(run.curl, proxy, tmp_path) == run.output


def answering(answer: bytes) -> Script:
    """Answer each request so, with the Host it was sent for `%b`."""

    def script(connection: Connection) -> None:
        while True:
            host = connection.read_request().values(b"host")[0]
            connection.send(answer.replace(b"%b", host))

    return script


def server_tls(made: Certificate | None) -> ssl.SSLContext | None:
    """Return what an upstream with that certificate speaks TLS by."""
    if made is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.certificate, made.private_key)
    return context


def test_readmes_curl_needs_no_upstream(tmp_path: Path) -> None:
    """The proxy's own 502 has the grant as well, so that the first try works before the API runs."""
    run = next(runs("README.md"))
    with started(None, "--upstream", f"http://127.0.0.1:{free_port()}", directory=tmp_path) as proxy:
        assert printed(run.curl, proxy, tmp_path) == run.output


def printed(command: str, proxy: Proxy, home: Path) -> str:
    """Run a page's command line with a curl that connects to the proxy, whatever address it is given."""
    host, port = proxy.address
    curl = home / "bin" / "curl"
    curl.parent.mkdir()
    real = needs("curl", "apt-get install curl")
    curl.write_text(f'#!/bin/sh\nexec {real} -q --noproxy "*" --connect-to "::{host}:{port}" "$@"\n', encoding="utf-8")
    curl.chmod(0o755)
    environ = {**os.environ, "HOME": str(home), "PATH": f"{curl.parent}:{os.environ['PATH']}"}
    done = subprocess.run(["sh", "-c", command], env=environ, stdout=subprocess.PIPE, check=False, timeout=DEADLINE)
    return done.stdout.decode().replace("\r", "")
