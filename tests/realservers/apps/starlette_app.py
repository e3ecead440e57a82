"""A Starlette application with CORSMiddleware set to allow all of everything, with credentials; run by uvicorn."""

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route


async def books(request: Request) -> JSONResponse:
    """Answer a list."""
    return JSONResponse(["Fetch", "HTTP Semantics"], headers={"X-Total-Count": "2", "X-Internal": "rack 7"})


async def change(request: Request) -> JSONResponse:
    """Answer what was sent."""
    return JSONResponse({"title": (await request.json())["title"]})


async def fails(request: Request) -> JSONResponse:
    """Fail, outside of the middleware: Starlette's own 500 carries no CORS field at all."""
    raise RuntimeError("on purpose")


EVERYTHING = Middleware(
    CORSMiddleware,
    allow_origins=["*"],
    allow_credentials=True,
    allow_methods=["*"],
    allow_headers=["*"],
    expose_headers=["X-Internal"],
)

app = Starlette(
    routes=[
        Route("/books", books),
        Route("/books/{number:int}", change, methods=["PUT"]),
        Route("/fails", fails),
        Mount("/shelf", routes=[Route("/", books)]),
    ],
    middleware=[EVERYTHING],
)
