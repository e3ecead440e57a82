"""Serve the demo's page and its data on a separate origin.

The page's files are in `page/`; `/demo.json` tells it the addresses, the policy and the calls.
It makes no calls to the API or the proxy: the browser does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from importlib.resources import files

from aiohttp import web

_FILES = {
    "/": ("index.html", "text/html"),
    "/style.css": ("style.css", "text/css"),
    "/app.js": ("app.js", "text/javascript"),
}


def site(describe: Callable[[], Mapping[str, object]], may_connect: tuple[str, ...]) -> web.Application:
    """Return the page's server; `describe` makes the content of `/demo.json`, the page may call `may_connect`.

    The page loads nothing from anywhere else, and its Content-Security-Policy ensures that.
    """
    security = (
        "default-src 'none'; img-src data:; style-src 'self'; script-src 'self'",
        f"connect-src 'self' {' '.join(may_connect)}",
    )
    headers = {"Content-Security-Policy": "; ".join(security), "Cache-Control": "no-store"}
    folder = files(__package__) / "page"
    application = web.Application()

    def add(path: str, content_type: str, content: Callable[[], str]) -> None:
        async def answer(_request: web.Request) -> web.Response:
            return web.Response(text=content(), content_type=content_type, charset="utf-8", headers=headers)

        application.router.add_get(path, answer)

    for path, (name, content_type) in _FILES.items():
        add(path, content_type, (folder / name).read_bytes().decode)
    add("/demo.json", "application/json", lambda: json.dumps(describe()))
    return application
