"""`corsproxy init`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from corsproxy.cli.configuration import takes_configuration
from corsproxy.cli.ending import leave
from corsproxy.cli.groups import command
from corsproxy.cli.options import named_file

if TYPE_CHECKING:
    from corsproxy.config import Options


@command()
@click.argument("file", callback=named_file, default="corsproxy.yaml", metavar="[FILE]")
@takes_configuration(shows_all=True)
def init(file: str, options: Options) -> None:
    """Write a commented configuration file to start from.

    With the options of quick mode, write the file that does the same. Never overwrites a file.

    \b
    Example:
      corsproxy init corsproxy.yaml
      corsproxy init --upstream http://localhost:8000 --allow-origin https://app.example.com
    """
    from corsproxy.tools.init import InitOptions, init_command

    leave(lambda: init_command(InitOptions(file, options), out=sys.stdout))
