"""Cipher lists in OpenSSL's spelling, judged by the suites that OpenSSL selects for them.

Nothing is kept: a list is set in a throw-away context of `ssl`, which then lists the suites.
"""

from __future__ import annotations

import ssl

from corsproxy.config.problems import Report, quote
from corsproxy.settings import UpstreamTls

_SHOWN = 3
"""The most suites that a message names."""


def check_ciphers(tls: UpstreamTls, path: str, report: Report) -> None:
    """Report a list without suites; while `verify` is on, also one with suites that do not authenticate or encrypt.

    In a handshake without a certificate Python has nothing to verify, and accepts it; a suite that does not encrypt
    exposes all traffic on the network path.
    """
    if tls.ciphers is None or tls.cipher_list is None:
        return
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.set_ciphers(tls.cipher_list)
    except ssl.SSLError:
        hint = "'DEFAULT', 'DEFAULT@SECLEVEL=0' or names as 'openssl ciphers' lists them"
        report.error(path, "invalid", f"invalid ciphers {quote(tls.ciphers)}: OpenSSL has no such suite; write {hint}")
        return
    named = [
        suite["name"] for suite in context.get_ciphers() if suite["auth"] == "auth-null" or not suite["strength_bits"]
    ]
    if named and tls.verify:
        shown = ", ".join(named[:_SHOWN]) + (f" and {len(named) - _SHOWN} more" if len(named) > _SHOWN else "")
        report.error(
            path,
            "prohibited",
            f"prohibited ciphers {quote(tls.ciphers)}: they lead to {shown}, which do not authenticate the server "
            "or do not encrypt, so 'verify' would be meaningless; add ':!aNULL:!eNULL'",
        )
