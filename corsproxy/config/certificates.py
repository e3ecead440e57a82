"""Certificates and keys of the configuration, loaded as they will be when they are used.

Nothing is kept and no socket is opened: files are loaded into a throw-away context.
It must not know where a certificate is used.
"""

from __future__ import annotations

import ssl
from datetime import UTC, datetime

from corsproxy.certificates import CertificateError, FileFault, client_context, load_pair, pem_text
from corsproxy.config.validity import validity
from corsproxy.escape import quote_path


def pair_faults(certificate: str, private_key: str) -> tuple[FileFault, ...]:
    """Return why a certificate and its key cannot be used; raises OSError if a file cannot be read."""
    try:
        load_pair(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), certificate, private_key)
    except CertificateError as error:
        return error.faults
    return ()


def authorities_faults(file: str) -> tuple[FileFault, ...]:
    """Return why a file of authorities cannot be used; raises OSError if it cannot be read."""
    try:
        client_context(file)
    except CertificateError as error:
        return error.faults
    return ()


def not_valid_now(certificate: str) -> str | None:
    """Return why clients reject a usable certificate for its dates, or None; raises OSError if it cannot be read."""
    try:
        not_before, not_after = validity(pem_text(certificate))
    except (ValueError, IndexError):
        return None  # a spelling that OpenSSL accepts and `validity` does not know
    now, said = datetime.now(UTC), None
    if now > not_after:
        said = f"it expired on {not_after:%Y-%m-%d}, and clients no longer accept it; renew it"
    elif now < not_before:
        said = f"it is valid from {not_before:%Y-%m-%d}, and clients reject it before; check this machine's clock"
    return said and f"invalid certificate {quote_path(certificate)}: {said}"
