"""What the recipes run against: a throw-away certificate authority, the old servers, and the proxy with a recipe."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.process import Output, Proxy, started
from tests.support.programs import launched

RECIPES = Path(__file__).resolve().parents[2] / "docs" / "recipes"
SERVERS = Path(__file__).resolve().parent / "servers"

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


@dataclass(frozen=True, slots=True)
class Server:
    """A running old server."""

    url: str
    output: Output

    def requests(self) -> list[str]:
        """Every request it got so far: method, path, Origin."""
        return [line for line in self.output.lines if line.split(" ", 1)[0].isupper() and " /" in line]


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """Make a certificate that only these tests trust."""
    home = tmp_path_factory.mktemp("certificates")
    authority = trustme.CA()
    issued = authority.issue_cert(*NAMES)
    files = Certificate(
        home / "chain.pem", home / "key.pem", home / "authority.pem", fingerprint_of(issued.cert_chain_pems[0].bytes())
    )
    issued.private_key_pem.write_to_path(files.private_key)
    for pem in issued.cert_chain_pems:
        pem.write_to_path(files.certificate, append=True)
    authority.cert_pem.write_to_path(files.authority)
    return files


@pytest.fixture
def django_login(tmp_path: Path) -> Iterator[Server]:
    """Run the Django application of the first recipe."""
    with _server("django_login.py", str(tmp_path / "data.sqlite3")) as server:
        yield server


@pytest.fixture
def fixed_list() -> Iterator[Server]:
    """Run the BlackSheep application of the second."""
    with _server("fixed_list.py") as server:
        yield server


@contextlib.contextmanager
def recipe(name: str, server: Server, certificate: Certificate, **changes: str) -> Iterator[Proxy]:
    """Run the proxy with the recipe's own file; `changes` are lines of it by their key, with other text after it.

    A value of `off` takes the line out.
    """
    text = (RECIPES / f"{name}.yaml").read_text(encoding="utf-8")
    for key, value in changes.items():
        lines = text.splitlines()
        found = [number for number, line in enumerate(lines) if line.lstrip().startswith(f"{key}:")]
        assert len(found) == 1, f"{key} is not on exactly one line of {name}.yaml"
        indent = lines[found[0]].partition(key)[0]
        lines[found[0] : found[0] + 1] = [] if value == "off" else [f"{indent}{key}: {value}"]
        text = "\n".join(lines) + "\n"
    environ = {
        "TLS_CERTIFICATE": str(certificate.certificate),
        "TLS_PRIVATE_KEY": str(certificate.private_key),
        "LEGACY_URL": server.url,
    }
    with started(text, environ=environ) as proxy:
        yield proxy


@contextlib.contextmanager
def _server(script: str, *args: str) -> Iterator[Server]:
    with launched(sys.executable, str(SERVERS / script), *args) as output:
        yield Server(output.wait_line(r"serving on (http://\S+)$")[1], output)


def fingerprint_of(pem: bytes) -> str:
    """Return SHA-256 of a certificate's public key in base64, as Chromium's option takes it."""
    certificate = x509.load_pem_x509_certificate(pem)
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(key).digest()).decode()
