"""Certificates and keys of the configuration, tested as they will be used, with a remedy if they fail.

Nothing is kept and no socket is opened: files go into a throw-away context of `ssl`, which says yes or no, and in so
few words that the files are looked at again for the reason.
Knows nothing of where a certificate is used.
"""

from __future__ import annotations

import re
import shlex
import ssl
from datetime import UTC, datetime
from typing import NamedTuple

from corsproxy.config.problems import Severity, quote_path
from corsproxy.config.validity import validity

_MAX_CHARACTERS = 4 * 1024 * 1024
"""The most bytes of a file to inspect; the authorities of a whole system take 250 KB."""

_LABEL = re.compile("^-----BEGIN ([A-Z0-9 ]+)-----", re.MULTILINE)
"""What a piece of PEM holds (RFC 7468 section 2)."""

_MISMATCHES = frozenset({"KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH", "NO_CERTIFICATE_ASSIGNED"})
"""OpenSSL's reasons for a key of another certificate; the last is for a key of another kind."""
_WEAKNESSES = frozenset({"EE_KEY_TOO_SMALL", "CA_KEY_TOO_SMALL", "CA_MD_TOO_WEAK"})


class PairFault(NamedTuple):
    """A problem with a certificate and its private key."""

    key: str
    """The faulty file, by its key in the configuration: `certificate` or `private_key`."""
    severity: Severity
    message: str


def pair_faults(certificate: str, private_key: str) -> list[PairFault]:
    """Return why a certificate and its key cannot be used or, as a warning, why clients will refuse them.

    Raises OSError where a file cannot be read.
    """
    pem = _text(certificate)
    lacks = {
        "certificate": _lacks("certificate", certificate, pem, "certificate"),
        "private_key": _lacks("private key", private_key, _text(private_key), "private key"),
    }
    if faults := [PairFault(key, "error", said) for key, said in lacks.items() if said]:
        return faults
    asked: list[bool] = []

    def password() -> str:
        asked.append(True)  # without this OpenSSL would ask at the terminal
        return ""

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, private_key, password)
    except ssl.SSLError as error:
        return [_encrypted(private_key) if asked else _refused(certificate, private_key, error)]
    if said := _not_valid_now(pem):
        return [PairFault("certificate", "warning", f"invalid certificate {quote_path(certificate)}: {said}")]
    return []


def authorities_fault(file: str) -> str | None:
    """Return why a file of authorities cannot be used; raises OSError where it cannot be read."""
    if said := _lacks("authorities", file, _text(file), "certificate"):
        return said
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(file)
    except ssl.SSLError:
        return _broken("authorities", file)
    return None


def _text(file: str) -> str:
    with open(file, encoding="latin-1") as opened:
        return opened.read(_MAX_CHARACTERS)


def _lacks(noun: str, file: str, pem: str, wanted: str) -> str | None:
    """Return what a file contains instead of the `wanted` part."""
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


def _encrypted(private_key: str) -> PairFault:
    said = "it is encrypted, and the proxy cannot ask for the password; remove the password with: openssl pkey -in"
    message = f"invalid private key {quote_path(private_key)}: {said} {shlex.quote(private_key)}"
    return PairFault("private_key", "error", message)


def _refused(certificate: str, private_key: str, error: ssl.SSLError) -> PairFault:
    if error.reason in _MISMATCHES:
        said = f"it is not the key of the first certificate in {quote_path(certificate)}"
        remedy = "name the two that belong together, and in a chain put the server's own certificate first"
        return PairFault("private_key", "error", f"invalid private key {quote_path(private_key)}: {said}; {remedy}")
    if error.reason in _WEAKNESSES:
        said = (
            f"OpenSSL refuses it ({error.reason.replace('_', ' ').lower()}); make one with P-256, or RSA of 2048 bits"
        )
        return PairFault("certificate", "error", f"invalid certificate {quote_path(certificate)}: {said}")
    if authorities_fault(certificate):
        return PairFault("certificate", "error", _broken("certificate", certificate))
    return PairFault("private_key", "error", _broken("private key", private_key))


def _broken(noun: str, file: str) -> str:
    return f"invalid {noun} {quote_path(file)}: its PEM is broken or truncated; copy it again from its source"


def _not_valid_now(pem: str) -> str | None:
    try:
        not_before, not_after = validity(pem)
    except (ValueError, IndexError):
        return None  # OpenSSL has taken it, in whatever spelling
    now = datetime.now(UTC)
    if now > not_after:
        return f"it expired on {not_after:%Y-%m-%d}, and clients no longer accept it; renew it"
    if now < not_before:
        return f"it is valid from {not_before:%Y-%m-%d}, and clients reject it before; check this machine's clock"
    return None
