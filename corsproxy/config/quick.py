"""Quick mode: the file that the options stand for; the development default.

The options are written as a file and loaded as one, so that every rule of the file holds, and every tool that speaks
about a file speaks about quick mode too.
What is wrong is told under the name of the option.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from corsproxy.config.addresses import parse_upstream_url
from corsproxy.config.load import Loaded, load_text
from corsproxy.config.options import Options
from corsproxy.config.problems import ConfigError, Problem, RefusedError, quote
from corsproxy.cors import is_loopback
from corsproxy.settings import CookieRules, Settings

LOOPBACK_ORIGINS: Final = tuple(
    f"{scheme}://{host}:*" for host in ("localhost", "127.0.0.1", "[::1]") for scheme in ("http", "https")
)
"""Pages served from this machine, on any port."""

QUICK_FILE: Final = "(quick mode)"
"""Stands where the file's name would."""

_POLICY = "quick"
_UPSTREAM = "upstream"

_PRIVATE_SUFFIXES = (".local", ".test", ".internal", ".localhost", ".home.arpa")
"""Names that nobody can own on the internet: RFC 6762, RFC 6761, RFC 8375, and ICANN's resolution on `.internal`."""

_PRIVATE_NETWORKS = tuple(
    map(
        ipaddress.ip_network,
        ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8", "fc00::/7", "fe80::/10"),
    )
)
"""RFC 1918, RFC 3927, RFC 4193, RFC 4291: what no router of the internet forwards."""

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
"""Which option stands for a key of the one policy, or of an upstream."""


def load_quick(options: Options, *, file: str = QUICK_FILE) -> Loaded:
    """Load the configuration that the options stand for.

    Without origins, pages served from loopback are allowed.
    Raises `ConfigError` whose problems name the option: `--upstream`, `--allow-origin`.
    """
    mistakes = tuple(_mistakes(options))
    if any(mistake.path == options.name("upstream") for mistake in mistakes) or not _pairs(options):
        raise ConfigError(mistakes)
    tolerated: set[int] = set()
    try:
        loaded = load_text(quick_text(options), file, {})
    except ConfigError as error:
        tolerated = {at for at in _refused_origins(error) if _is_private_page(options, at)}
        others = [one for one in error.problems if _origin_at(one) not in tolerated]
        if not tolerated or mistakes or any(one.severity == "error" for one in others):
            raise ConfigError([*mistakes, *_by_option(others, options)]) from None
        loaded = _load_insecure(options, file)
    if mistakes:
        raise ConfigError(mistakes)
    warnings = (*_by_option(loaded.warnings, options), *(_plain_http(options, at) for at in sorted(tolerated)))
    if options.insecure:  # in its own words: there is no `ca` to name here
        insecure = options.name("insecure")
        warnings = (*(one for one in warnings if one.path != insecure), *_unverified(options))
    settings = replace(_with_cookies(loaded.settings), by_options=True)
    return replace(loaded, settings=settings, warnings=warnings, is_quick=True)


def _with_cookies(settings: Settings) -> Settings:
    """Take off a Domain that the browser would not accept from this host: no key of a file says that."""
    rules = CookieRules(removes_foreign_domain=True)
    routes = (replace(route, upstream=replace(route.upstream, cookies=rules)) for route in settings.routes)
    return replace(settings, routes=tuple(routes))


def _load_insecure(options: Options, file: str) -> Loaded:
    try:
        return load_text(quick_text(options, insecure=True), file, {})
    except ConfigError as error:
        raise ConfigError(_by_option(error.problems, options)) from None


def file_text(options: Options) -> str:
    """Write a file for people that does what the options do; raises `ConfigError` as `load_quick`."""
    loaded = load_quick(options)
    insecure = any(spec.dangerously_allow for spec in loaded.specs.values())
    text = quick_text(options, insecure=insecure)
    text = text.replace(f"\n  {_POLICY}:\n", "\n  app:\n").replace(f"    policy: {_POLICY}\n", "    policy: app\n")
    text = text.replace("\npolicies:\n", f"\n{_ON_COOKIES}policies:\n", 1)
    for section, comment in _COMMENTS.items():
        text = f"\n{text}".replace(f"\n{section}:", f"\n\n# {comment}\n{section}:", 1).removeprefix("\n")
    return "".join((*(f"{line}\n" for line in _process_lines(options)), text))


_ON_COOKIES = """\
    # cookies: {domain: remove}   # without a file a Domain that browsers would refuse from this host is taken off
"""

_COMMENTS = {
    "upstreams": "The servers behind the proxy.",
    "policies": "Who may read the responses, and what they may ask for.",
    "routes": "Which requests go where, under which policy; the most specific route wins.",
}


