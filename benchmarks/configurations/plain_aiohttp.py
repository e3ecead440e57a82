"""The proxy one writes in an afternoon: `web.Application` in front, `ClientSession` behind, CORS by hand.

The baseline for what the shape of corsproxy is worth; it is not a correct proxy.
"""

from __future__ import annotations

import asyncio

import aiohttp
import uvloop
from aiohttp import web

ORIGIN = "@ORIGIN@"
UPSTREAM = "http://127.0.0.1:@UPSTREAM@"
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "host"}
SESSION = web.AppKey("SESSION", aiohttp.ClientSession)


async def relay(request: web.Request) -> web.StreamResponse:
    """Answer a preflight, or send the request on."""
    granted = {"Vary": "Origin"}
    if request.headers.get("Origin") == ORIGIN:
        granted["Access-Control-Allow-Origin"] = ORIGIN
    if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
        granted["Access-Control-Allow-Methods"] = "GET, PUT, POST"
        granted["Access-Control-Allow-Headers"] = "Content-Type"
        granted["Access-Control-Max-Age"] = "600"
        return web.Response(status=204, headers=granted)
    headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP}
    headers["X-Forwarded-For"] = request.remote or ""
    async with request.app[SESSION].request(
        request.method,
        UPSTREAM + request.raw_path,
        headers=headers,
        data=request.content if request.body_exists else None,
        allow_redirects=False,
    ) as answer:
        kept = [
            (name, value)
            for name, value in answer.headers.items()
            if name.lower() not in HOP_BY_HOP and not name.lower().startswith("access-control-")
        ]
        response = web.StreamResponse(status=answer.status)
        response.headers.extend([*kept, *granted.items()])
        await response.prepare(request)
        async for piece in answer.content.iter_any():
            await response.write(piece)
        await response.write_eof()
        return response


async def main() -> None:
    """Serve until killed."""
    app = web.Application(client_max_size=0)
    app[SESSION] = aiohttp.ClientSession(auto_decompress=False, timeout=aiohttp.ClientTimeout(total=None))
    app.router.add_route("*", "/{path:.*}", relay)
    runner = web.AppRunner(app, access_log=None, auto_decompress=False)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", int("@PORT@"), backlog=4096).start()
    await asyncio.Event().wait()


uvloop.run(main())
