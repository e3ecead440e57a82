"""The routes that the options of quick mode represent, and mistakes in them that the generated file cannot show."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

from corsproxy.config.options import Options
from corsproxy.config.problems import Problem, RefusedError, quote
from corsproxy.config.upstream_urls import parse_upstream_url

UPSTREAM_NAME = "upstream"
"""The name of the upstream that has an option of its own, and no path."""


def upstream_pairs(options: Options) -> list[tuple[str, str, str]]:
    """Return the name of each upstream, its path and its URL, without those of mistakes."""
    pairs = [(UPSTREAM_NAME, "/", options.upstream)] if options.upstream is not None else []
    taken = {UPSTREAM_NAME}
    for route in options.routes:
        with contextlib.suppress(RefusedError):
            path, url = _parse_route(route, options)
            if path in (known for _, known, _ in pairs):
                continue
            slug = re.sub(r"[^A-Za-z0-9]+", "-", path).strip("-").lower()[:40].strip("-") or "root"
            name = next(name for name in (slug, *(f"{slug}-{at}" for at in range(2, 1000))) if name not in taken)
            taken.add(name)
            pairs.append((name, path, url))
    return pairs


def mistakes(options: Options) -> Iterator[Problem]:
    """Yield problems that the generated file cannot show."""
    option = options.name("routes")
    taken = {"/"} if options.upstream is not None else set()
    for route in options.routes:
        path = route.partition("=")[0]
        try:
            _parse_route(route, options)
        except RefusedError as refused:
            yield _problem(option, refused.message)
        else:
            if path in taken:
                first = f"{options.name('upstream')} is its route" if path == "/" else "an earlier route has it"
                yield _problem(option, f"duplicate path {quote(path)}: {first}; change one, or remove it")
        taken.add(path)
    if options.upstream is not None and (port := _bare_port(options.upstream)):
        option = options.name("upstream")
        yield _problem(option, _only_a_port(options.upstream, assigned(option, f"http://localhost:{port}")))


def shown(route: str) -> str:
    """Return a route for a message, without a login in its URL."""
    return quote(re.sub(r"//[^/?#]*@", "//…@", route))


def assigned(option: str, value: str) -> str:
    """Return an option, named as the user wrote it, with a value."""
    return f"{option}={value}" if option.startswith("CORSPROXY_") else f"{option} {value}"


def _parse_route(route: str, options: Options) -> tuple[str, str]:
    """Return path and URL; raises `RefusedError` if the text is not one of each."""
    option = options.name("routes")
    path, equals, url = route.partition("=")
    if not equals or not path.startswith("/") or url.startswith("="):
        right = _likely_route(route) or "/api=http://localhost:8000"
        raise RefusedError(f"invalid route {shown(route)}: expected PATH=URL, as in {right}")
    if not url:
        raise RefusedError(f"invalid route {shown(route)}: the URL is missing after the '='")
    if port := _bare_port(url):
        raise RefusedError(_only_a_port(url, assigned(option, f"{path}=http://localhost:{port}")))
    if re.search(r"[,;]\s*/[^=]*=", url):
        raise RefusedError(f"invalid route {shown(route)}: each route is a value of its own; repeat {option}")
    return path, url


def _bare_port(url: str) -> str | None:
    """Return the port of a URL that is nothing else: `3000` or `:3000`."""
    port = url.removeprefix(":")
    return port if port.isascii() and port.isdecimal() else None


def _only_a_port(url: str, right: str) -> str:
    return f"invalid URL {quote(url)}: for a server on this machine write {right}"


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


def _problem(option: str, message: str) -> Problem:
    return Problem("", 0, 0, option, "error", "invalid", message)
