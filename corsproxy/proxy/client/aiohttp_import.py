"""The first import of aiohttp, without the certificates that only its client needs.

`aiohttp.web` cannot be imported without aiohttp's client, which makes two TLS contexts as it is imported and has each
read the system's bundle of authorities: 120 to 150 certificates, a fifth of all that `serve` takes to start.
Nothing here uses that client; the contexts for upstreams are our own.
Knows aiohttp's name alone.
"""

from __future__ import annotations

import os
import ssl


def import_aiohttp() -> None:
    """Import aiohttp while OpenSSL's bundle of authorities is an empty file.

    That is OpenSSL's own variable, SSL_CERT_FILE, and it has its value back before anything of ours reads it.
    If somebody did use aiohttp's client in this process, it would trust nobody, rather than everybody.
    """
    variable = ssl.get_default_verify_paths().openssl_cafile_env
    before = os.environ.get(variable)
    os.environ[variable] = os.devnull
    try:
        import aiohttp  # noqa: F401 - for what it leaves in `sys.modules`
    finally:
        if before is None:
            del os.environ[variable]
        else:
            os.environ[variable] = before
