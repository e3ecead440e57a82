"""`corsproxy probe`."""

from __future__ import annotations

import sys
from typing import Literal

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
def probe(
    url: str | None,
    origin: str | None,
    method: str,
    headers: tuple[str, ...],
    credentials: bool,
    from_curl: str | None,
    insecure: bool,
    timeout: float,
    output_format: Literal["text", "json"],
) -> None:
    """Act as a browser against any live server.

    Reports step by step what passes and what fails. Exits with 1 if anything fails.

    \b
    Example:
      corsproxy probe https://api.example.com/orders --origin https://app.example.com --method PUT
    """
    from corsproxy.tools.probe import ProbeOptions, probe_command

    asked = ProbeOptions(
        url,
        origin=origin,
        method=method,
        headers=headers,
        credentials=credentials,
        from_curl=from_curl,
        format=output_format,
        insecure=insecure,
        timeout=timeout,
    )
    leave(lambda: probe_command(asked, out=sys.stdout, err=sys.stderr))
