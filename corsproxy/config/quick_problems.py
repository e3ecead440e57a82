"""Problems in terms of options: those of the file that quick mode generates, and those that it cannot show.

A remedy is written as the option at fault is: on the command line, or as a variable of the environment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial

from corsproxy.config.options import FLAGS, Options
from corsproxy.config.problems import Problem, RefusedError, quote
from corsproxy.config.quick_text import POLICY_NAME, UPSTREAM_NAME, bare_port, holds_several, upstream_pairs
from corsproxy.config.upstream_urls import parse_upstream_url

_OPTION_OF_KEY = {
    "allow_origins": "allow_origins",
    "allow_methods": "allow_methods",
    "allow_headers": "allow_headers",
    "expose_headers": "expose_headers",
    "allow_credentials": "allow_credentials",
    "max_age": "max_age",
    "on_refused": "on_refused",
    "websockets": "websockets",
    "host": "send_host",
    "origin": "send_origin",
    "tls": "insecure",
}
"""The option for each key of the policy and of an upstream."""


_NEEDS_A_FILE = " in a configuration file ('corsproxy init' writes one)"


def option_of(path: str, options: Options) -> str:
    """Return the option, as the user wrote it, for a key path of the generated file."""
    section, _, rest = path.partition(".")
    if section.startswith("upstreams"):
        name, _, key = rest.partition(".")
        option = _OPTION_OF_KEY.get(key.partition(".")[0]) or ("upstream" if _is_single(name, options) else "routes")
    elif section.startswith("policies"):
        option = _OPTION_OF_KEY.get(rest.removeprefix(f"{POLICY_NAME}.").partition("[")[0], "allow_origins")
    elif section.startswith("routes"):
        option = "routes" if options.routes else "upstream"
    else:
        option = {"trusted_proxies": "trusted_proxies", "public_origins": "public_origins"}.get(
            section.partition("[")[0], "upstream"
        )
    return options.name(option)


def by_option(problems: Sequence[Problem], options: Options) -> Iterator[Problem]:
    """Report problems of the generated file as problems of the options."""
    reported: set[tuple[str, str]] = set()
    for problem in problems:
        if not options.allow_origins and problem.severity == "warning" and "allow_origins" in problem.path:
            continue
        option = option_of(problem.path, options)
        if (option, problem.message) not in reported:
            reported.add((option, problem.message))
            message = _without_a_file(problem, options)
            yield Problem("", 0, 0, option, problem.severity, problem.reason, message)


_AS_OPTIONS = (
    (rf"write 'on_refused: reject' in policy '{POLICY_NAME}'", "add {on_refused: reject}"),
    (
        r"name the origins, with 'on_refused: reject'",
        "name the origins with {allow_origins}, and add {on_refused: reject}",
    ),
    (r"'upstream' with 'host: client'", "'upstream' with {send_host: client}"),
    (r"write 'host: upstream'", "write {send_host: upstream}"),
    (r"turn allow_credentials off", "write {allow_credentials: false}"),
    (r"with allow_credentials", "with credentials"),
    (rf"policy '{POLICY_NAME}'", "the policy"),
    (r"'(regex|file): …' is a mapping.*", rf"'\1: …' can only stand{_NEEDS_A_FILE}"),
    (r"change the path, the host, 'methods' or 'exact', or remove one", "change the path, or remove one"),
)
"""The wording of a file's messages, and the same in terms of options."""

_REMEDY = re.compile(r"\{(\w+)(?:: (\w+))?\}")
_KEYS = re.compile(r"\b(?:allow_(?:origins|methods|headers|credentials)|expose_headers|max_age|on_refused)\b")
_QUOTED = re.compile(r"('[^']*')")


def _without_a_file(problem: Problem, options: Options) -> str:
    """Return the message in terms of options, with a hint for keys without an option."""
    option = option_of(problem.path, options)
    in_environment = option.startswith("CORSPROXY_")

    def in_options(match: re.Match[str], words: str) -> str:
        return _REMEDY.sub(
            lambda found: _written(found[1], found[2] or "", options, in_environment=in_environment),
            match.expand(words),
        )

    message = problem.message
    for file_words, words in _AS_OPTIONS:
        message = re.sub(file_words, partial(in_options, words=words), message)
    separately = "separate them with commas" if in_environment else f"repeat {option}"
    message = message.replace("must be a separate item", f"is a value of its own; {separately}")
    parts = _QUOTED.split(message)  # what is quoted is the user's
    parts[::2] = (_KEYS.sub(partial(in_options, words=r"{\g<0>}"), part) for part in parts[::2])
    message = "".join(parts)
    message = re.sub(r"routes\[(\d+)\] in line \d+", lambda match: _route(int(match[1]), options), message)
    if found := re.match(r"routes\[(\d+)\]", problem.path):
        message = message.replace("unreachable route:", f"unreachable route {_route(int(found[1]), options)}:")
    needs_file = "dangerously_allow" in message or message.endswith("'regex: …'")
    return message + _NEEDS_A_FILE if needs_file else message


