"""A command line of another program is answered with the equivalent one."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

import pytest

from tests.server.setup import ask
from tests.support.certificates import self_signed
from tests.support.command import invoked
from tests.support.process import ran, started
from tests.support.upstream import Upstream

GUESSES = {
    "serve --port 3000 --upstream http://localhost:1": "corsproxy serve --listen 3000 --upstream http://localhost:1",
    "serve --port=3000 --target=http://a": "corsproxy serve --listen=3000 --upstream=http://a",
    "serve -p 3000 --upstream http://localhost:1": "corsproxy serve --listen 3000 --upstream http://localhost:1",
    "serve http://localhost:3000": "corsproxy serve --upstream http://localhost:3000",
    "serve 3000": "corsproxy serve --upstream http://localhost:3000",
    "serve -p 3001 3002": "corsproxy serve --listen 3001 --upstream http://localhost:3002",
    "http://localhost:3000": "corsproxy serve --upstream http://localhost:3000",
    "localhost:3000 --listen 1": "corsproxy serve --upstream http://localhost:3000 --listen 1",
    "--upstream http://localhost:3000": "corsproxy serve --upstream http://localhost:3000",
    "serve --upstream http://a --upstream http://b": "corsproxy serve --upstream http://a --route /api=http://b",
    "serve --upstream http://a --allow-origins http://b": "corsproxy serve --upstream http://a --allow-origin http://b",
    "serve --upstream http://a --allow-credentials yes": "corsproxy serve --upstream http://a --allow-credentials",
    "serve --upstream http://a --allow-credentials false": "corsproxy serve --upstream http://a --no-allow-credentials",
    "serve --upstream http://a --watch off": "corsproxy serve --upstream http://a",
    "help": "corsproxy --help",
    "help serve": "corsproxy serve --help",
    "version": "corsproxy --version",
}


@pytest.mark.parametrize(("guess", "line"), GUESSES.items())
def test_a_first_guess_is_answered_with_the_line_to_type(guess: str, line: str) -> None:
    """No other line looks like advice."""
    status, _, said = invoked(*guess.split())
    assert status == 2
    assert said[-1] == f"Write: {line}"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http:/a", "'http:/a': expected an absolute http or https URL: write http://a"),
        ("https//a/x", "'https//a/x': expected an absolute http or https URL: write https://a/x"),
        ("a:1", "'a:1': expected an absolute http or https URL: write"),
        ("http:/u:p@a", "'http:/…@a': expected an absolute http or https URL"),
        ("http://", "'http://': expected an absolute http or https URL"),
    ],
)
@pytest.mark.parametrize("command", ["probe", "verify"])
def test_a_mistyped_url_of_a_deployment_is_shown_as_it_was_meant(command: str, url: str, said: str) -> None:
    """And no login in it is."""
    options = ["--upstream", "http://a"] if command == "verify" else []
    status, _, errors = invoked(command, url, *options)
    assert status == 2
    assert said in errors[-1]
    assert "u:p" not in errors[-1]
    assert ("write" in errors[-1]) == ("write" in said)


QUICK = "explain / --upstream http://a --allow-origin https://a.example --origin"


@pytest.mark.parametrize(
    ("line", "because"),
    [
        (f"{QUICK} https://b.example", "the allowed origins do not include https://b.example"),
        (f"{QUICK} https://a.example --method PUT --allow-method GET", "the allowed methods do not include PUT"),
        (f"{QUICK} https://a.example --header X-A --allow-header X-B", "the allowed headers do not include every"),
        (f"{QUICK} https://a.example --credentials --no-allow-credentials", "credentials are not allowed"),
    ],
)
def test_quick_mode_is_explained_without_a_policy_that_nobody_wrote(line: str, because: str) -> None:
    """The first line has no key of a file."""
    status, said, _ = invoked(*line.split())
    assert status == 1
    assert because in said[0]
    assert "policy quick" not in said[0]


def test_an_upstream_that_is_a_port_is_one_of_this_machine() -> None:
    """The message has the whole option."""
    status, _, said = ran("serve", "--upstream", "3001")
    assert (status, len(said)) == (2, 1)
    assert said[0].endswith("write --upstream http://localhost:3001")


def test_a_star_that_the_shell_has_filled_in_is_known_by_the_names(tmp_path: Path) -> None:
    """Nobody allows the origins README.md and setup.py."""
    for name in ("README.md", "setup.py"):
        (tmp_path / name).touch()
    status, _, said = ran("serve", "--allow-origin", "README.md", "setup.py", directory=tmp_path)
    assert status == 2
    assert said[-1] == "Error: the shell replaces a bare * with file names: write --allow-origin '*'"


def test_a_port_in_use_is_answered_with_another() -> None:
    """The next option to try is written out."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, _, said = ran("serve", "--upstream", "http://localhost:1", "--listen", str(port))
    assert status == 3
    assert said[0].endswith(f"or take another port, as in --listen 127.0.0.1:{(port + 10) % 65536}")


def test_a_self_signed_upstream_names_insecure_and_insecure_helps(tmp_path: Path) -> None:
    """Once for each upstream, with what it means."""
    made = self_signed(tmp_path, "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.certificate, made.private_key)
    with Upstream(tls=context) as upstream:
        url = upstream.url.replace("http:", "https:")
        with started(None, "--upstream", url) as proxy:
            assert ask(proxy.address).status == 502
            proxy.stderr.wait_line(r"^the certificate of https://127\.0\.0\.1:\d+ is not trusted here; .*--insecure$")
        with started(None, "--upstream", url, "--insecure") as proxy:
            assert ask(proxy.address).status == 200


def test_a_refused_loopback_upstream_in_a_container_names_its_host() -> None:
    """The server runs beside the container, not in it."""
    with socket.socket() as dead:
        dead.bind(("127.0.0.1", 0))
        port = dead.getsockname()[1]
        environ = {"container": "podman"}
        with started(None, "--upstream", f"http://127.0.0.1:{port}", environ=environ) as proxy:
            assert ask(proxy.address).status == 502
            proxy.stderr.wait_line(rf"http://host\.docker\.internal:{port} .* or use docker run --network host$")
