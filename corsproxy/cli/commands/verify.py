"""`corsproxy verify`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from corsproxy.cli.configuration import SAME_AS_SERVE, takes_configuration
from corsproxy.cli.ending import leave
from corsproxy.cli.groups import command
from corsproxy.cli.options import (
    Line,
    option,
    timeout_option,
)

if TYPE_CHECKING:
    from corsproxy.config import Options


@command(epilog=f"{SAME_AS_SERVE} Only --insecure is about URL.")
@click.argument("url")
@takes_configuration(insecure=False)
@option("--only", multiple=True, metavar="PATH", help="Test only the route of this path, with this path (repeatable).")
@option("--host", metavar="NAME", help="Test the routes of this host (default: the URL's).")
@option(
    "--send",
    multiple=True,
    type=Line(),
    metavar="HEADER",
    help="'Name: value' for every GET and HEAD, never for a preflight (repeatable; one per line in the environment).",
)
@option("--dry-run", is_flag=True, help="Print the requests, and send none.")
@option(
    "--shared-keys", is_flag=True, help="Add no unique query to each GET and HEAD: use the cache keys that pages use."
)
@option("--insecure", twin=False, is_flag=True, help="Do not verify the server's certificate.")
@timeout_option
@option(
    "--format",
    "output_format",
    type=click.Choice(["text", "json", "junit"]),
    default="text",
    help="For people, for tools, or for CI.",
)
def verify(url: str, options: Options, output_format: str, **asked: Any) -> None:
    """Check a live deployment, of any server, against the policy file: report each difference that a browser would see.

    Sends only OPTIONS, GET and HEAD, prints their number first, and limits its rate.

    \b
    Example:
      corsproxy verify https://api.example.com -c corsproxy.yaml
    """
    from corsproxy.tools.verify import VerifyOptions, verify_command

    wanted = VerifyOptions(url, options, format=output_format, **asked)
    leave(lambda: verify_command(wanted, environ=os.environ, out=sys.stdout, err=sys.stderr))
