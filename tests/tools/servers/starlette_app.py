"""Starlette with a regular expression whose dots are not escaped, and an error that escapes the middleware."""

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


def books(request: Request) -> JSONResponse:
    """Answer a list, or fail for the missing path."""
    if request.path_params.get("name"):
        raise RuntimeError("not caught")
    return JSONResponse(["Fetch"])


app = Starlette(
    routes=[Route("/books", books, methods=["GET", "PUT"]), Route("/books/{name}", books)],
    middleware=[
        Middleware(
            CORSMiddleware,
            allow_origin_regex=r"https://app.example\.com",
            allow_methods=["PUT"],
            allow_credentials=True,
            max_age=0,
        )
    ],
)
