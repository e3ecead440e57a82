"""`corsproxy check`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Literal

import click

from corsproxy.cli.configuration import SAME_AS_SERVE, takes_configuration
from corsproxy.cli.ending import leave
from corsproxy.cli.groups import command
from corsproxy.cli.options import (
    configuration_file,
    format_option,
    option,
)

if TYPE_CHECKING:
    from corsproxy.config import Options


@command(epilog=SAME_AS_SERVE)
@click.argument("file", callback=configuration_file, required=False, metavar="[FILE]")
@takes_configuration()
@format_option
@option("--strict", is_flag=True, help="Fail on warnings, too.")
def check(file: str | None, options: Options, output_format: Literal["text", "json"], strict: bool) -> None:
    """Validate a configuration file and report every problem.

    Without FILE, validate what `serve` would run: the file that --config or CORSPROXY_CONFIG names, the options of
    quick mode, or corsproxy.yaml here.

    \b
    Example:
      corsproxy check corsproxy.yaml
    """
    from corsproxy.tools.check import CheckOptions, check_command

    def run() -> int:
        configuration = options if file is None else options.with_argument(file)
        asked = CheckOptions(configuration, output_format, strict)
        return check_command(asked, environ=os.environ, out=sys.stdout, err=sys.stderr)

    leave(run)
