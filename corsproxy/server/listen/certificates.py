"""The expiry of the certificates in force, so that operators can be warned in time."""

from __future__ import annotations

from corsproxy.config import expiry
from corsproxy.settings import Settings


def certificate_expiries(settings: Settings) -> dict[str, float]:
    """Return when each certificate expires, in seconds since the epoch, by its use: `listener` or an upstream."""
    files = {route.upstream.name: route.upstream.tls.certificate for route in settings.routes}
    if settings.tls is not None:
        files = {"listener": settings.tls.certificate, **files}
    found = {use: expiry(file) for use, file in files.items() if file is not None}
    return {use: moment for use, moment in found.items() if moment is not None}
