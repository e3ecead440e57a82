"""The expiry of the certificates in force, so that operators can be warned in time.

Does not know who shows which.
"""

from __future__ import annotations

from corsproxy.config import expiry
from corsproxy.settings import Settings


def certificate_expiries(settings: Settings) -> dict[str, float]:
    """Return the expiry of the listener's certificate and of each client certificate for an upstream, by its use."""
    files = {route.upstream.name: route.upstream.tls.certificate for route in settings.routes}
    if settings.tls is not None:
        files = {"listener": settings.tls.certificate, **files}
    found = {use: expiry(file) for use, file in files.items() if file is not None}
    return {use: moment for use, moment in found.items() if moment is not None}
