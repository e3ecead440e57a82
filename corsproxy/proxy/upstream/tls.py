"""TLS to an upstream: the context, which is created when the configuration is loaded, and hints for failed handshakes.

Old servers use old versions, short keys, or suites that OpenSSL no longer offers; there is a key for each.
Knows nothing about sockets or requests.
"""

from __future__ import annotations

import ssl
import warnings

from corsproxy.certificates import CertificateError, client_context, load_pair
from corsproxy.proxy.errors import PlanError
from corsproxy.proxy.upstream.last_words import exposing_ciphertext
from corsproxy.settings import Upstream

_VERSIONS = {
    "1.0": ssl.TLSVersion.TLSv1,
    "1.1": ssl.TLSVersion.TLSv1_1,
    "1.2": ssl.TLSVersion.TLSv1_2,
    "1.3": ssl.TLSVersion.TLSv1_3,
}

# OpenSSL's SSL_OP_LEGACY_SERVER_CONNECT and SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION, which Python 3.11 does not name:
# a server without RFC 5746 is accepted, and may ask for a client certificate later, as old IIS does.
_OLD_RENEGOTIATION = 0x4 | 0x40000

_WEAK_KEY = "'ciphers: DEFAULT@SECLEVEL=0' or 'legacy: true' takes it"

_MAYBE_OLD = "'legacy: true' speaks as old servers expect"

_HINTS = {
    "UNSUPPORTED_PROTOCOL": "'min_version: \"1.0\"' or 'legacy: true' speaks older versions",
    "TLSV1_ALERT_PROTOCOL_VERSION": "'min_version: \"1.0\"' or 'legacy: true' speaks older versions",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "'ciphers: DEFAULT' or 'legacy: true' offers older ciphers",
    "NO_CIPHERS_AVAILABLE": "'ciphers: DEFAULT' or 'legacy: true' offers older ciphers",
    "TLSV1_ALERT_INSUFFICIENT_SECURITY": "'ciphers: DEFAULT' or 'legacy: true' offers older ciphers",
    "UNSAFE_LEGACY_RENEGOTIATION_DISABLED": "'legacy: true' takes its old renegotiation",
    "DH_KEY_TOO_SMALL": _WEAK_KEY,
    "EE_KEY_TOO_SMALL": _WEAK_KEY,
    "CA_KEY_TOO_SMALL": _WEAK_KEY,
    "CA_MD_TOO_WEAK": _WEAK_KEY,
    "BAD_ECPOINT": _WEAK_KEY,
    "WRONG_SIGNATURE_TYPE": _WEAK_KEY,
    "UNEXPECTED_EOF_WHILE_READING": _MAYBE_OLD,
    "WRONG_VERSION_NUMBER": "the server does not speak TLS there: write http:// in 'url', or another port",
    "HTTP_REQUEST": "the server does not speak TLS there: write http:// in 'url', or another port",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "the server wants a client certificate: 'certificate' and 'private_key'",
    "SSLV3_ALERT_BAD_CERTIFICATE": "the server takes another client certificate: 'certificate' and 'private_key'",
}
"""The keys of the upstream's `tls` that would help, by OpenSSL's name of the failure."""

_VERIFY_HINTS = (
    ("too weak", _WEAK_KEY),
    ("too small", _WEAK_KEY),
    ("Hostname mismatch", "'server_name' asks for the name in the certificate"),
    ("IP address mismatch", "'server_name' asks for the name in the certificate"),
    ("self-signed", "'ca' names its authority"),
    ("unable to get", "'ca' names its authority"),
    ("expired", "the server needs a new one"),
)
"""The same, by a part of OpenSSL's message about the certificate."""


def upstream_context(upstream: Upstream) -> ssl.SSLContext | None:
    """Return the TLS context of an upstream; None if its URL is not `https`.

    Raises `PlanError` if a file cannot be used.
    """
    if upstream.scheme != "https":
        return None
    tls = upstream.tls
    key = f"upstreams.{upstream.name}.tls"
    try:
        context = exposing_ciphertext(client_context(tls.ca))
    except (CertificateError, OSError) as error:
        raise PlanError(f"{key}.ca", f"cannot use {tls.ca!r}: {error}") from None
    if not tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # old versions are configured on purpose
        context.minimum_version = _VERSIONS[tls.least_version]
    if (ciphers := tls.cipher_list) is not None:
        context.set_ciphers(ciphers)
    if tls.legacy:
        context.options |= _OLD_RENEGOTIATION
    if tls.certificate is not None:
        try:
            load_pair(context, tls.certificate, tls.private_key or tls.certificate)
        except (CertificateError, OSError) as error:
            raise PlanError(f"{key}.certificate", f"cannot use {tls.certificate!r}: {error}") from None
    context.set_alpn_protocols(["http/1.1"])
    return context


def described(error: ssl.SSLError | ConnectionError, name: str) -> str:
    """Return the reason of a failed handshake with the upstream of this name, and the key that would help."""
    if isinstance(error, ConnectionError):
        return f"the server closed the connection in the handshake; upstreams.{name}.tls: {_MAYBE_OLD}"
    if isinstance(error, ssl.SSLCertVerificationError):
        hint = next((hint for part, hint in _VERIFY_HINTS if part in error.verify_message), "")
    else:
        hint = _HINTS.get(error.reason or "", "")
        if isinstance(error, ssl.SSLEOFError):
            hint = _MAYBE_OLD
    return f"{error}; upstreams.{name}.tls: {hint}" if hint else str(error)
