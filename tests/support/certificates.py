"""Throw-away certificates, made by the openssl command, for loopback."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Certificate:
    """PEM files; the certificate is its own authority."""

    certificate: Path
    private_key: Path


def self_signed(directory: Path, name: str) -> Certificate:
    """Make a certificate for the host `name`, 127.0.0.1 and [::1], valid for a day."""
    made = Certificate(directory / f"{name}.pem", directory / f"{name}.key")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
         "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name},IP:127.0.0.1,IP:::1",
         "-out", str(made.certificate), "-keyout", str(made.private_key)],
        check=True, capture_output=True,
    )  # fmt: skip
    return made
