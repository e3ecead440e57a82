"""`corsproxy demo`."""

from __future__ import annotations

import sys

from corsproxy.cli.ending import leave
from corsproxy.cli.groups import command
from corsproxy.cli.options import (
    option,
)


@command()
@option("--check", is_flag=True, help="Exit after the table: 0 if every call went as expected.")
def demo(check: bool) -> None:
    """Show the proxy between a legacy API and a page, on loopback.

    Starts an API without CORS, a page on another origin and the proxy between them, and prints what the page gets with
    and without the proxy.

    \b
    Example:
      corsproxy demo
    """
    from corsproxy.tools.demo import DemoOptions, demo_command

    leave(lambda: demo_command(DemoOptions(check), out=sys.stdout))
