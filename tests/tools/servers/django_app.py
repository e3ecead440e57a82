"""Django with django-cors-headers: an expression without an end, plain http trusted; takes a free port by itself."""

from wsgiref.simple_server import make_server

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path


def books(request: HttpRequest) -> HttpResponse:
    """Answer a list."""
    return HttpResponse('["Fetch"]', content_type="application/json")


urlpatterns = [path("books", books)]

settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="known to everybody",
    INSTALLED_APPS=["corsheaders"],
    MIDDLEWARE=["corsheaders.middleware.CorsMiddleware"],
    CORS_ALLOWED_ORIGIN_REGEXES=[r"^https?://app\.example\.com"],
    CORS_ALLOW_CREDENTIALS=True,
    CORS_PREFLIGHT_MAX_AGE=10_000_000,
)
django.setup()

if __name__ == "__main__":
    with make_server("127.0.0.1", 0, get_wsgi_application()) as server:
        print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
        server.serve_forever()
