"""An old Django application: session login, its CSRF protection on, a cookie domain of the house, absolute redirects.

    python django_login.py DATABASE

Everything but the account page is Django's own; nothing in it knows of CORS or of a proxy.
One user, `ada` with the password `analytical`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import django
from django.conf import settings
from django.core.management import call_command
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.http import HttpRequest, JsonResponse
from django.middleware.csrf import get_token
from django.urls import path

LOGIN_FORM = """<form method="post">{% csrf_token %}{{ form.as_p }}<button>Log in</button></form>"""

TEMPLATES = {
    "BACKEND": "django.template.backends.django.DjangoTemplates",
    "OPTIONS": {
        "loaders": [("django.template.loaders.locmem.Loader", {"registration/login.html": LOGIN_FORM})],
        "context_processors": ["django.template.context_processors.request"],
    },
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    # Says why a request was forbidden, which the answer does not.
    "loggers": {"django.security": {"handlers": ["console"], "propagate": False}},
}

urlpatterns: list[Any] = []
"""Filled in when Django is set up: its views cannot be imported before."""


def configure(database: str) -> None:
    """Set Django up as an application of the house would be, with its data in one file."""
    settings.configure(
        SECRET_KEY="known to everybody, for tests alone",
        ALLOWED_HOSTS=["127.0.0.1"],
        ROOT_URLCONF=__name__,
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"],
        MIDDLEWARE=[
            "django.middleware.security.SecurityMiddleware",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": database}},
        TEMPLATES=[TEMPLATES],
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        SESSION_COOKIE_DOMAIN="legacy.internal",
        CSRF_COOKIE_DOMAIN="legacy.internal",
        LOGGING=LOGGING,
        USE_TZ=True,
    )
    django.setup()


def account(request: HttpRequest) -> JsonResponse:
    """Return who is logged in, and give the token that a form of the application would hold."""
    return JsonResponse({"user": request.user.get_username(), "token": get_token(request)})


def announced(application: Callable[..., Any]) -> Callable[..., Any]:
    """Return the application with a line on standard output for every request: method, path, Origin."""

    def call(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        print(environ["REQUEST_METHOD"], environ["PATH_INFO"], environ.get("HTTP_ORIGIN", "-"), flush=True)
        return application(environ, start_response)

    return call


def main() -> None:
    """Make the database and the user, and serve on a free port."""
    configure(sys.argv[1])
    from django.contrib.auth.models import User
    from django.contrib.auth.views import LoginView, LogoutView
    from django.core.wsgi import get_wsgi_application

    call_command("migrate", verbosity=0)
    User.objects.create_user("ada", password="analytical")
    server = ThreadedWSGIServer(("127.0.0.1", 0), WSGIRequestHandler)
    home = f"http://127.0.0.1:{server.server_port}"
    # Old servers redirect to absolute URLs, made from the name they were once given.
    after = f"{home}/account/"
    urlpatterns.extend(
        [
            path("login/", LoginView.as_view(next_page=after)),
            path("logout/", LogoutView.as_view(next_page=after)),
            path("account/", account),
        ]
    )
    server.set_app(announced(get_wsgi_application()))
    print(f"serving on {home}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
