"""Generates docs/cli.md from the program's help: `make docs`.

A test compares the file with the output.
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

Generated from the program's help by `make docs`; do not edit.

Every option has an environment variable: `CORSPROXY_` and its name in capitals (`--log-format` is
`CORSPROXY_LOG_FORMAT`).
For an option that may be repeated it is a list separated by white space or commas, for an on/off option `true` or
`false`.
An option takes precedence over the environment, the environment over the file, and the file over the default.
`serve` writes a note if an option or a variable overrides a key of the file with another value.

A `CORSPROXY_*` variable that has no effect on the command causes a warning with the probably intended name; under
`serve` so does the variable of another command's option.
Variables that Kubernetes sets for a service named `corsproxy` (`CORSPROXY_SERVICE_HOST`, `CORSPROXY_PORT=tcp://…`)
are ignored.
`--insecure` of `probe` and `verify` has no environment variable, because CORSPROXY_INSECURE concerns the upstream.

The configuration is a file (`-c`), a whole file as text in the variable `CORSPROXY_CONFIG_TEXT`, or [quick
mode](configuration.md#quick-mode) (`--upstream`, `--route`).
One named on the command line takes precedence over one in the environment, with a note; two of the same rank are an
error.
`check`, `explain`, `learn`, `verify` and `healthcheck` take the same options and variables as `serve`, and work on the
configuration that it would run.

To complete commands and options in a shell, put `eval "$(_CORSPROXY_COMPLETE=bash_source corsproxy)"` into
`~/.bashrc`, the same with `zsh_source` into `~/.zshrc`, or run `_CORSPROXY_COMPLETE=fish_source corsproxy | source` in
fish.

| exit status | meaning |
|---|---|
| 0 | success |
| 1 | the answer is no: blocked, unhealthy, findings, or warnings under `check --strict` |
| 2 | a mistake in the command or the configuration, or output that cannot be written, with a short message |
| 3 | a listener cannot be opened: its port is in use, or its address does not exist yet; a supervisor may retry |
| 141 | the reader of the output has gone, as when `head` has enough |

A `serve` that is stopped (`SIGTERM`, Ctrl-C) exits with 0, even if its logs could not be written.
"""


def reference() -> str:
    """Return the whole page."""
    return OPENING + "".join(sections())


def sections() -> Iterator[str]:
    """Yield a section for the program and one for each command, in alphabetical order."""
    yield section("corsproxy", cli, None)
    with click.Context(cli, info_name="corsproxy", **cli.context_settings) as parent:
        for name in sorted(cli.commands):
            yield section(f"corsproxy {name}", cli.commands[name], parent)


def section(title: str, command: click.Command, parent: click.Context | None) -> str:
    """Return one command's heading and help."""
    settings = {**command.context_settings, "terminal_width": WIDTH, "max_content_width": WIDTH}
    with click.Context(command, info_name=title.split()[-1], parent=parent, **settings) as context:
        lines = [line.rstrip() for line in command.get_help(context).splitlines()]
    return "\n".join(["", f"## {title}", "", "```text", *lines, "```", ""])


def main() -> int:
    """Write the page to the named file, or print it."""
    # The defaults in the help must not come from this environment.
    for name in [name for name in os.environ if name.startswith("CORSPROXY_")]:
        del os.environ[name]
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(reference(), encoding="utf-8")
    else:
        print(reference(), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
