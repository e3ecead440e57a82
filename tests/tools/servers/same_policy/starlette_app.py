"""Starlette with its own middleware, every option as in its documentation."""

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


def books(_: Request) -> JSONResponse:
    """Answer a list."""
    return JSONResponse(["Fetch"], headers={"ETag": '"1"'})


app = Starlette(
    routes=[Route("/books", books, methods=["GET", "PUT"])],
    middleware=[
        Middleware(
            CORSMiddleware,
            allow_origins=["https://app.example.com", "https://www.example.org"],
            allow_methods=["GET", "PUT"],
            allow_headers=["Content-Type", "Authorization"],
            expose_headers=["ETag"],
            allow_credentials=True,
            max_age=600,
        )
    ],
)
