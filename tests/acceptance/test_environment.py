"""Every option has a twin in the environment, and what is nearer to the user counts: option, environment, file."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from tests.acceptance.client import ask
from tests.support.command import invoked
from tests.support.process import Process, ran, started
from tests.support.upstream import Upstream

FILE = """
listen: 127.0.0.1:3
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
    """`healthcheck` takes the same options as `serve`."""
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
    status, said, _ = invoked("explain", "/x", environ=environ, directory=tmp_path)
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
    assert invoked("check", environ=environ, directory=tmp_path)[1] == ["my.yaml: valid: 1 upstream, 1 policy, 1 route"]
    assert invoked("check", "none.yaml", environ=environ, directory=tmp_path)[0] == 2


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"CORSPROXY_WORKERS": "many"}, "CORSPROXY_WORKERS"),
        ({"CORSPROXY_WATCH": "maybe"}, "CORSPROXY_WATCH"),
        ({"CORSPROXY_LOG_LEVEL": "loud"}, "CORSPROXY_LOG_LEVEL"),
        ({"CORSPROXY_MAX_AGE": "soon"}, "CORSPROXY_MAX_AGE"),
        ({"CORSPROXY_ALLOW_CREDENTIALS": "maybe"}, "CORSPROXY_ALLOW_CREDENTIALS"),
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
        process = Process([word.format(config=config) for word in command], stdout=full.fileno(), fresh=True)
        try:
            assert process.wait() == 2, process.stderr.text
        finally:
            process.end()
    assert process.stderr.lines == [f"corsproxy: cannot write the output: {os.strerror(errno.ENOSPC)}"]


SOURCES = {"CORSPROXY_CONFIG": "my.yaml", "CORSPROXY_UPSTREAM": "http://b", "CORSPROXY_CONFIG_TEXT": FILE}


@pytest.mark.parametrize(
    ("args", "variables", "ignored"),
    [
        (
            ["--upstream", "http://127.0.0.1:9"],
            ["CORSPROXY_CONFIG"],
            "CORSPROXY_CONFIG is ignored: --upstream is given",
        ),
        (["--route", "/a=http://127.0.0.1:9"], ["CORSPROXY_CONFIG_TEXT"], "CORSPROXY_CONFIG_TEXT is ignored: --route"),
        (["-c", "my.yaml"], ["CORSPROXY_UPSTREAM"], "CORSPROXY_UPSTREAM is ignored: --config is given"),
        (["-c", "my.yaml"], ["CORSPROXY_CONFIG_TEXT"], "CORSPROXY_CONFIG_TEXT is ignored: --config is given"),
    ],
)
def test_a_source_on_the_command_line_beats_one_of_the_environment(
    args: list[str], variables: list[str], ignored: str, tmp_path: Path
) -> None:
    """With a line that says so."""
    (tmp_path / "my.yaml").write_text(FILE.format(upstream="http://127.0.0.1:9"), encoding="utf-8")
    environ = {name: SOURCES[name] for name in variables}
    with started(None, *args, "--admin", "127.0.0.1:0", environ=environ, directory=tmp_path) as proxy:
        assert any(line.startswith(ignored) for line in proxy.stderr.lines), proxy.stderr.text


@pytest.mark.parametrize(
    ("args", "variables"),
    [
        (["--upstream", "http://a", "-c", "my.yaml"], []),
        (["--route", "/=http://a", "-c", "my.yaml"], []),
        ([], ["CORSPROXY_CONFIG", "CORSPROXY_UPSTREAM"]),
        ([], ["CORSPROXY_CONFIG", "CORSPROXY_CONFIG_TEXT"]),
        ([], ["CORSPROXY_UPSTREAM", "CORSPROXY_CONFIG_TEXT"]),
    ],
)
def test_two_sources_of_one_rank_are_an_error(args: list[str], variables: list[str]) -> None:
    """Nobody can say which was meant."""
    status, _, said = ran("serve", *args, environ={name: SOURCES[name] for name in variables})
    assert status == 2
    assert len(said) == 1
    assert "exclude each other" in said[0]
    assert all(name in said[0] for name in variables)


