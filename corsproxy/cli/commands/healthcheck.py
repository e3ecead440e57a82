"""`corsproxy healthcheck`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from corsproxy.cli.configuration import SAME_AS_SERVE, takes_configuration
from corsproxy.cli.ending import leave
from corsproxy.cli.groups import command

if TYPE_CHECKING:
    from corsproxy.config import Options


@command(epilog=SAME_AS_SERVE)
@takes_configuration()
def healthcheck(options: Options) -> None:
    """Ask the admin listener whether the proxy is healthy.

    Finds the listener as `serve` does, from the same options, variables and file. Exits with 1 if it is not healthy.

    \b
    Example:
      corsproxy healthcheck -c corsproxy.yaml
    """
    from corsproxy.server.healthcheck import healthcheck as run

    leave(lambda: run(options, os.environ))
