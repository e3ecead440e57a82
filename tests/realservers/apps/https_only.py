"""Starlette behind uvicorn, with the middleware that redirects to https."""

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.httpsredirect import HTTPSRedirectMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route


async def scheme(request: Request) -> PlainTextResponse:
    """Return what the application believes to be asked over."""
    return PlainTextResponse(request.url.scheme)


app = Starlette(routes=[Route("/", scheme)], middleware=[Middleware(HTTPSRedirectMiddleware)])