def test_a_whole_file_may_come_as_text(tmp_path: Path) -> None:
    """A container without a volume: named files are relative to the working directory, and lines are reported."""
    with Upstream() as upstream:
        text = (
            FILE.format(upstream=upstream.url)
            .replace("listen: 127.0.0.1:3", "listen: 127.0.0.1:0")
            .replace("admin: 127.0.0.1:2", "admin: 127.0.0.1:0")
        )
        with started(None, listen=None, environ={"CORSPROXY_CONFIG_TEXT": text}, directory=tmp_path) as proxy:
            assert ask(proxy.address, b"/").status == 200
    bad = {"CORSPROXY_CONFIG_TEXT": text + "listne: 1\n"}
    status, said, _ = invoked("check", environ=bad, directory=tmp_path)
    assert status == 2
    assert said[0].startswith("CORSPROXY_CONFIG_TEXT:9:1: listne: unknown key 'listne': did you mean 'listen'?")


def test_a_list_in_the_environment_may_have_commas() -> None:
    """As users write them."""
    environ = {
        "CORSPROXY_UPSTREAM": "http://a",
        "CORSPROXY_ALLOW_METHOD": "PUT, PATCH,DELETE",
        "CORSPROXY_FORMAT": "json",
    }
    status, said, _ = invoked("explain", "/", "--origin", "http://localhost:1", "--method", "GET", environ=environ)
    assert status == 0, said
    for method, verdict in (("PATCH", 0), ("PROPFIND", 1)):
        assert (
            invoked("explain", "/", "--origin", "http://localhost:1", "--method", method, environ=environ)[0] == verdict
        )


@pytest.mark.parametrize(("value", "granted"), [("true", True), ("false", False), ("1", True), ("no", False)])
def test_the_twin_of_an_on_off_option_takes_true_and_false(value: str, granted: bool) -> None:
    """Both ways."""
    environ = {"CORSPROXY_UPSTREAM": "http://a", "CORSPROXY_ALLOW_CREDENTIALS": value}
    status, _, _ = invoked("explain", "/", "--origin", "http://localhost:1", "--credentials", environ=environ)
    assert (status == 0) is granted


MEANINGLESS = {
    "CORSPROXY_ALLOW_ORIGINS": ("https://a.example", "CORSPROXY_ALLOW_ORIGIN"),
    "CORSPROXY_CREDENTIALS": ("false", "CORSPROXY_ALLOW_CREDENTIALS"),
    "CORSPROXY_PORT": ("3000", "CORSPROXY_LISTEN"),
    "CORSPROXY_ORIGIN": ("https://a.example", "CORSPROXY_ALLOW_ORIGIN"),
    "CORSPROXY_NO_ALLOW_CREDENTIALS": ("1", "CORSPROXY_ALLOW_CREDENTIALS"),
    "CORSPROXY_STRICT": ("1", None),
    "CORSPROXY_XYZ": ("", None),
}
"""A plural, the twin of another command's option, a name of another program: the value, and what was meant."""


def test_a_variable_that_means_nothing_is_a_warning() -> None:
    """Each has its own, with the name that was probably meant."""
    environ = {name: value for name, (value, _) in MEANINGLESS.items()}
    with started(None, "--upstream", "http://127.0.0.1:9", environ=environ) as proxy:
        for name, (_, meant) in MEANINGLESS.items():
            (line,) = [line for line in proxy.stderr.lines if name + " " in line]
            assert "has no effect" in line
            assert (line.partition("did you mean ")[2] or None) == (f"{meant}?" if meant else None)


def test_a_variable_that_means_nothing_is_said_before_the_error_that_it_leads_to() -> None:
    """The upstream is missing because its variable is misspelt."""
    status, _, said = ran("serve", environ={"CORSPROXY_UPSTRAEM": "http://a"})
    assert status == 2
    assert said[0] == "warning: CORSPROXY_UPSTRAEM has no effect; did you mean CORSPROXY_UPSTREAM?"


def test_what_kubernetes_sets_for_a_service_of_that_name_is_passed_over() -> None:
    """And another command's variable is nothing to remark on under any command but `serve`."""
    address = "tcp://10.0.0.1:80"
    environ = {
        "CORSPROXY_PORT": address,
        "CORSPROXY_PORT_80_TCP": address,
        "CORSPROXY_PORT_80_TCP_ADDR": "10.0.0.1",
        "CORSPROXY_SERVICE_HOST": "10.0.0.1",
        "CORSPROXY_SERVICE_PORT_HTTP": "80",
        "CORSPROXY_STAGING_PORT": address,
        "CORSPROXY_STAGING_SERVICE_HOST": "10.0.0.1",
        "CORSPROXY_UPSTREAM": "http://127.0.0.1:9",
    }
    with started(None, environ=environ) as proxy:
        assert "no effect" not in proxy.stderr.text
    assert invoked("check", environ={**environ, "CORSPROXY_CREDENTIALS": "1"})[2] == []


