"""Quick mode, the development default: the configuration that the options represent.

The options are written as a file and loaded as one, so that every rule and every tool for files covers quick mode too.
Problems are reported under the option's name.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Final

from corsproxy.config.load import Loaded, load_text
from corsproxy.config.options import Options
from corsproxy.config.problems import ConfigError, Problem, quote
from corsproxy.config.quick_problems import by_option
from corsproxy.config.quick_routes import mistakes, upstream_pairs
from corsproxy.config.quick_text import POLICY_NAME, quick_text, quoted
from corsproxy.cors import is_loopback
from corsproxy.settings import CookieRules, Settings

QUICK_FILE: Final = "(quick mode)"
"""Replaces the file's name."""

_PRIVATE_SUFFIXES = (".local", ".test", ".internal", ".localhost", ".home.arpa")
"""Names that nobody can register: RFC 6762, RFC 6761, RFC 8375, and ICANN's resolution on `.internal`."""

_PRIVATE_NETWORKS = tuple(
    map(
        ipaddress.ip_network,
        ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8", "fc00::/7", "fe80::/10"),
    )
)
"""Addresses that no router on the internet forwards: RFC 1918, RFC 3927, RFC 4193, RFC 4291."""


def load_quick(options: Options, *, file: str = QUICK_FILE) -> Loaded:
    """Load the configuration that the options represent.

    Without origins, pages served from loopback are allowed.
    Raises `ConfigError` whose problems name the option: `--upstream`, `--allow-origin`.
    """
    found = tuple(mistakes(options))
    if any(mistake.path == options.name("upstream") for mistake in found) or not upstream_pairs(options):
        raise ConfigError(found)
    tolerated: set[int] = set()
    try:
        loaded = load_text(quick_text(options), file, {})
    except ConfigError as error:
        tolerated = {at for at in _refused_origins(error) if _is_private_page(options, at)}
        others = [one for one in error.problems if _origin_at(one) not in tolerated]
        if not tolerated or found or any(one.severity == "error" for one in others):
            raise ConfigError([*found, *by_option(others, options)]) from None
        loaded = _load_insecure(options, file)
    if found:
        raise ConfigError(found)
    warnings = (*by_option(loaded.warnings, options), *_plain_http(options, tolerated))
    if options.insecure:  # its own message, because the file's names the key `ca`
        insecure = options.name("insecure")
        warnings = (*(one for one in warnings if one.path != insecure), *_unverified(options))
    settings = replace(_with_cookies(loaded.settings), by_options=True)
    return replace(loaded, settings=settings, warnings=warnings)


def _with_cookies(settings: Settings) -> Settings:
    """Return the settings with a rule that no file can have: remove a Domain that does not contain the proxy's host."""
    rules = CookieRules(removes_foreign_domain=True)
    routes = (replace(route, upstream=replace(route.upstream, cookies=rules)) for route in settings.routes)
    return replace(settings, routes=tuple(routes))


def _load_insecure(options: Options, file: str) -> Loaded:
    try:
        return load_text(quick_text(options, insecure=True), file, {})
    except ConfigError as error:
        raise ConfigError(by_option(error.problems, options)) from None


def file_text(options: Options) -> str:
    """Return a file for people that does what the options do; raise `ConfigError` like `load_quick`."""
    loaded = load_quick(options)
    insecure = any(spec.dangerously_allow for spec in loaded.specs.values())
    text = quick_text(options, insecure=insecure)
    text = text.replace(f"\n  {POLICY_NAME}:\n", "\n  app:\n").replace(
        f"    policy: {POLICY_NAME}\n", "    policy: app\n"
    )
    text = text.replace("\npolicies:\n", f"\n{_ON_COOKIES}policies:\n", 1)
    for section, comment in _COMMENTS.items():
        text = f"\n{text}".replace(f"\n{section}:", f"\n\n# {comment}\n{section}:", 1).removeprefix("\n")
    return "".join((*(f"{line}\n" for line in _process_lines(options)), text))


_ON_COOKIES = """\
    # cookies: {domain: remove}   # without a file, a Domain that browsers would reject is removed
"""

_COMMENTS = {
    "upstreams": "The servers behind the proxy.",
    "policies": "Who may read the responses, and what they may ask for.",
    "routes": "Which requests go where, under which policy; the most specific route wins.",
}


def _process_lines(options: Options) -> Iterator[str]:
    """Yield the keys of the process, with comments about further ones."""
    yield f"listen: {quoted(options.listen or '127.0.0.1:8080')}   # 0.0.0.0:8080 in a container"
    if options.admin is not None or options.inspect:
        yield f"admin: {quoted(options.admin or '127.0.0.1:8081')}"
    else:
        yield "# admin: 127.0.0.1:8081   # health, metrics, and the inspector if it is on"
    yield f"inspector: {str(bool(options.inspect)).lower()}   # a page that shows requests live"
    if options.workers is not None:
        yield f"workers: {options.workers}"
    log = {"format": options.log_format, "level": options.log_level}
    if log_keys := ", ".join(f"{key}: {value}" for key, value in log.items() if value is not None):
        yield f"log: {{{log_keys}}}"


def _origin_at(problem: Problem) -> int | None:
    """Return the index of the origin that a problem refuses as dangerous; None for any other problem."""
    found = re.fullmatch(rf"policies\.{POLICY_NAME}\.allow_origins\[(\d+)\]", problem.path)
    return int(found[1]) if found and problem.severity == "error" and problem.reason == "prohibited" else None


def _refused_origins(error: ConfigError) -> list[int]:
    return [at for problem in error.problems if (at := _origin_at(problem)) is not None]


def _is_private_page(options: Options, at: int) -> bool:
    """Return whether the origin is plain http on a host that only the local network can reach."""
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


def _plain_http(options: Options, tolerated: Collection[int]) -> Iterator[Problem]:
    for origin in dict.fromkeys(options.allow_origins[at] for at in sorted(tolerated)):
        message = f"{quote(origin)} is plain http: anyone on the same network can impersonate that page, with cookies"
        option = options.name("allow_origins")
        yield Problem("", 0, 0, option, "warning", "prohibited", f"{message}; for development only")


def _unverified(options: Options) -> Iterator[Problem]:
    urls = [url for _, _, url in upstream_pairs(options) if url.lower().startswith("https:")]
    if urls:
        message = f"the certificate of {', '.join(urls)} is not verified: anyone on the way can impersonate it"
        yield Problem("", 0, 0, options.name("insecure"), "warning", "prohibited", message)