def _process_lines(options: Options) -> Iterator[str]:
    """Write what options say of the process, with what there is besides."""
    yield f"listen: {_quoted(options.listen or '127.0.0.1:8080')}   # 0.0.0.0:8080 in a container"
    if options.admin is not None or options.inspect:
        yield f"admin: {_quoted(options.admin or '127.0.0.1:8081')}"
    else:
        yield "# admin: 127.0.0.1:8081   # health, metrics, and the inspector if it is on"
    yield f"inspector: {str(bool(options.inspect)).lower()}   # a page that shows requests live"
    if options.workers is not None:
        yield f"workers: {options.workers}"
    log = {"format": options.log_format, "level": options.log_level}
    if said := ", ".join(f"{key}: {value}" for key, value in log.items() if value is not None):
        yield f"log: {{{said}}}"


def quick_text(options: Options, *, insecure: bool = False) -> str:
    """Write the file that the options stand for; `insecure` lets plain-http origins have credentials."""
    return "\n".join((*_upstream_lines(options), *_policy_lines(options, insecure), *_route_lines(options))) + "\n"


def option_of(path: str, options: Options) -> str:
    """Return the option, as the user wrote it, that stands for a key path of the file of quick mode."""
    section, _, rest = path.partition(".")
    if section.startswith("upstreams"):
        name, _, key = rest.partition(".")
        option = _OPTION_OF_KEY.get(key.partition(".")[0]) or ("upstream" if _is_single(name, options) else "routes")
    elif section.startswith("policies"):
        option = _OPTION_OF_KEY.get(rest.removeprefix(f"{_POLICY}.").partition("[")[0], "allow_origins")
    elif section.startswith("routes"):
        option = "routes" if options.routes else "upstream"
    else:
        option = {"trusted_proxies": "trusted_proxies", "public_origins": "public_origins"}.get(
            section.partition("[")[0], "upstream"
        )
    return options.name(option)


def _mistakes(options: Options) -> Iterator[Problem]:
    """Find what no text of a file can show."""
    taken = {"/"} if options.upstream is not None else set()
    for route in options.routes:
        path, equals, url = route.partition("=")
        if not equals or not path.startswith("/"):
            if equals and url and ":" not in path:
                right = f"/{route}"
            else:
                right = f"/={route}" if "://" in route else "/api=http://localhost:8000"
            yield _problem(options.name("routes"), f"invalid route {quote(route)}: expected PATH=URL, as in {right}")
        elif not url:
            yield _problem(options.name("routes"), f"invalid route {quote(route)}: the URL is missing after the '='")
        elif path in taken:
            first = f"{options.name('upstream')} is its route" if path == "/" else "an earlier route has it"
            yield _problem(options.name("routes"), f"duplicate path {quote(path)}: {first}; change one, or remove it")
        taken.add(path)

    urls = {options.upstream: options.name("upstream")} if options.upstream is not None else {}
    for url, option in urls.items():
        port = url.removeprefix(":")
        if port.isascii() and port.isdecimal():
            yield _problem(
                option, f"invalid URL {quote(url)}: for a server on this machine write {option} http://localhost:{port}"
            )


def _problem(option: str, message: str) -> Problem:
    return Problem("", 0, 0, option, "error", "invalid", message)


def _pairs(options: Options) -> list[tuple[str, str, str]]:
    """Return the name of each upstream, its path and its URL."""
    pairs = [(_UPSTREAM, "/", options.upstream)] if options.upstream is not None else []
    taken = {_UPSTREAM}
    for route in options.routes:
        path, equals, url = route.partition("=")
        if not equals or not path.startswith("/") or not url or path in (known for _, known, _ in pairs):
            continue  # a mistake, and told as one
        slug = re.sub(r"[^A-Za-z0-9]+", "-", path).strip("-").lower()[:40].strip("-") or "root"
        name = next(name for name in (slug, *(f"{slug}-{at}" for at in range(2, 1000))) if name not in taken)
        taken.add(name)
        pairs.append((name, path, url))
    return pairs


def _is_single(name: str, options: Options) -> bool:
    return not options.routes or (name == _UPSTREAM and options.upstream is not None)


def _upstream_lines(options: Options) -> Iterator[str]:
    yield "upstreams:"
    for name, _, url in _pairs(options):
        yield f"  {name}:"
        yield f"    url: {_quoted(url)}"
        if _is_on_this_machine(url):
            yield "    response_timeout: 1h"
        if options.send_host is not None:
            yield f"    host: {_quoted(options.send_host)}"
        if options.send_origin is not None:
            yield f"    origin: {_quoted(options.send_origin)}"
        if options.insecure and url.lower().startswith("https:"):
            yield "    tls: {verify: false}"