def _written(option: str, value: str, options: Options, *, in_environment: bool) -> str:
    """Return an option with a value as the user would write it, or its name for the value ''."""
    name = options.names.get(option) or FLAGS[option]
    if in_environment:
        name = "CORSPROXY_" + FLAGS[option].removeprefix("--").replace("-", "_").upper()
    if name.startswith("CORSPROXY_"):
        return f"{name}={value}" if value else name
    if value == "false":
        return f"--no-{name.removeprefix('--')}"
    return f"{name} {value}".strip()


def _route(index: int, options: Options) -> str:
    """Return the option that represents a route of the generated file."""
    name, path, url = upstream_pairs(options)[index]
    if _is_single(name, options):
        return options.name("upstream")
    return _shown(f"{path}={url}")


# --- what the generated file cannot show ----------------------------------------------------------------------------


def mistakes(options: Options) -> Iterator[Problem]:
    """Yield problems that the generated file cannot show."""
    option = options.name("routes")
    taken = {"/"} if options.upstream is not None else set()
    for route in options.routes:
        path, equals, url = route.partition("=")
        if not equals or not path.startswith("/") or url.startswith("="):
            right = _likely_route(route) or "/api=http://localhost:8000"
            yield _problem(option, f"invalid route {_shown(route)}: expected PATH=URL, as in {right}")
        elif not url:
            yield _problem(option, f"invalid route {_shown(route)}: the URL is missing after the '='")
        elif port := bare_port(url):
            right = _assigned(option, f"{path}=http://localhost:{port}")
            yield _problem(option, f"invalid URL {quote(url)}: for a server on this machine write {right}")
        elif holds_several(url):
            yield _problem(option, f"invalid route {_shown(route)}: each route is a value of its own; repeat {option}")
        elif path in taken:
            first = f"{options.name('upstream')} is its route" if path == "/" else "an earlier route has it"
            yield _problem(option, f"duplicate path {quote(path)}: {first}; change one, or remove it")
        taken.add(path)
    if options.upstream is not None and (port := bare_port(options.upstream)):
        option = options.name("upstream")
        right = _assigned(option, f"http://localhost:{port}")
        yield _problem(option, f"invalid URL {quote(options.upstream)}: for a server on this machine write {right}")


def _shown(route: str) -> str:
    """Return a route for a message, without a login in its URL."""
    return quote(re.sub(r"//[^/?#]*@", "//…@", route))


_ARROW = r"\s*(?:=+>?|->|:|\s)\s*"
_PATH_THEN_URL = re.compile(rf"[~^*\s]*(?P<path>[^\s=]*?){_ARROW}(?P<url>(?:https?|unix)://?\S+)")
_URL_THEN_PATH = re.compile(rf"(?P<url>https?://[^\s=]+?){_ARROW}(?P<path>/[^\s=]*)")
_URL_ALONE = re.compile(r"(?P<path>)(?P<url>https?://\S+)")


def _likely_route(text: str) -> str | None:
    """Return the PATH=URL that was probably meant: other separators, other order, no slash, nginx's signs."""
    text = text.strip().strip("\"'")
    found = next((m for form in (_URL_THEN_PATH, _URL_ALONE, _PATH_THEN_URL) if (m := form.fullmatch(text))), None)
    if found is None:
        return f"{text.rstrip('=')}=http://localhost:8000" if re.fullmatch(r"/[\w./-]*", text) else None
    path, url = found["path"], found["url"]
    try:
        parse_upstream_url(url)
    except RefusedError:
        return None
    return f"/{path.lstrip('/')}={url}"


def _assigned(option: str, value: str) -> str:
    return f"{option}={value}" if option.startswith("CORSPROXY_") else f"{option} {value}"


def _problem(option: str, message: str) -> Problem:
    return Problem("", 0, 0, option, "error", "invalid", message)


def _is_single(name: str, options: Options) -> bool:
    return not options.routes or (name == UPSTREAM_NAME and options.upstream is not None)
