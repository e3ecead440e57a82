"""`corsproxy verify`, the front door: announce the requests, send them, judge the responses, write the report.

Exit status: 0 no difference; 1 differences; 2 a mistake of the user, or a deployment that cannot be reached.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TextIO

from corsproxy.config import Loaded, Options, load_options
from corsproxy.errors import UsageError
from corsproxy.escape import printable
from corsproxy.tools.browser import names, urls
from corsproxy.tools.live.wire import Wire
from corsproxy.tools.verify.asking import RATE, Answered, PacedAsker
from corsproxy.tools.verify.judging import differences_of
from corsproxy.tools.verify.junit import junit_text
from corsproxy.tools.verify.outcome import RouteOutcome, VerifyOutcome, placed
from corsproxy.tools.verify.plan import VerifyPlan, make_plan
from corsproxy.tools.verify.report import outcome_data, outcome_lines, plan_data, plan_lines

AGENT = "corsproxy-verify"
_EXIT_SAME = 0
_EXIT_DIFFERENT = 1
_EXIT_UNREACHABLE = 2
_NOT_TO_SEND = frozenset({"origin", "host", "content-length", "transfer-encoding", "connection"})
"""Fields that `verify` sets itself."""


@dataclass(frozen=True, slots=True)
class VerifyOptions:
    """The options of the command line."""

    url: str
    configuration: Options
    """What `serve` would run: the file, or quick mode."""
    only: tuple[str, ...] = ()
    host: str | None = None
    send: tuple[str, ...] = ()
    dry_run: bool = False
    format: Literal["text", "json", "junit"] = "text"
    insecure: bool = False
    timeout: float = 10.0
    shared_keys: bool = False


def verify_command(options: VerifyOptions, *, environ: Mapping[str, str], out: TextIO, err: TextIO) -> int:
    """Verify one deployment, write the report to `out`, and return the exit status.

    Raises `ConfigError` for an invalid configuration, `UsageError` for a command that cannot be carried out.
    """
    if math.isnan(options.timeout):
        raise UsageError("--timeout: 'nan' is no number of seconds")
    url = _checked_url(options.url)
    host = _checked_host(options.host)
    fields = tuple(map(_checked_field, options.send))
    loaded = load_options(options.configuration, environ)
    plan = make_plan(loaded.settings, url, host=host, only=options.only)
    if options.dry_run:
        _write(plan_data(plan) if options.format == "json" else plan_lines(plan), out)
        return _EXIT_SAME
    where = urls.origin_of(url)
    print(
        f"verify: sends at most {plan.requests} requests (OPTIONS, GET and HEAD) to {where}, at most {RATE} a second",
        file=err,
        flush=True,
    )
    wire = Wire(options.timeout, options.insecure, agent=AGENT, host=host)
    outcome = verify(plan, loaded, options.configuration, PacedAsker(wire, fields, shared_keys=options.shared_keys))
    if outcome.error is not None:
        print(printable(f"verify: {url} cannot be reached: {outcome.error}"), file=err)
    if options.format == "junit":
        out.write(junit_text(outcome))
    elif options.format == "json":
        _write(outcome_data(outcome), out)
    elif outcome.error is None:
        _write(outcome_lines(outcome), out)
    if outcome.error is not None:
        return _EXIT_UNREACHABLE
    return _EXIT_DIFFERENT if outcome.differences else _EXIT_SAME


def verify(plan: VerifyPlan, loaded: Loaded, options: Options, asker: PacedAsker) -> VerifyOutcome:
    """Send all requests and judge the answers; never raises, whatever the server does."""
    routes: list[RouteOutcome] = []
    for route in plan.routes:
        answered: list[Answered] = []
        for one in asker.ask(route):
            answered.append(one)
            if one.error is not None and not routes and len(answered) == 1:
                return VerifyOutcome(plan, loaded.file, (), one.error)
        found = tuple(placed(one, route, loaded, options) for one in differences_of(route, answered))
        routes.append(RouteOutcome(route, len(answered), found))
    return VerifyOutcome(plan, loaded.file, tuple(routes))


def _write(content: object, out: TextIO) -> None:
    """Write data as JSON, and lines as lines."""
    if isinstance(content, dict):
        json.dump(content, out, indent=2)
        out.write("\n")
    else:
        for line in content:  # type: ignore[attr-defined]
            print(printable(line), file=out)


def _checked_url(url: str) -> str:
    bare = url.strip()
    parts = urls.split(bare)
    if parts is None:
        raise UsageError(urls.why_invalid(url, bare, "https"))
    if parts.query or parts.fragment:
        raise UsageError(f"invalid URL {url!r}: name the deployment's base, without a query: routes are put behind it")
    if parts.username is not None:
        raise UsageError("invalid URL: it carries a user name; give a login with --send 'Authorization: ...'")
    return bare


def _checked_host(host: str | None) -> str:
    if not host:
        return ""
    parts = urls.split(f"http://{host}")
    if parts is None or parts.netloc != host or parts.username is not None or parts.path:
        raise UsageError(f"--host: invalid host {host!r}: expected NAME or NAME:PORT")
    return host


def _checked_field(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    name = name.strip()
    if not colon or not names.is_token(name):
        raise UsageError(f"--send: invalid header {name!r}: expected 'Name: value'")
    if name.lower() in _NOT_TO_SEND or name.lower().startswith("access-control-"):
        hint = ": name it with --host" if name.lower() == "host" else ": verify sets it itself"
        raise UsageError(f"--send: {name} cannot be sent{hint}")
    if any(sign in value for sign in "\0\r\n"):
        raise UsageError(f"--send: invalid value of {name}: a value is one line")
    return name, value.strip()