def _policy_lines(options: Options, insecure: bool) -> Iterator[str]:
    credentials = options.allow_credentials
    rejects = options.send_origin not in (None, "forward")
    yield "policies:"
    yield f"  {_POLICY}:"
    yield "    allow_origins:"
    yield from (f"      - {_quoted(origin)}" for origin in options.allow_origins or LOOPBACK_ORIGINS)
    yield f"    allow_methods: {_flow(options.allow_methods or ('*',))}"
    yield f"    allow_headers: {_flow(options.allow_headers or ('*', 'Authorization'))}"
    yield f"    expose_headers: {_flow(options.expose_headers or ('*',))}"
    if credentials is None:
        credentials = "*" not in options.allow_origins  # Fetch lets none go with it
    yield f"    allow_credentials: {str(credentials).lower()}"
    if options.max_age is not None:
        yield f"    max_age: {_quoted(options.max_age)}"
    if options.on_refused is not None or rejects:
        yield f"    on_refused: {_quoted(options.on_refused or 'reject')}"
    if options.websockets is not None:
        yield f"    websockets: {_quoted(options.websockets)}"
    yield "    diagnostics: true"
    if insecure:
        yield "    dangerously_allow: [insecure_origins]"


def _route_lines(options: Options) -> Iterator[str]:
    if options.trusted_proxies:
        yield f"trusted_proxies: {_flow(options.trusted_proxies)}"
    if options.public_origins:
        yield f"public_origins: {_flow(options.public_origins)}"
    yield "routes:"
    for name, path, _ in _pairs(options):
        yield f"  - path: {_quoted(path)}"
        yield f"    upstream: {name}"
        yield f"    policy: {_POLICY}"


def _quoted(text: str) -> str:
    """Write a text as YAML; nothing in it comes from the environment, so a dollar sign is one."""
    escapes = {'"': r"\"", "\\": r"\\", "$": "$$"}
    text = re.sub("[\ud800-\udfff]", "\ufffd", text)  # bytes of the command line that are no UTF-8
    signs = (escapes.get(sign) or (sign if sign.isprintable() else f"\\U{ord(sign):08x}") for sign in text)
    return f'"{"".join(signs)}"'


def _flow(texts: Sequence[str]) -> str:
    return f"[{', '.join(map(_quoted, texts))}]"


def _is_on_this_machine(url: str) -> bool:
    try:
        found = parse_upstream_url(url)
    except RefusedError:
        return False
    return found.unix_path is not None or is_loopback(f"[{found.host}]" if ":" in found.host else found.host)


def _origin_at(problem: Problem) -> int | None:
    """Return the place in the list of the origin that a problem is about, where it is one that safety refuses."""
    found = re.fullmatch(rf"policies\.{_POLICY}\.allow_origins\[(\d+)\]", problem.path)
    return int(found[1]) if found and problem.severity == "error" and problem.reason == "prohibited" else None


def _refused_origins(error: ConfigError) -> list[int]:
    return [at for problem in error.problems if (at := _origin_at(problem)) is not None]


def _is_private_page(options: Options, at: int) -> bool:
    """Return whether the origin is plain http on a host that only the own network can reach."""
    origin = options.allow_origins[at]
    if not origin.startswith("http://"):
        return False
    host = re.sub(r":(\d+|\*)?$", "", origin.removeprefix("http://"))
    if host.endswith(_PRIVATE_SUFFIXES) or is_loopback(host):
        return True
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return any(address in network for network in _PRIVATE_NETWORKS)


def _plain_http(options: Options, at: int) -> Problem:
    origin = options.allow_origins[at]
    message = f"{quote(origin)} is plain http: anyone on the same network can impersonate that page, with cookies"
    return Problem("", 0, 0, options.name("allow_origins"), "warning", "prohibited", f"{message}; for development only")


def _unverified(options: Options) -> Iterator[Problem]:
    urls = [url for _, _, url in _pairs(options) if url.lower().startswith("https:")]
    if urls:
        message = f"the certificate of {', '.join(urls)} is not verified: anyone on the way can impersonate it"
        yield Problem("", 0, 0, options.name("insecure"), "warning", "prohibited", message)


def _by_option(problems: Sequence[Problem], options: Options) -> Iterator[Problem]:
    """Tell problems of the text as problems of the options."""
    told: set[tuple[str, str]] = set()
    for problem in problems:
        if not options.allow_origins and problem.severity == "warning" and "allow_origins" in problem.path:
            continue
        option = option_of(problem.path, options)
        if (option, problem.message) not in told:
            told.add((option, problem.message))
            message = _without_a_file(problem.message)
            yield Problem("", 0, 0, option, problem.severity, problem.reason, message)


_AS_OPTIONS = (
    (f"write 'on_refused: reject' in policy '{_POLICY}'", "add --on-refused reject"),
    ("name the origins, with 'on_refused: reject'", "name them with --allow-origin, and add --on-refused reject"),
    ("'upstream' with 'host: client'", "'upstream' with --send-host client"),
    ("write 'host: upstream'", "write --send-host upstream"),
    (f"policy '{_POLICY}'", "the policy"),
)
"""What a message says of keys, and of options."""


def _without_a_file(message: str) -> str:
    """Say it of options, and where a key can be written that has none."""
    for key, option in _AS_OPTIONS:
        message = message.replace(key, option)
    needs_file = "dangerously_allow" in message
    return f"{message} in a configuration file ('corsproxy init' writes one)" if needs_file else message
