"""`corsproxy schema`."""

from __future__ import annotations

import sys

from corsproxy.cli.ending import leave
from corsproxy.cli.groups import command


@command()
def schema() -> None:
    """Print the JSON Schema of the configuration file, for editors.

    \b
    Example:
      corsproxy schema > corsproxy.schema.json
    """
    from corsproxy.tools.schema import schema_command

    leave(lambda: schema_command(out=sys.stdout))
