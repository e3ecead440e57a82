"""What a user reads when something is unusual: on start, and where a file is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.command import invoked
from tests.support.process import started


@pytest.mark.parametrize(
    ("url", "shown"),
    [("unix:/run/api.sock", "(unix:/run/api.sock)"), ("unix:/run/api.sock:/v2", "(unix:/run/api.sock:/v2)")],
)
def test_the_routing_table_shows_a_socket_as_it_was_written(url: str, shown: str) -> None:
    """A colon follows the socket only before a base path."""
    config = f"upstreams: {{api: '{url}'}}\nroutes: [{{path: /, upstream: api}}]\n"
    with started(config) as proxy:
        proxy.stderr.wait_line(r"prefix +api ")
        assert shown in proxy.stderr.text


@pytest.mark.parametrize(
    "line", ["upstreams: {api: ${URL}}", "trusted_proxies: [${PROXY}]", "upstreams: {api: {url: http://${HOST}}}"]
)
def test_the_message_about_a_bare_variable_in_brackets_says_to_quote_it(tmp_path: Path, line: str) -> None:
    """YAML reads the brace as its own there, so the message names the variable and not the comma."""
    file = tmp_path / "corsproxy.yaml"
    file.write_text(line + "\n", encoding="utf-8")
    status, said, _ = invoked("check", str(file))
    assert status == 2
    assert said[0].endswith("inside [ ] and { } a variable needs quotes: '${NAME}'"), said


def test_init_says_what_is_missing_and_what_to_run(tmp_path: Path) -> None:
    """The command can be pasted, whatever the file is called."""
    status, _, said = invoked("init", "none/new.yaml", directory=tmp_path)
    assert (status, said) == (2, ["corsproxy: cannot write none/new.yaml: its directory is missing; create it first"])
    status, told, _ = invoked("init", "my file.yaml", directory=tmp_path)
    assert status == 0
    assert told[0].endswith("then run: corsproxy check 'my file.yaml'")
