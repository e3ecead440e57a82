"""Guesses at what users of other programs mean by a command line, and the line that does the same here.

Text in, text out; used only after click has rejected the command line.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Sequence

_PORT = re.compile(r"[0-9]{1,5}")
_URL = re.compile(r"https?://.+|(?:localhost|127\.0\.0\.1|\[::1\])(?::[0-9]+)?(?:/.*)?", re.IGNORECASE)

_RENAMED = {
    "--port": "--listen",
    "-p": "--listen",
    "--host": "--listen",
    "--bind": "--listen",
    "--target": "--upstream",
    "--proxy-url": "--upstream",
    "--proxyUrl": "--upstream",
    "--backend": "--upstream",
    "-u": "--upstream",
    "--origin": "--allow-origin",
    "--origins": "--allow-origin",
    "--allow-origins": "--allow-origin",
    "--allow-methods": "--allow-method",
    "--allow-headers": "--allow-header",
    "--expose-headers": "--expose-header",
    "--cors-origin": "--allow-origin",
    "--credentials": "--allow-credentials",
}
"""Options of `serve`, by the names that other programs use."""


_SWITCHES = ("--allow-credentials", "--credentials", "--inspect", "--watch", "--insecure", "--https")
"""Options that take no value."""
_SPOKEN_NO = ("no", "false", "off", "0")
_SPOKEN = ("yes", "true", "on", "1", *_SPOKEN_NO)


def other_line(args: Sequence[str]) -> str | None:
    """Return the command line that was probably intended; None if there is no better one."""
    words = list(args)
    if words[:1] in (["help"], ["version"]):
        return " ".join(["corsproxy", *words[1:2], f"--{words[0]}"])
    if words and words[0] != "serve":
        if _URL.fullmatch(words[0]) or words[0].startswith("--upstream"):
            words.insert(0, "serve")
        else:
            return None
    meant = _meant(words)
    return shlex.join(["corsproxy", *meant]) if meant != list(args) else None


def _meant(words: list[str]) -> list[str]:
    """Return the words of `serve` with its own option names."""
    meant: list[str] = []
    upstreams = 0
    for place, word in enumerate(words):
        name, equals, value = word.partition("=")
        before = words[place - 1] if place else ""
        if before in _SWITCHES and word.lower() in _SPOKEN:
            if word.lower() in _SPOKEN_NO:
                meant[-1:] = ["--no-allow-credentials"] if meant[-1] == "--allow-credentials" else []
            continue
        if name in _RENAMED:
            word = _RENAMED[name] + equals + value
        elif name == "--upstream":
            upstreams += 1
            word = word if upstreams == 1 else "--route"
        elif place and before in ("--upstream", "-u", "--target") and upstreams > 1:
            word = f"/api={_as_url(word)}"
        elif place and not before.startswith("-") and (_URL.fullmatch(word) or _PORT.fullmatch(word)):
            upstreams += 1
            meant += ["--upstream"] if upstreams == 1 else ["--route"]
            word = _as_url(word) if upstreams == 1 else f"/api={_as_url(word)}"
        meant.append(word)
    return meant


def _as_url(text: str) -> str:
    if _PORT.fullmatch(text):
        return f"http://localhost:{text}"
    return text if "://" in text else f"http://{text}"


def unquoted_star(args: Sequence[str], names: Collection[str]) -> str | None:
    """Return the option after which the shell has replaced a star with file names; None if it has not."""
    for place, word in enumerate(args):
        behind = [other for other in args[place + 1 :] if not other.startswith("-")]
        if word.startswith("--allow-") and len(behind) > 1 and all(other in names for other in behind):
            return word
    return None
