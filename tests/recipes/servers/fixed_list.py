"""An application whose own CORS middleware (BlackSheep's) has a fixed list, and refuses every other origin with 400.

    python fixed_list.py

Its list names a page that is long gone; nothing in it knows of a proxy.
"""

from __future__ import annotations

import socket

import uvicorn
from blacksheep import Application, Request, Response, get, json, put

app = Application()
app.use_cors(allow_origins="https://intranet.example.com", allow_methods="GET", allow_headers="X-Old")


@get("/items")
async def items(request: Request) -> Response:
    """List the items, and say in the log where the call came from."""
    announce(request)
    return json(["a", "b"])


@put("/items")
async def replace(request: Request) -> Response:
    """Take the items that were sent, and give them back."""
    announce(request)
    return json(await request.json())


@get("/mark/{number}")
async def mark(request: Request) -> Response:
    """Leave a line in the log that says where a test begins."""
    announce(request)
    return json([])


def announce(request: Request) -> None:
    """Print a line for a request that was let in: method, path, Origin."""
    origin = request.get_first_header(b"Origin")
    print(request.method, request.url.path.decode(), origin.decode() if origin else "-", flush=True)


if __name__ == "__main__":
    listener = socket.create_server(("127.0.0.1", 0))
    print(f"serving on http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])
