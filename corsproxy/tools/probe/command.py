"""`corsproxy probe`, the front door: announce the requests, send them, judge the responses, write the report.

It sends some dozens of requests, one after the other; nothing is retried.
Exit status: 0 allowed, with nothing worse than notes; 1 blocked, findings, or no answer; 2 a mistake of the user.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Literal, TextIO

from corsproxy.errors import UsageError
from corsproxy.escape import printable
from corsproxy.tools.browser import Credentials, PageRequest, names, presumed_value, urls
from corsproxy.tools.live.wire import Wire
from corsproxy.tools.probe.asking import most_requests, probe
from corsproxy.tools.probe.curl import CurlCommand, parse_curl
from corsproxy.tools.probe.report import report_data, report_lines

DEFAULT_ORIGIN = "https://app.example.com"
"""The default page: an origin in a reserved domain (RFC 2606)."""

_AROUND_URLS = "".join(map(chr, range(0x21)))
"""Characters that a browser strips from both ends of a URL."""
_NOT_IN_URLS = dict.fromkeys(map(ord, "\t\n\r"))
"""Characters that a browser removes from a URL."""

_EXIT_FINE = 0
_EXIT_FINDINGS = 1


@dataclass(frozen=True, slots=True)
class ProbeOptions:
    """The options of the command line."""

    url: str | None = None
    origin: str | None = None
    method: str = "GET"
    headers: tuple[str, ...] = ()
    credentials: bool = False
    from_curl: str | None = None
    format: Literal["text", "json"] = "text"
    insecure: bool = False
    timeout: float = 10.0


def probe_command(options: ProbeOptions, *, out: TextIO, err: TextIO) -> int:
    """Probe one URL, write the report to `out` (text or JSON), and return the exit status.

    The number of requests is announced on `err` first.
    If the server cannot be reached, one line on `err` says why, and the status is 1.
    Raises `UsageError` for an invalid URL, origin, method, header or curl command.
    """
    curl = parse_curl(options.from_curl) if options.from_curl is not None else CurlCommand()
    request, wire = _asked_for(options, curl)
    host = urls.origin_of(request.url)
    planned = most_requests(request)
    print(f"probe: sends at most {planned} requests to {host}, and one for each redirect it meets", file=err)
    report = probe(request, wire, is_presumed=options.origin is None and curl.origin is None)
    if report.error is not None:
        print(printable(f"probe: {request.url}: {report.error}"), file=err)
    if options.format == "json":
        json.dump(report_data(report), out, indent=2)
        out.write("\n")
    elif report.error is None or report.play.exchanges:
        for line in report_lines(report):
            print(printable(line), file=out)
    return _EXIT_FINE if report.is_clean and report.error is None else _EXIT_FINDINGS


def _asked_for(options: ProbeOptions, curl: CurlCommand) -> tuple[PageRequest, Wire]:
    """Return the request from the options and a curl command; an option takes precedence over curl."""
    if math.isnan(options.timeout):
        raise UsageError("--timeout: 'nan' is no number of seconds")
    if options.url and curl.url:
        raise UsageError("a URL and --from-curl are two requests: give one of them")
    target = _checked_url(options.url or curl.url)
    page = _checked_origin(next(one for one in (options.origin, curl.origin, DEFAULT_ORIGIN) if one is not None))
    mode = Credentials.INCLUDE if options.credentials or curl.cookie else Credentials.SAME_ORIGIN
    if not names.is_token(options.method):
        raise UsageError(f"invalid method {options.method!r}: letters, digits and a few signs")
    _refuse_lines("Cookie", curl.cookie)
    chosen = options.method if options.method != "GET" or not curl.method else curl.method
    pairs = (*curl.headers, *map(_checked_header, options.headers))
    request = PageRequest(target, page, chosen, pairs, mode, cookie=curl.cookie)
    body = curl.body.encode("utf-8", "surrogateescape")
    return request, Wire(options.timeout, options.insecure or curl.insecure, body)


def _checked_url(url: str) -> str:
    if not url:
        raise UsageError("missing URL: corsproxy probe https://api.example.com/path, or --from-curl 'curl ...'")
    # As a browser parses it: https://url.spec.whatwg.org/#concept-basic-url-parser
    bare = url.strip(_AROUND_URLS).translate(_NOT_IN_URLS).partition("#")[0]
    if urls.split(bare) is None:
        raise UsageError(urls.why_invalid(url, bare, "http"))
    return bare


def _checked_origin(origin: str) -> str:
    right = urls.origin_of(origin)
    if origin != "null" and right != origin:
        hint = f": write {right}" if right else ": expected scheme://host[:port], or null"
        raise UsageError(f"invalid origin {origin!r}{hint}")
    return origin


def _checked_header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    name = name.strip()
    if not names.is_token(name):
        raise UsageError(f"invalid header {text!r}: expected NAME, or 'NAME: value'")
    _refuse_lines(name, value)
    if any(sign > "\xff" for sign in value):
        raise UsageError(f"invalid header {name!r}: a browser takes characters up to U+00FF alone in a value")
    return name, value.strip() if colon else presumed_value(name)


def _refuse_lines(name: str, value: str) -> None:
    if any(sign in value for sign in "\0\r\n"):
        raise UsageError(f"invalid header {name!r}: a value is one line")
