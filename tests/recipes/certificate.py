"""A throw-away certificate authority, and a certificate for the sites of the recipes."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

NAMES = ("api.example.net", "app.example.com", "evil.example.org")
"""Three sites: the proxy, the page it serves, and one it does not."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """PEM files of a certificate for `NAMES`, and how to trust it."""

    certificate: Path
    private_key: Path
    authority: Path
    fingerprint: str
    """SHA-256 of the public key in base64, as Chromium's `--ignore-certificate-errors-spki-list` takes it."""


def issue_certificate(folder: Path) -> Certificate:
    """Make a certificate that only these tests trust."""
    authority = trustme.CA()
    issued = authority.issue_cert(*NAMES)
    files = Certificate(
        folder / "chain.pem",
        folder / "key.pem",
        folder / "authority.pem",
        fingerprint_of(issued.cert_chain_pems[0].bytes()),
    )
    issued.private_key_pem.write_to_path(files.private_key)
    for pem in issued.cert_chain_pems:
        pem.write_to_path(files.certificate, append=True)
    authority.cert_pem.write_to_path(files.authority)
    return files


def fingerprint_of(pem: bytes) -> str:
    """Return SHA-256 of a certificate's public key in base64, as Chromium's option takes it."""
    certificate = x509.load_pem_x509_certificate(pem)
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(key).digest()).decode()
