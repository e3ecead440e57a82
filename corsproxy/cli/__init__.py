"""The command line: options, their environment twins, and the exit status; nothing else.

Each command imports what it runs when it runs, so that `--version` and `--help` stay instant.
A user's mistake is a short message and exit status 2, never a traceback.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Literal, NoReturn

import click

from corsproxy import __version__
from corsproxy.cli.environment import unknown_variables
from corsproxy.cli.options import (
    SAME_AS_SERVE,
    Command,
    Line,
    configuration_file,
    named_file,
    option,
    takes_configuration,
)
from corsproxy.streams import forget_output, open_standard_streams, while_somebody_reads

if TYPE_CHECKING:
    from corsproxy.config import Options

_format_option = option(
    "--format", "output_format", type=click.Choice(["text", "json"]), default="text", help="For people or for tools."
)

_timeout_option = option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True, max=3600),
    default=10.0,
    metavar="SECONDS",
    help="For each request (default: 10).",
)


def _request_options(command: Command) -> Command:
    """The options that describe the request a page makes; `explain` and `probe` share them."""
    for decorate in (
        option(
            "--credentials",
            is_flag=True,
            help="The page asks with credentials: include (cookies, client certificates).",
        ),
        option(
            "--header", "headers", multiple=True, metavar="NAME", help="A request header the page sets (repeatable)."
        ),
        option("--method", default="GET", metavar="METHOD", help="The request's method (default: GET)."),
        option("--origin", metavar="ORIGIN", help="The origin of the page, for example https://app.example.com."),
    ):
        command = decorate(command)
    return command


class _CommandOfOurs(click.Command):
    """A command that warns of variables which mean nothing to it."""

    def invoke(self, ctx: click.Context) -> Any:
        if self.name != "healthcheck":  # asks every few seconds what `serve` has warned of once
            warnings = list(_unknown_variables(self))
            ctx.obj = warnings  # `serve` says them in the format of its log
            if self.name != "serve":
                for warning in warnings:
                    click.echo(f"warning: {warning}", err=True)
        return super().invoke(ctx)


def _unknown_variables(command: click.Command) -> Iterator[str]:
    known = set(_twins(command))
    others: dict[str, list[str]] = {}
    for name, other in cli.commands.items():
        for twin in _twins(other):
            if twin not in known:
                others.setdefault(twin, []).append(name)
    if command.name != "serve":
        known.update(others)  # set for another command of the same shell or container
    return unknown_variables(os.environ, command.name or "", known, others)


def _twins(command: click.Command) -> Iterator[str]:
    return (str(parameter.envvar) for parameter in command.params if parameter.envvar)


class _Program(click.Group):
    """The commands, `--help` and `--version` included, which end as other programs do when their reader has gone."""

    command_class = _CommandOfOurs

    def make_context(self, info_name: str | None, args: list[str], *more: Any, **kwargs: Any) -> click.Context:
        given = list(args)
        with while_somebody_reads(), _with_a_guess(given):
            context = super().make_context(info_name, args, *more, **kwargs)
        context.meta[_GIVEN] = given
        return context

    def invoke(self, ctx: click.Context) -> Any:
        with while_somebody_reads(), _with_a_guess(ctx.meta[_GIVEN]):
            return super().invoke(ctx)


_GIVEN = "corsproxy.given"
"""Where the words of the command line are kept."""


@contextlib.contextmanager
def _with_a_guess(args: list[str]) -> Iterator[None]:
    """Add the line that was probably meant to what click says of a wrong one."""
    try:
        yield
    except click.UsageError as error:
        from corsproxy.cli.guesses import other_line, unquoted_star

        if option_name := unquoted_star(args, os.listdir()):
            message = f"a shell puts the names of files in place of a bare *: write {option_name} '*'"
        elif line := other_line(args):
            message = f"{error.message}\nWrite: {line}"
        else:
            raise
        raise click.UsageError(message, error.ctx) from None


@click.group(cls=_Program, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, message="corsproxy %(version)s")
def cli() -> None:
    """A reverse proxy that owns CORS for services that do not, or do it wrong.

    It answers preflights from a policy in YAML, removes every CORS header the upstream sends, puts the right ones on
    every response, and says why a browser refused.

    Shell completion: eval "$(_CORSPROXY_COMPLETE=bash_source corsproxy)" (or zsh_source, fish_source).
    """


@cli.command()
@takes_configuration(shows_all=True)
def serve(options: Options) -> None:
    """Run the proxy.

    \b
    Example:
      corsproxy serve -c corsproxy.yaml
      corsproxy serve --upstream http://localhost:8000
    """
    from corsproxy.server import serve as run

    # What it writes are logs, and not an answer that must be complete.
    _exit(lambda: run(options), answers=False)


@cli.command(epilog=SAME_AS_SERVE)
@click.argument("file", callback=configuration_file, required=False, metavar="[FILE]")
@takes_configuration()
@_format_option
@option("--strict", is_flag=True, help="Warnings fail too.")
def check(file: str | None, options: Options, output_format: Literal["text", "json"], strict: bool) -> None:
    """Validate a configuration file: every problem at once.

    Without FILE it is what `serve` would run: the file that --config or CORSPROXY_CONFIG names, the options of quick
    mode, or corsproxy.yaml here.

    \b
    Example:
      corsproxy check corsproxy.yaml
    """
    from corsproxy.tools.check import check as run

    def with_file() -> int:
        chosen = options if file is None else options.with_argument(file)
        return run(chosen, format=output_format, strict=strict, environ=os.environ, out=sys.stdout, err=sys.stderr)

    _exit(with_file)


@cli.command(epilog=SAME_AS_SERVE)
@click.argument("path")
@takes_configuration()
@_request_options
@option("--host", metavar="HOST", help="The Host the request is for, where routes depend on it.")
@option(
    "--browser",
    type=click.Choice(["standard", "chromium", "firefox"]),
    default="standard",
    help="Whose rules decide: the standard's, or a browser's with its departures (default: standard).",
)
@_format_option
def explain(path: str, options: Options, output_format: str, **question: Any) -> None:
    """Say what the configuration does with one request, and why; asks no network.

    \b
    Example:
      corsproxy explain /orders/7 --origin https://app.example.com --method PUT --header Content-Type
    """
    from corsproxy.tools.explain import ExplainOptions, explain_command

    asked = ExplainOptions(path, options, format=output_format, **question)
    _exit(lambda: explain_command(asked, environ=os.environ, out=sys.stdout))


@cli.command()
@click.argument("url", required=False)
@_request_options
@option("--from-curl", metavar="COMMAND", help="Take URL, method and headers from a curl command line.")
@option("--insecure", twin=False, is_flag=True, help="Do not verify the server's certificate.")
@_timeout_option
@_format_option
def probe(url: str | None, output_format: str, **options: Any) -> None:
    """Play a browser against any live server, and say step by step what passes and what fails.

    \b
    Example:
      corsproxy probe https://api.example.com/orders --origin https://app.example.com --method PUT
    """
    from corsproxy.tools.probe.command import ProbeOptions, probe_command

    asked = ProbeOptions(url, format=output_format, **options)
    _exit(lambda: probe_command(asked, out=sys.stdout, err=sys.stderr))


@cli.command(epilog=f"{SAME_AS_SERVE} Only --insecure is about URL.")
@click.argument("url")
@takes_configuration(insecure=False)
@option("--only", multiple=True, metavar="PATH", help="Ask the route of this path alone, by this path (repeatable).")
@option("--host", metavar="NAME", help="Ask for the routes of this host (default: the URL's).")
@option(
    "--send",
    multiple=True,
    type=Line(),
    metavar="HEADER",
    help="'Name: value' for every GET and HEAD, never for a preflight (repeatable; one a line in the environment).",
)
@option("--dry-run", is_flag=True, help="Print what would be asked, and ask nobody.")
@option("--shared-keys", is_flag=True, help="No query of its own on each GET and HEAD: caches are asked as by pages.")
@option("--insecure", twin=False, is_flag=True, help="Do not verify the server's certificate.")
@_timeout_option
@option(
    "--format",
    "output_format",
    type=click.Choice(["text", "json", "junit"]),
    default="text",
    help="For people, for tools, or for CI.",
)
def verify(url: str, options: Options, output_format: str, **asked: Any) -> None:
    """Hold a live deployment, of whatever server, against the policy file: each difference that a browser would see.

    Sends OPTIONS, GET and HEAD alone, says before how many, and keeps to a rate.

    \b
    Example:
      corsproxy verify https://api.example.com -c corsproxy.yaml
    """
    from corsproxy.tools.verify.command import VerifyOptions, verify_command

    wanted = VerifyOptions(url, options, format=output_format, **asked)
    _exit(lambda: verify_command(wanted, environ=os.environ, out=sys.stdout, err=sys.stderr))


@cli.command(epilog=SAME_AS_SERVE)
@click.argument("log", callback=named_file, required=False)
@takes_configuration()
def learn(log: str | None, options: Options) -> None:
    """Propose the smallest policies that would have allowed recorded traffic (the JSON access log, or standard input).

    \b
    Example:
      corsproxy learn access.log -c corsproxy.yaml > proposal.yaml
    """
    from corsproxy.tools.learn import learn_command

    _exit(
        lambda: learn_command(log, options=options, environ=os.environ, stdin=sys.stdin, out=sys.stdout, err=sys.stderr)
    )


@cli.command()
@click.argument("file", callback=named_file, default="corsproxy.yaml", metavar="[FILE]")
@takes_configuration(shows_all=True)
def init(file: str, options: Any) -> None:
    """Write a commented starter file, or what the options of quick mode say; never overwrites one.

    \b
    Example:
      corsproxy init corsproxy.yaml
      corsproxy init --upstream http://localhost:8000 --allow-origin https://app.example.com
    """
    from corsproxy.tools.init import init as run

    _exit(lambda: _written(lambda: run(file, options), file))


def _written(run: Callable[[], str], file: str) -> int:
    """Write a file, and say so, or why it cannot be."""
    try:
        said = run()
    except FileExistsError:
        _fail(f"corsproxy: {file} exists already; name another file, or remove it first")
    except FileNotFoundError:
        _fail(f"corsproxy: cannot write {file}: its directory is missing; make it first")
    except OSError as error:
        _fail(f"corsproxy: cannot write {file}: {error.strerror}")
    click.echo(said)
    return 0


@cli.command()
def schema() -> None:
    """Print the JSON Schema of the configuration file, for editors.

    \b
    Example:
      corsproxy schema > corsproxy.schema.json
    """
    import json

    from corsproxy.tools.schema import schema as run

    click.echo(json.dumps(run(), indent=2))


@cli.command(epilog=SAME_AS_SERVE)
@takes_configuration()
def healthcheck(options: Options) -> None:
    """Ask the admin listener whether the proxy is healthy; finds it as `serve` does.

    \b
    Example:
      corsproxy healthcheck -c corsproxy.yaml
    """
    from corsproxy.server.healthcheck import healthcheck as run

    _exit(lambda: run(options, os.environ))


@cli.command()
@option("--check", is_flag=True, help="Exit after the table: 0 when every call went as expected.")
def demo(check: bool) -> None:
    """Show it: a legacy API without CORS, a page on another origin, and the proxy between them, on loopback.

    \b
    Example:
      corsproxy demo
    """
    from corsproxy.tools.demo import demo_command

    _exit(lambda: demo_command(check=check, out=sys.stdout))


def _exit(run: Callable[[], int], *, answers: bool = True) -> NoReturn:
    """Run a command and leave with its status; a user's mistake is told in its own words.

    `answers` says whether the command has failed if its output cannot be written.
    """
    from corsproxy.config import ConfigError
    from corsproxy.errors import UsageError

    try:
        status = run()
        if answers:
            print(end="", flush=True)  # what is still in the buffer may find nobody, too
    except ConfigError as error:
        _fail(*map(str, error.problems))
    except UsageError as error:
        _fail(f"corsproxy: {error}", status=error.status)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(status)


def _fail(*lines: str, status: int = 2) -> NoReturn:
    with contextlib.suppress(OSError):  # nobody hears it: the exit status has to do
        for line in lines:
            click.echo(line, err=True)
    sys.exit(status)


def main() -> None:
    """Run the command line."""
    open_standard_streams()
    try:
        cli(prog_name="corsproxy")
    except OSError as error:
        # Every command tells of its own files: what is left is an answer that cannot be written (the disk is full).
        forget_output()
        said = "standard output is closed" if error.errno == errno.EBADF else error.strerror
        _fail(f"corsproxy: cannot write the answer: {said}")
