"""The inspector's `explain`: what the configuration in force says of a request, and what to change."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.server.setup import APP, OTHER, ask, config
from tests.support.process import Proxy, started
from tests.support.upstream import OK, Upstream

POLICY = f"allow_origins: [{APP}], allow_methods: [GET, PUT], allow_headers: [Content-Type], allow_credentials: true"


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    """Answer everything."""
    with Upstream.answering(OK) as running:
        yield running


@pytest.fixture(scope="module")
def proxy(upstream: Upstream) -> Iterator[Proxy]:
    """Run a proxy with the inspector."""
    with started(config(upstream, policy=POLICY), "--inspect", admin=True) as running:
        yield running


def explain(proxy: Proxy, *question: tuple[str, str]) -> dict[str, Any]:
    """Ask the inspector to explain, and give its answer."""
    status, text = proxy.ask_admin(f"/explain?{urlencode(question)}")
    assert status == 200, text
    answer: dict[str, Any] = json.loads(text)
    return answer


def test_explain_names_the_line_and_the_change(proxy: Proxy) -> None:
    """A refusal has its reason, the line of the running file, and a patch that allows it."""
    found = explain(proxy, ("path", "/orders"), ("origin", OTHER), ("method", "PUT"), ("header", "X-Trace"))
    assert (found["verdict"]["allowed"], found["reason"]) == (False, "origin_not_allowed")
    assert (found["decided_by"]["file"], found["decided_by"]["path"]) == (
        str(proxy.config),
        "policies.app.allow_origins",
    )
    assert re.search(rf"^\+.*{re.escape(OTHER)}.*$", found["change"]["patch"], re.MULTILINE)
    assert explain(proxy, ("path", "/orders"), ("origin", APP), ("method", "PUT"), ("credentials", "1"))["verdict"][
        "allowed"
    ]


def test_explain_goes_by_the_configuration_in_force(upstream: Upstream) -> None:
    """After a reload the new file is asked; a bad file that was not taken is not."""
    with started(config(upstream), "--inspect", admin=True) as running:
        question = (("path", "/"), ("origin", OTHER))
        assert not explain(running, *question)["verdict"]["allowed"]
        running.reload(config(upstream, policy=f"allow_origins: [{OTHER}]"))
        running.stderr.wait_line("configuration reloaded")
        assert explain(running, *question)["verdict"]["allowed"]
        running.reload("nonsense: true")
        running.stderr.wait_line("configuration not reloaded")
        assert explain(running, *question)["verdict"]["allowed"]


@pytest.mark.parametrize(
    ("question", "said"),
    [
        pytest.param([("path", "orders")], "a path begins with '/'", id="a path that is none"),
        pytest.param([("path", "/" + "a" * 3000)], "path: more than 2048 characters", id="a path that is too long"),
        pytest.param([("origin", "https://" + "a" * 600)], "origin: more than 512", id="an origin that is too long"),
        pytest.param([("header", "X-A")] * 65, "header: more than 64 names", id="too many headers"),
        pytest.param([("header", "X A")], "invalid header name 'X A'", id="a header that is none"),
        pytest.param([("method", "G T")], "invalid method 'G T'", id="a method that is none"),
        pytest.param([("file", "/etc/passwd")], "unknown parameter 'file'", id="a parameter that there is not"),
    ],
)
def test_an_invalid_question_is_refused_with_the_reason(
    proxy: Proxy, question: list[tuple[str, str]], said: str
) -> None:
    """The answer is 400 with a sentence, never a traceback, and the size of a question is bounded."""
    status, text = proxy.ask_admin(f"/explain?{urlencode(question)}")
    assert status == 400
    assert said in json.loads(text)["error"]


def test_in_quick_mode_the_change_is_a_command_line(upstream: Upstream) -> None:
    """Without a file the fix is how to start the proxy: with it, the origin is granted."""
    options = ["--upstream", upstream.url, "--allow-origin", APP]
    with started(None, *options, "--inspect", admin=True) as quick:
        found = explain(quick, ("path", "/a"), ("origin", OTHER), ("method", "PUT"), ("header", "Authorization"))
    assert found["quick"] is True
    command = found["change"]["command"]
    assert command.startswith(f"corsproxy serve --upstream {upstream.url} --allow-origin {APP} --allow-origin {OTHER} ")
    assert "--inspect" in command
    assert found["decided_by"]["text"] == "allow_origins:"
    with started(None, *options, "--allow-origin", OTHER) as again:
        assert ask(again.address, "/a", Origin=OTHER).cors["access-control-allow-origin"] == OTHER


@pytest.mark.parametrize(
    ("options", "question", "said"),
    [
        pytest.param([], {"origin": "null"}, "serve it over HTTP", id="a page without an origin has to get one"),
        pytest.param([], {"origin": "http://site.example"}, "dangerously_allow", id="plain HTTP needs a file"),
        pytest.param([], {"origin": "https://A.example"}, "not what any browser sends", id="a malformed origin"),
    ],
)
def test_in_quick_mode_it_is_said_where_no_option_helps(
    upstream: Upstream, options: list[str], question: dict[str, str], said: str
) -> None:
    """No command is proposed that would be refused at start."""
    with started(None, "--upstream", upstream.url, *options, "--inspect", admin=True) as quick:
        found = explain(quick, ("path", "/"), *question.items())
    assert found["change"] is None
    assert said in found["no_change"]


def test_credentials_behind_a_star_are_had_by_naming_the_origin(upstream: Upstream) -> None:
    """`--allow-origin '*'` never goes with credentials; the command names the origin in its place."""
    with started(None, "--upstream", upstream.url, "--allow-origin", "*", "--inspect", admin=True) as quick:
        found = explain(quick, ("path", "/"), ("origin", APP), ("credentials", "1"))
    assert found["reason"] == "credentials_not_allowed"
    assert f"--allow-origin {APP}" in found["change"]["command"]
    assert "'*'" not in found["change"]["command"]
