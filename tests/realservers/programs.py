"""Third-party servers, each started by its own command as its user would, with its own CORS switched on.

Where each listens is read from what it prints.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support.programs import launched

_APPS = Path(__file__).with_name("apps")
_ANYWHERE = ("--host", "127.0.0.1", "--port", "0")

COMMANDS: dict[str, tuple[str, ...]] = {
    "flask": ("-m", "flask", "--app", str(_APPS / "flask_app.py"), "run", *_ANYWHERE),
    "starlette": ("-m", "uvicorn", "--app-dir", str(_APPS), "starlette_app:app", *_ANYWHERE),
    "datasette": ("-m", "datasette", "serve", "--memory", "--cors", *_ANYWHERE),
    "dav": (str(_APPS / "dav.py"),),
}
"""The arguments of Python; `dav` gets the folder it serves as one more."""


@contextlib.contextmanager
def running() -> Iterator[dict[str, str]]:
    """Run all of them, and yield the URL of each, without a path."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory(prefix="corsproxy-dav-"))
        outputs = {}
        for name, command in COMMANDS.items():
            more = (folder,) if name == "dav" else ()
            outputs[name] = stack.enter_context(launched(sys.executable, *command, *more))
        yield {
            name: output.wait_line(r"(?i)(?:running|listening) on (http://[^\s/]+)")[1]
            for name, output in outputs.items()
        }


def config(urls: dict[str, str], origin: str) -> str:
    """Return a configuration with a route to each server, its name being the path, under one policy for one origin."""
    return "\n".join(
        (
            "log: {format: json}",
            "upstreams:",
            *(f"  {name}: {url}" for name, url in urls.items()),
            "policies:",
            "  app:",
            f"    allow_origins: [{origin}]",
            "    allow_methods: [GET, PUT, DELETE, PROPFIND]",
            "    allow_headers: [Content-Type, Depth]",
            "    expose_headers: [X-Total-Count]",
            "    allow_credentials: true",
            "routes:",
            *(f"  - {{path: /{name}, upstream: {name}, policy: app, strip_prefix: true}}" for name in urls),
        )
    )
