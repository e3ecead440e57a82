"""The first import of aiohttp, without the certificates that only its client needs.

`aiohttp.web` imports aiohttp's client, which creates two TLS contexts at import. Each reads the system's bundle of
authorities, 120 to 150 certificates, which takes a fifth of the start of `serve`.
Nothing here uses that client; the contexts for upstreams are our own.
Knows only aiohttp's name.
"""

from __future__ import annotations

import os
import ssl


def import_aiohttp() -> None:
    """Import aiohttp while OpenSSL's bundle of authorities is an empty file.

    The bundle is named by SSL_CERT_FILE, which is restored before our own code reads it.
    If aiohttp's client were used in this process, it would trust no server, rather than every one.
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
