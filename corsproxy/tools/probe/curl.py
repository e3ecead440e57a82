"""Converts a pasted `curl` command line to the request of a page; nothing is run.

It accepts what browsers copy ("Copy as cURL") and what people write; options without an effect here are skipped.
"""

from __future__ import annotations

import base64
import re
import shlex
from dataclasses import dataclass, field

from corsproxy.errors import UsageError
from corsproxy.tools.browser import urls

_WITH_VALUE = frozenset(
    {
        "-o", "--output", "-w", "--write-out", "-x", "--proxy", "-m", "--max-time", "--connect-timeout",
        "--cacert", "-E", "--cert", "--key", "--resolve", "--retry", "--ciphers", "-c", "--cookie-jar", "-D",
        "--dump-header", "-K", "--config", "-T", "--upload-file", "-r", "--range", "-z", "-C", "-P", "-Q",
        "-y", "-Y", "-t", "--interface", "--limit-rate", "--proto", "--tls-max", "--unix-socket",
    }
)  # fmt: skip
"""Options with a value that do not change the request of a page."""

_NAMES = {
    "-X": "--request", "-H": "--header", "-d": "--data", "-F": "--form", "-b": "--cookie", "-u": "--user",
    "-G": "--get", "-I": "--head", "-k": "--insecure", "-A": "--user-agent", "-e": "--referer",
    "--data-raw": "--data", "--data-binary": "--data", "--data-ascii": "--data", "--data-urlencode": "--data",
    "--form-string": "--form",
}  # fmt: skip
_TAKING = frozenset(
    {"--request", "--header", "--data", "--json", "--form", "--cookie", "--user", "--user-agent", "--referer", "--url"}
)
_FLAGS = frozenset({"--get", "--head", "--insecure"})
_BROWSERS_OWN = re.compile(
    "(?:sec-.*|proxy-.*|host|connection|content-length|accept-encoding|origin|referer|cookie|user-agent|dnt|te|priority"
    "|upgrade-insecure-requests|cache-control|pragma|accept-language|if-none-match|if-modified-since)",
    re.IGNORECASE,
)
"""Headers that a browser adds by itself, so that no script set them."""

_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", "'": "'", '"': '"'}


@dataclass(slots=True)
class CurlCommand:
    """The request of a command line."""

    url: str = ""
    method: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    origin: str | None = None
    cookie: str = ""
    body: str = ""
    insecure: bool = False


def parse_curl(text: str) -> CurlCommand:
    """Parse a command line; raises `UsageError` if it is not one of curl, or names no URL."""
    try:
        words = shlex.split(_plain_quotes(text).replace("\\\r\n", " ").replace("\\\n", " "))
    except ValueError as error:
        raise UsageError(
            f"invalid curl command: {str(error).lower()}; put the whole command in single quotes"
        ) from None
    if not words or words[0].rpartition("/")[2] not in {"curl", "curl.exe"}:
        raise UsageError("invalid curl command: it must begin with 'curl'")
    command = CurlCommand()
    options = _options(words[1:])
    for name, value in options:
        _apply(command, name, value)
    if not command.url:
        raise UsageError("invalid curl command: it names no URL")
    if "://" not in command.url:
        command.url = f"http://{command.url}"
    _settle(command, {name for name, _ in options})
    return command


def _options(words: list[str]) -> list[tuple[str, str]]:
    """Return the options by their long names, with their values; a word without a dash is a URL."""
    found = []
    left = iter(words)
    for word in left:
        if not word.startswith("-") or word == "-":
            found.append(("--url", word))
            continue
        long, equals, value = word.partition("=") if word.startswith("--") else (word[:2], "", word[2:])
        name = _NAMES.get(long, long)
        if name in _TAKING or long in _WITH_VALUE:
            taken = value if equals or value else next(left, None)
            if taken is None:
                raise UsageError(f"invalid curl command: {long} lacks its value")
            found.append((name, taken))
        else:
            # -sSkL is several options at once.
            bundled = [f"-{sign}" for sign in word[1:]] if not word.startswith("--") else [word]
            found += [(_NAMES.get(one, one), "") for one in bundled if _NAMES.get(one, one) in _FLAGS]
    return found


def _apply(command: CurlCommand, name: str, value: str) -> None:
    match name:
        case "--url":
            command.url = command.url or value
        case "--request":
            command.method = value
        case "--header":
            _header(command, value)
        case "--data" | "--json":
            command.body += ("&" if command.body and name == "--data" else "") + value
        case "--cookie":
            command.cookie = value
        case "--referer":
            command.origin = command.origin or urls.origin_of(value)
        case "--user":
            secret = base64.b64encode(value.encode("utf-8", "surrogateescape")).decode()
            command.headers.append(("Authorization", f"Basic {secret}"))
        case "--insecure":
            command.insecure = True


def _header(command: CurlCommand, line: str) -> None:
    name, _, value = line.partition(":")
    name, value = name.strip(), value.strip()
    low = name.lower()
    if low == "origin":
        command.origin = value
    elif low == "referer":
        command.origin = command.origin or urls.origin_of(value)
    elif low == "cookie":
        command.cookie = value
    elif name and not _BROWSERS_OWN.fullmatch(name):
        command.headers.append((name, value))


def _settle(command: CurlCommand, given: set[str]) -> None:
    """Add the method and Content-Type that curl would."""
    has_type = any(name.lower() == "content-type" for name, _ in command.headers)
    if "--form" in given and not has_type:
        command.headers.append(("Content-Type", "multipart/form-data; boundary=x"))
    elif "--json" in given and not has_type:
        command.headers.append(("Content-Type", "application/json"))
    elif "--data" in given and "--get" not in given and not has_type:
        command.headers.append(("Content-Type", "application/x-www-form-urlencoded"))
    if "--get" in given and command.body:
        command.url += ("&" if "?" in command.url else "?") + command.body
        command.body = ""
    if not command.method:
        sends = bool(given & {"--data", "--json", "--form"}) and "--get" not in given
        command.method = "HEAD" if "--head" in given else "POST" if sends else "GET"


def _plain_quotes(text: str) -> str:
    """Return a command line with bash's `$'...'`, which browsers use for texts with quotes, as plain quotes."""

    def plain(found: re.Match[str]) -> str:
        text = re.sub(
            r"\\u([0-9a-fA-F]{4})|\\(.)",
            lambda one: chr(int(one[1], 16)) if one[1] else _ESCAPES.get(one[2], one[2]),
            found[1],
        )
        return shlex.quote(text)

    return re.sub(r"(?<!\S)\$'((?:[^'\\]|\\.)*)'", plain, text, flags=re.DOTALL)
