"""`corsproxy probe`."""

from __future__ import annotations

import sys
from typing import Any

import click

from corsproxy.cli.ending import leave
from corsproxy.cli.groups import command
from corsproxy.cli.options import (
    format_option,
    option,
    request_options,
    timeout_option,
)


@command()
@click.argument("url", required=False)
@request_options
@option("--from-curl", metavar="COMMAND", help="Take URL, method and headers from a curl command line.")
@option("--insecure", twin=False, is_flag=True, help="Do not verify the server's certificate.")
@timeout_option
@format_option
def probe(url: str | None, output_format: str, **options: Any) -> None:
    """Act as a browser against any live server, and report step by step what passes and what fails.

    \b
    Example:
      corsproxy probe https://api.example.com/orders --origin https://app.example.com --method PUT
    """
    from corsproxy.tools.probe import ProbeOptions, probe_command

    asked = ProbeOptions(url, format=output_format, **options)
    leave(lambda: probe_command(asked, out=sys.stdout, err=sys.stderr))
