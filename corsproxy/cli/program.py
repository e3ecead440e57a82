"""The program: its commands, `--help` and `--version`."""

from __future__ import annotations

import errno

import click

from corsproxy import __version__
from corsproxy.cli.commands import COMMANDS
from corsproxy.cli.ending import fail
from corsproxy.cli.groups import Program
from corsproxy.streams import forget_output, open_standard_streams


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, message="corsproxy %(version)s")
def cli() -> None:
    """A reverse proxy that handles CORS for services that lack it or get it wrong.

    It answers preflights from a policy in YAML, removes every CORS header that the upstream sends, adds the correct
    ones to every response, and explains why a browser refused a request.

    Shell completion: eval "$(_CORSPROXY_COMPLETE=bash_source corsproxy)" (or zsh_source, fish_source).
    """


for _command in COMMANDS:
    cli.add_command(_command)


def main() -> None:
    """Run the command line."""
    open_standard_streams()
    try:
        cli(prog_name="corsproxy")
    except OSError as error:
        # Commands report problems with their files, so this is output that cannot be written (the disk is full).
        forget_output()
        detail = "standard output is closed" if error.errno == errno.EBADF else error.strerror
        fail(f"corsproxy: cannot write the output: {detail}")
