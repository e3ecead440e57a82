"""Write docs/cli.md from the program's own help, so that the two never differ: `make docs`.

A test holds the file to what this prints.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from corsproxy.cli import cli

WIDTH = 110

OPENING = """\
# Command line

Made from the program's own help by `make docs`; not for editing.

Every option has an environment twin, `CORSPROXY_` and its name in capitals (`--log-format` is
`CORSPROXY_LOG_FORMAT`).
An option that may be repeated takes a list separated by white space or commas there, and an on/off option `true` or
`false`.
An option wins over the environment, the environment over the file, the file over the default.
`serve` says so where an option or a variable beats a key of the file with another value.

A variable `CORSPROXY_*` that means nothing to the command is a warning with what was probably meant; under `serve`
the twin of another command's option is one too.
What Kubernetes sets for a service named `corsproxy` (`CORSPROXY_SERVICE_HOST`, `CORSPROXY_PORT=tcp://…`) is passed
over.
`--insecure` of `probe` and `verify` is not taken from the environment, where CORSPROXY_INSECURE is about the
upstream.

The configuration is a file (`-c`), a whole file as text in the variable `CORSPROXY_CONFIG_TEXT`, or [quick
mode](configuration.md#quick-mode) (`--upstream`, `--route`).
One named on the command line is taken before one of the environment, with a line that says so; two of the same rank
are an error.
`check`, `explain`, `learn`, `verify` and `healthcheck` take the same options and environment as `serve`, and speak
about what that would run.

The shell completes commands and options once it has been told how:
`eval "$(_CORSPROXY_COMPLETE=bash_source corsproxy)"` in `~/.bashrc`, the same with `zsh_source` in `~/.zshrc`,
and `_CORSPROXY_COMPLETE=fish_source corsproxy | source` for fish.

| exit status | meaning |
|---|---|
| 0 | success |
| 1 | the answer is no: blocked, unhealthy, findings, or warnings under `check --strict` |
| 2 | wrong usage, a wrong configuration, or an answer that cannot be written, said in a short message |
| 3 | a listener cannot be opened: its port is taken, or its address is not there yet; a supervisor may try again |
| 141 | nobody reads the answer any more, as when `head` has seen enough |

A `serve` that is asked to stop (`SIGTERM`, Ctrl-C) ends with 0, whatever became of its logs.
"""


def reference() -> str:
    """Return the whole page."""
    return OPENING + "".join(sections())


def sections() -> Iterator[str]:
    """Return one section for the program and one for each command, in the order of the alphabet."""
    yield section("corsproxy", cli, None)
    with click.Context(cli, info_name="corsproxy", **cli.context_settings) as parent:
        for name in sorted(cli.commands):
            yield section(f"corsproxy {name}", cli.commands[name], parent)


def section(title: str, command: click.Command, parent: click.Context | None) -> str:
    """Write one command's heading and help."""
    settings = {**command.context_settings, "terminal_width": WIDTH, "max_content_width": WIDTH}
    with click.Context(command, info_name=title.split()[-1], parent=parent, **settings) as context:
        lines = [line.rstrip() for line in command.get_help(context).splitlines()]
    return "\n".join(["", f"## {title}", "", "```text", *lines, "```", ""])


def main() -> int:
    """Write the page to the file named, or print it."""
    # What the help shows as a default must not come from this very environment.
    for name in [name for name in os.environ if name.startswith("CORSPROXY_")]:
        del os.environ[name]
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(reference(), encoding="utf-8")
    else:
        print(reference(), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
