"""`corsproxy verify`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Literal

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


@command(epilog=f"{SAME_AS_SERVE} --insecure is the exception: it concerns URL, not an upstream.")
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
    help="text for people, json for tools, or junit for CI (default: text).",
)
def verify(
    url: str,
    options: Options,
    only: tuple[str, ...],
    host: str | None,
    send: tuple[str, ...],
    dry_run: bool,
    shared_keys: bool,
    insecure: bool,
    timeout: float,
    output_format: Literal["text", "json", "junit"],
) -> None:
    """Check a live deployment against the policy file.

    Reports each difference that a browser would see; the server may be any, not only corsproxy.
    Sends only OPTIONS, GET and HEAD, prints their number first, and limits its rate.

    \b
    Example:
      corsproxy verify https://api.example.com -c corsproxy.yaml
    """
    from corsproxy.tools.verify import VerifyOptions, verify_command

    asked = VerifyOptions(
        url,
        options,
        only=only,
        host=host,
        send=send,
        dry_run=dry_run,
        format=output_format,
        insecure=insecure,
        timeout=timeout,
        shared_keys=shared_keys,
    )
    leave(lambda: verify_command(asked, environ=os.environ, out=sys.stdout, err=sys.stderr))
