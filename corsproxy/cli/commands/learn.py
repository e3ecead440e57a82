"""`corsproxy learn`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from corsproxy.cli.configuration import SAME_AS_SERVE, takes_configuration
from corsproxy.cli.ending import leave
from corsproxy.cli.groups import command
from corsproxy.cli.options import (
    named_file,
)

if TYPE_CHECKING:
    from corsproxy.config import Options


@command(epilog=SAME_AS_SERVE)
@click.argument("log", callback=named_file, required=False)
@takes_configuration()
def learn(log: str | None, options: Options) -> None:
    """Propose the smallest policies for recorded traffic.

    LOG is a JSON access log (default: standard input). The proposal allows what the log's requests needed, no more.

    \b
    Example:
      corsproxy learn access.log -c corsproxy.yaml > proposal.yaml
    """
    from corsproxy.tools.learn import LearnOptions, learn_command

    asked = LearnOptions(log, options)
    leave(lambda: learn_command(asked, environ=os.environ, stdin=sys.stdin, out=sys.stdout, err=sys.stderr))