def test_probe_takes_no_insecure_from_the_environment() -> None:
    """CORSPROXY_INSECURE is about the upstream."""
    status, _, said = ran("serve", environ={"CORSPROXY_UPSTREAM": "ftp://a", "CORSPROXY_INSECURE": "1"})
    assert status == 2
    assert "CORSPROXY_UPSTREAM: invalid scheme" in said[0]
    assert "CORSPROXY_INSECURE" not in "\n".join(invoked("probe", "--help")[1])


def test_an_option_that_beats_a_key_of_the_file_is_said(tmp_path: Path) -> None:
    """In an image the variable is set, and the file may belong to another user."""
    text = FILE.format(upstream="http://127.0.0.1:9").replace("workers: 1", "workers: 2")
    environ = {"CORSPROXY_LISTEN": "127.0.0.1:0", "CORSPROXY_WORKERS": "1", "CORSPROXY_LOG_FORMAT": "text"}
    with started(text, "--admin", "127.0.0.1:0", listen=None, environ=environ) as proxy:
        said = [line for line in proxy.stderr.lines if "is in force" in line]
        assert said == [
            f"CORSPROXY_LISTEN is in force: listen is 127.0.0.1:0, and not 127.0.0.1:3 as in {proxy.config}:2",
            f"--admin is in force: admin is 127.0.0.1:0, and not 127.0.0.1:2 as in {proxy.config}:3",
            f"CORSPROXY_WORKERS is in force: workers is 1, and not 2 as in {proxy.config}:4",
        ]


def test_an_option_of_quick_mode_has_no_place_beside_a_file(tmp_path: Path) -> None:
    """The message says what to write there; from the environment it is passed over where -c names the file."""
    (tmp_path / "my.yaml").write_text(FILE.format(upstream="http://127.0.0.1:9"), encoding="utf-8")
    status, _, said = invoked("check", "-c", "my.yaml", "--send-host", "client", directory=tmp_path)
    assert status == 2
    assert "--send-host goes with --upstream or --route: with a file (my.yaml), write host under an upstream" in said[0]
    environ = {"CORSPROXY_ALLOW_ORIGIN": "https://a.example"}
    assert invoked("check", "my.yaml", environ=environ, directory=tmp_path)[0] == 0
    assert invoked("check", environ={**environ, "CORSPROXY_CONFIG": "my.yaml"}, directory=tmp_path)[0] == 2


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--listen", "6000"], "--listen: warning: blocked port 6000"),
        (["--admin", "0.0.0.0:8081", "--inspect"], "--admin: warning: the inspector listens on 0.0.0.0:8081"),
        (["--listen", "8000"], "warning: the proxy itself listens on 127.0.0.1:8000"),
    ],
)
@pytest.mark.parametrize("source", ["file", "quick"])
def test_a_doubt_about_addresses_is_about_those_in_force(
    args: list[str], said: str, source: str, tmp_path: Path
) -> None:
    """Where an option takes the place of a key, it is the option that `serve` would run."""
    (tmp_path / "a.yaml").write_text(FILE.format(upstream="http://127.0.0.1:8000"))
    named = ["a.yaml"] if source == "file" else ["--upstream", "http://127.0.0.1:8000"]
    status, output, errors = invoked("check", *named, *args, "--strict", directory=tmp_path)
    assert status == 1
    assert said in "\n".join((*output, *errors))
    if args[0] == "--listen":
        assert "blocked port 1:" not in "\n".join(output)  # of the file, which is not in force


@pytest.mark.parametrize("args", [["--admin", "127.0.0.1:8080"], ["--listen", "9000", "--admin", "9000"]])
def test_one_address_for_both_listeners_is_wrong_usage(args: list[str]) -> None:
    """It is not a port that may be free the next time a supervisor tries."""
    for command in ("serve", "check"):
        status, _, errors = invoked(command, "--upstream", "http://127.0.0.1:8000", *args)
        assert status == 2
        assert "--admin: duplicate address 127.0.0.1:" in errors[-1]
