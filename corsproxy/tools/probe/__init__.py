"""`corsproxy probe`: plays a browser against any live server, and finds the mistakes that one request does not show.

The steps are the browser's (`corsproxy.tools.browser`), the further requests are `variants`, what they mean `findings`.
Sends a handful of requests, one after the other, and says before how many; nothing is retried.
Exit status: 0 allowed and nothing worse than notes; 1 blocked, findings, or no answer at all; 2 (`UsageError`) misuse.
"""

from __future__ import annotations

import json
import math
from typing import TextIO

from corsproxy.config.problems import printable
from corsproxy.errors import UsageError
from corsproxy.tools.browser import (
    Answer,
    Credentials,
    PageRequest,
    Play,
    Send,
    Sent,
    names,
    play,
    presumed_value,
    urls,
)
from corsproxy.tools.live.wire import UnreachableError, Wire
from corsproxy.tools.probe.curl import CurlCommand, parse_curl
from corsproxy.tools.probe.findings import findings_of
from corsproxy.tools.probe.report import Report, report_data, report_lines
from corsproxy.tools.probe.strangers import grants
from corsproxy.tools.probe.variants import Asked, Variant, asking, asking_first, foreign_origins, not_found_url

__all__ = ["probe", "probe_command"]

DEFAULT_ORIGIN = "https://app.example.com"
"""The page that asks where none is named: an origin that nobody can own (RFC 2606)."""

_AROUND_URLS = "".join(map(chr, range(0x21)))
_NOT_IN_URLS = dict.fromkeys(map(ord, "\t\n\r"))
"""What is taken off and out of a URL before it is read: it came with copying."""

_EXIT_FINE = 0
_EXIT_FINDINGS = 1


def probe_command(
    url: str | None,
    *,
    origin: str | None,
    method: str,
    headers: tuple[str, ...],
    credentials: bool,
    from_curl: str | None,
    format: str,  # noqa: A002 - the option's name
    insecure: bool,
    timeout: float,
    out: TextIO,
    err: TextIO,
) -> int:
    """Probe one URL, write the report to `out` (text or JSON), and give the exit status.

    What will be sent is told on `err` first.
    A server that cannot be asked is one line on `err`, and 1.
    Raises `UsageError` for a URL, an origin, a header or a curl command that cannot be used.
    """
    request, wire = _asked_for(url, origin, method, headers, credentials, from_curl, insecure, timeout)
    planned = 5 + len(foreign_origins(request.origin))
    host = urls.origin_of(request.url)
    print(f"probe: sends at most {planned} requests to {host}, and one for each redirect it meets", file=err)
    report = probe(request, wire)
    if report.error is not None:
        print(printable(f"probe: {request.url}: {report.error}"), file=err)
    if format == "json":
        json.dump(report_data(report), out, indent=2)
        out.write("\n")
    elif report.error is None or report.play.exchanges:
        for line in report_lines(report):
            print(printable(line), file=out)
    return _EXIT_FINE if report.is_clean and report.error is None else _EXIT_FINDINGS


def probe(request: PageRequest, wire: Wire) -> Report:
    """Play the request, send the further ones, and judge the answers; never raises for what a server does."""
    problems: list[str] = []

    def send(sent: Sent) -> Answer | None:
        try:
            return wire.send(sent)
        except UnreachableError as error:
            problems.append(str(error))
            return None

    played = play(request, send)
    error = problems[0] if problems else None
    further = () if error or not played.exchanges else _ask_further(request, played, send)
    findings = () if error else findings_of(played, further, request.origin)
    return Report(request, played, further, findings, error)


def _ask_further(request: PageRequest, played: Play, send: Send) -> tuple[Asked, ...]:
    """Ask with other origins: by GET, or by preflights where only those are granted."""
    further: list[Asked] = []
    last = played.exchanges[-1].sent
    url = last.url
    headers = tuple((name, value) for name, value in request.headers if not names.is_forbidden_header(name, value))
    headers = tuple((name, value) for name, value in headers if name.lower() != "content-type")

    def ask(variant: Variant, origin: str | None, sent: Sent) -> Answer | None:
        answer = send(sent)
        if answer is not None:
            further.append(Asked(variant, origin, sent, answer))
        return answer

    unsafe = tuple(names.unsafe_names(request.headers))
    method = names.normalised(request.method)
    own = played.exchanges[-1].answer if last.kind == "actual" and last.method == "GET" else None
    if own is None:
        own = ask(Variant.ITSELF, request.origin, asking(url, request.origin, headers))
    if not played.needs_preflight:
        wanted = unsafe or ("authorization",)
        ask(Variant.PREFLIGHT, request.origin, asking_first(url, request.origin, method, wanted))
    by_preflight = played.needs_preflight and not (own and grants(own, request.origin)) and _preflight_grants(played)

    def make(origin: str | None) -> Sent:
        return asking_first(url, origin, method, unsafe) if by_preflight else asking(url, origin, headers)

    ask(Variant.NO_ORIGIN, None, asking(url, None, headers))
    for variant, origin in foreign_origins(request.origin).items():
        ask(variant, origin, make(origin))
    ask(Variant.NOT_FOUND, request.origin, asking(not_found_url(url), request.origin, headers))
    return tuple(further)


def _preflight_grants(played: Play) -> bool:
    first = played.exchanges[0]
    return first.sent.kind == "preflight" and first.answer is not None and grants(first.answer, first.sent.origin or "")


def _asked_for(
    url: str | None,
    origin: str | None,
    method: str,
    headers: tuple[str, ...],
    credentials: bool,
    from_curl: str | None,
    insecure: bool,
    timeout: float,
) -> tuple[PageRequest, Wire]:
    """Settle what is asked, from the options and a curl command; what an option says goes before what curl says."""
    curl = parse_curl(from_curl) if from_curl is not None else CurlCommand()
    if math.isnan(timeout):
        raise UsageError("--timeout: 'nan' is no number of seconds")
    if url and curl.url:
        raise UsageError("a URL and --from-curl are two requests: give one of them")
    target = _checked_url(url or curl.url)
    page = _checked_origin(next(one for one in (origin, curl.origin, DEFAULT_ORIGIN) if one is not None))
    mode = Credentials.INCLUDE if credentials or curl.cookie else Credentials.SAME_ORIGIN
    if not names.is_token(method):
        raise UsageError(f"invalid method {method!r}: letters, digits and a few signs")
    _refuse_lines("Cookie", curl.cookie)
    chosen = method if method != "GET" or not curl.method else curl.method
    pairs = (*curl.headers, *map(_checked_header, headers))
    request = PageRequest(target, page, chosen, pairs, mode, cookie=curl.cookie)
    return request, Wire(timeout, insecure or curl.insecure, curl.body.encode("utf-8", "surrogateescape"))


def _checked_url(url: str) -> str:
    if not url:
        raise UsageError("missing URL: corsproxy probe https://api.example.com/path, or --from-curl 'curl ...'")
    # As a browser reads it: https://url.spec.whatwg.org/#concept-basic-url-parser
    bare = url.strip(_AROUND_URLS).translate(_NOT_IN_URLS).partition("#")[0]
    if urls.split(bare) is None:
        hint = "" if "://" in url else f": write http://{url}"
        raise UsageError(f"invalid URL {url!r}: expected an absolute http or https URL{hint}")
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
