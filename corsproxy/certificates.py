"""Certificates, keys and authorities loaded from PEM files: for the check of a configuration, a listener, an upstream.

OpenSSL's errors are so terse that a refused file is inspected again for the reason and the remedy.
It must not know where a certificate is used.
"""

from __future__ import annotations

import re
import shlex
import ssl
from typing import NamedTuple

from corsproxy.escape import quote_path

_MAX_CHARACTERS = 4 * 1024 * 1024
"""The most bytes of a file to inspect; the authorities of a whole system take 250 KB."""

_LABEL = re.compile("^-----BEGIN ([A-Z0-9 ]+)-----", re.MULTILINE)
"""What a piece of PEM holds (RFC 7468 section 2)."""

_MISMATCHES = frozenset({"KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH", "NO_CERTIFICATE_ASSIGNED"})
"""OpenSSL's reasons for a key of another certificate; the last is for a key of another kind."""
_WEAKNESSES = frozenset({"EE_KEY_TOO_SMALL", "CA_KEY_TOO_SMALL", "CA_MD_TOO_WEAK"})


class FileFault(NamedTuple):
    """A file that cannot be used."""

    key: str
    """The key that names it in the configuration: `certificate`, `private_key` or `ca`."""
    message: str


class CertificateError(Exception):
    """Files that can be read but not used."""

    def __init__(self, *faults: FileFault) -> None:
        super().__init__("; ".join(fault.message for fault in faults))
        self.faults = faults


def load_pair(context: ssl.SSLContext, certificate: str, private_key: str) -> None:
    """Load a certificate and its key into a context; if it is in use, the next handshake presents them.

    Raises `CertificateError`, or OSError if a file cannot be read.
    """
    lacks = {
        "certificate": _lacks("certificate", certificate, "certificate"),
        "private_key": _lacks("private key", private_key, "private key"),
    }
    if faults := [FileFault(key, said) for key, said in lacks.items() if said]:
        raise CertificateError(*faults)
    asked: list[bool] = []

    def password() -> str:
        asked.append(True)  # without this OpenSSL would ask at the terminal
        return ""

    try:
        context.load_cert_chain(certificate, private_key, password)
    except ssl.SSLError as error:
        fault = _encrypted(private_key) if asked else _refused(certificate, private_key, error)
        raise CertificateError(fault) from None


def client_context(authorities: str | None) -> ssl.SSLContext:
    """Return a context that verifies servers with the authorities in a file, or with the system's if it is None.

    Raises `CertificateError`, or OSError if the file cannot be read.
    """
    if authorities is not None and (said := _lacks("authorities", authorities, "certificate")):
        raise CertificateError(FileFault("ca", said))
    try:
        return ssl.create_default_context(cafile=authorities)
    except ssl.SSLError:
        raise CertificateError(FileFault("ca", _broken("authorities", authorities or ""))) from None


def pem_text(file: str) -> str:
    """Return the first 4 MiB of a PEM file; raises OSError."""
    with open(file, encoding="latin-1") as opened:
        return opened.read(_MAX_CHARACTERS)


def _lacks(noun: str, file: str, wanted: str) -> str | None:
    """Return what a file contains instead of the `wanted` part; raises OSError if it cannot be read."""
    pem = pem_text(file)
    held = [label.lower() for label in _LABEL.findall(pem)]
    if any(label.endswith(wanted) for label in held):
        return None
    if held:
        said = f"there is no {wanted} in it, only: {', '.join(dict.fromkeys(held))}; name the file that has one"
    elif not pem.strip():
        said = "it is empty"
    else:
        tool = "x509" if wanted == "certificate" else "pkey"
        said = f"it is not PEM ('-----BEGIN {wanted.upper()}-----')"
        said += f"; convert DER with: openssl {tool} -inform der -in {shlex.quote(file)}"
    return f"invalid {noun} {quote_path(file)}: {said}"


def _encrypted(private_key: str) -> FileFault:
    said = "it is encrypted, and the proxy cannot ask for the password; remove the password with: openssl pkey -in"
    message = f"invalid private key {quote_path(private_key)}: {said} {shlex.quote(private_key)}"
    return FileFault("private_key", message)


def _refused(certificate: str, private_key: str, error: ssl.SSLError) -> FileFault:
    if error.reason in _MISMATCHES:
        said = f"it is not the key of the first certificate in {quote_path(certificate)}"
        remedy = "name the two that belong together, and in a chain put the server's own certificate first"
        return FileFault("private_key", f"invalid private key {quote_path(private_key)}: {said}; {remedy}")
    if error.reason in _WEAKNESSES:
        said = (
            f"OpenSSL refuses it ({error.reason.replace('_', ' ').lower()}); make one with P-256, or RSA of 2048 bits"
        )
        return FileFault("certificate", f"invalid certificate {quote_path(certificate)}: {said}")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(certificate)
    except ssl.SSLError:
        return FileFault("certificate", _broken("certificate", certificate))
    return FileFault("private_key", _broken("private key", private_key))


def _broken(noun: str, file: str) -> str:
    return f"invalid {noun} {quote_path(file)}: its PEM is broken or truncated; copy it again from its source"
