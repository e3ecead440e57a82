"""Every option has a twin in the environment, and what is nearer to the user counts: option, environment, file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.acceptance.client import ask
from tests.support.process import Process, ran, started
from tests.support.upstream import Upstream

FILE = """
listen: 127.0.0.1:1
admin: 127.0.0.1:2
workers: 1
log: {{format: text, level: error}}
upstreams: {{api: "{upstream}"}}
policies: {{app: {{allow_origins: ["https://app.example.com"]}}}}
routes: [{{path: /, upstream: api, policy: app}}]
"""


def test_the_environment_alone_runs_the_proxy() -> None:
    """A container needs no file and no command line: a list is separated by white space."""
    origins = "https://a.example  https://b.example\n https://c.example"
    with Upstream() as upstream:
        environ = {
            "CORSPROXY_UPSTREAM": upstream.url,
            "CORSPROXY_ALLOW_ORIGIN": origins,
            "CORSPROXY_LISTEN": "127.0.0.1:0",
            "CORSPROXY_ADMIN": "127.0.0.1:0",
            "CORSPROXY_INSPECT": "yes",
            "CORSPROXY_WORKERS": "2",
            "CORSPROXY_LOG_FORMAT": "json",
            "CORSPROXY_LOG_LEVEL": "warning",
        }
        with started(None, listen=None, environ=environ) as proxy:
            for origin in (*origins.split(), "https://d.example"):
                granted = (
                    f"access-control-allow-origin: {origin}"
                    in ask(proxy.address, b"/", b"Origin: " + origin.encode()).cors
                )
                assert granted == (origin in origins)
            assert proxy.ask_admin("/")[0] == 200
            assert {line["status"] for line in proxy.access_log(at_least=4)} == {200}


def test_an_option_counts_before_the_environment_and_that_before_the_file() -> None:
    """The addresses of the file could not be listened on; an empty variable says nothing."""
    environ = {
        "CORSPROXY_LISTEN": "127.0.0.1:3",
        "CORSPROXY_ADMIN": "127.0.0.1:0",
        "CORSPROXY_LOG_FORMAT": "json",
        "CORSPROXY_WORKERS": "",
    }
    with Upstream() as upstream:
        config = FILE.format(upstream=upstream.url)
        with started(config, "--listen", "127.0.0.1:0", listen=None, environ=environ) as proxy:
            assert ask(proxy.address, b"/").status == 200
            assert proxy.ask_admin("/healthz") == (200, "ok\n")
            assert proxy.access_log(at_least=1)[0]["status"] == 200


def test_healthcheck_finds_the_admin_listener_from_the_environment() -> None:
    """What `serve` was told, `healthcheck` is told in the same words."""
    with Upstream() as upstream, started(None, "--upstream", upstream.url, admin=True) as proxy:
        host, port = proxy.admin
        status, _, said = ran(
            "healthcheck", environ={"CORSPROXY_UPSTREAM": upstream.url, "CORSPROXY_ADMIN": f"{host}:{port}"}
        )
    assert (status, said) == (0, [])


def test_explain_takes_its_whole_question_from_the_environment(tmp_path: Path) -> None:
    """Every command's options have their twins, flags and lists too."""
    (tmp_path / "my.yaml").write_text(FILE.format(upstream="http://127.0.0.1:9"), encoding="utf-8")
    environ = {
        "CORSPROXY_CONFIG": "my.yaml",
        "CORSPROXY_ORIGIN": "https://app.example.com",
        "CORSPROXY_METHOD": "PUT",
        "CORSPROXY_HEADER": "X-One X-Two",
        "CORSPROXY_CREDENTIALS": "true",
        "CORSPROXY_FORMAT": "json",
    }
    status, said, _ = ran("explain", "/x", environ=environ, directory=tmp_path)
    asked = json.loads("\n".join(said))
    assert (status, asked["origin"], asked["method"], asked["headers"], asked["credentials"]) == (
        1,
        "https://app.example.com",
        "PUT",
        ["X-One", "X-Two"],
        True,
    )


def test_check_looks_at_the_file_that_serve_would_take(tmp_path: Path) -> None:
    """In a container the variable is set for both; a name on the command line goes before it."""
    (tmp_path / "my.yaml").write_text(FILE.format(upstream="http://127.0.0.1:9"), encoding="utf-8")
    environ = {"CORSPROXY_CONFIG": "my.yaml"}
    assert ran("check", environ=environ, directory=tmp_path)[1] == ["my.yaml: valid: 1 upstream, 1 policy, 1 route"]
    assert ran("check", "none.yaml", environ=environ, directory=tmp_path)[0] == 2


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"CORSPROXY_WORKERS": "many"}, "CORSPROXY_WORKERS"),
        ({"CORSPROXY_WATCH": "maybe"}, "CORSPROXY_WATCH"),
        ({"CORSPROXY_LOG_LEVEL": "loud"}, "CORSPROXY_LOG_LEVEL"),
        ({"CORSPROXY_CONFIG": "my.yaml"}, "CORSPROXY_CONFIG and CORSPROXY_UPSTREAM"),
    ],
)
def test_a_mistake_in_the_environment_names_the_variable(variables: dict[str, str], named: str) -> None:
    """Who reads the message looks in the right place."""
    status, _, said = ran("serve", "--upstream", "http://127.0.0.1:9", environ=variables)
    assert status == 2
    assert named in " ".join(said)
    assert "Traceback" not in " ".join(said)


@pytest.mark.parametrize("command", [["schema"], ["--help"], ["check", "{config}"], ["explain", "/", "-c", "{config}"]])
def test_a_full_disk_is_a_short_message(command: list[str], tmp_path: Path) -> None:
    """What cannot be written is said, without a traceback."""
    config = tmp_path / "corsproxy.yaml"
    config.write_text(FILE.format(upstream="http://127.0.0.1:9"), encoding="utf-8")
    with open("/dev/full", "wb") as full:
        process = Process([word.format(config=config) for word in command], stdout=full.fileno())
        try:
            assert process.wait() == 2, process.stderr.text
        finally:
            process.end()
    assert process.stderr.lines == ["corsproxy: cannot write the answer: No space left on device"]
