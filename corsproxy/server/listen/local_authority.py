"""A certificate for HTTPS on this machine, from a local authority that nothing trusts until the user decides so.

The authority has critical name constraints (RFC 5280 section 4.2.1.10): whoever steals its key can sign for this
machine, private addresses and names that do not exist on the internet, but not for a real site.
Only this module imports `cryptography`, and only for `--https`, because it is an extra.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import ipaddress
import os
import socket
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from corsproxy.errors import UsageError
from corsproxy.settings import Address, TcpAddress, TlsFiles

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.serialization import Encoding

_NAMES = ("localhost", "local", "test", "internal", "home.arpa")
"""The domains for which the authority may sign, with all names below them: from RFC 6761, RFC 6762 and RFC 8375, and
ICANN's `.internal`."""

_NETWORKS = (
    "127.0.0.0/8",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "169.254.0.0/16",
    "::1/128",
    "fc00::/7",
    "fe80::/10",
)

_AUTHORITY_LIFE = timedelta(days=3650)
_LIFE = timedelta(days=397)
"""Apple's systems refuse certificates with a longer life (https://support.apple.com/102028)."""

_RENEWED_BEFORE = timedelta(days=30)

NEEDS_THE_EXTRA = (
    "--https needs the package cryptography: install corsproxy with its extra, pip install '.[https]' in its folder"
)


def certificate_for(listen: Address) -> tuple[TlsFiles, Path]:
    """Return a certificate for localhost and the listen host, and the file of the authority that has signed it.

    Raises `UsageError` if the extra is missing, the host is not allowed, or the data folder cannot be used.
    """
    try:
        import cryptography  # noqa: F401 - checks for the extra before anything is written
    except ImportError:
        raise UsageError(NEEDS_THE_EXTRA) from None
    hosts = ["localhost", "127.0.0.1", "::1"]
    if isinstance(listen, TcpAddress) and listen.host not in (*hosts, "0.0.0.0", "::"):  # noqa: S104 - every address
        hosts.append(_allowed(listen.host))
    folder = data_folder()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _locked(folder):
            key, authority = _authority(folder)
            return _leaf(folder, hosts, key, authority), folder / "authority.pem"
    except OSError as error:
        raise UsageError(f"--https: cannot use {error.filename or folder}: {error.strerror}") from None
    except ValueError as error:
        raise UsageError(
            f"--https: {folder} holds no usable authority ({error}): remove it, and a new one is made"
        ) from None


def data_folder() -> Path:
    """Return the user's folder for our data (https://specifications.freedesktop.org/basedir-spec)."""
    if sys.platform == "darwin":
        return Path.home() / "Library/Application Support/corsproxy"
    base = os.environ.get("XDG_DATA_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".local/share") / "corsproxy"


def how_to_trust(authority: Path, platform: str = sys.platform) -> list[str]:
    """Return lines about the file of the authority, and how to make programs on this system trust it."""
    file = str(authority)
    lines = [f"authority: {file} signs for this machine and private names only; trust it to be rid of the warning:"]
    if platform == "darwin":
        keychain = "~/Library/Keychains/login.keychain-db"
        lines.append(f"  macOS            security add-trusted-cert -r trustRoot -k {keychain} '{file}'")
    else:
        system = "/usr/local/share/ca-certificates/corsproxy.crt"
        lines += [
            f"  Chromium, Chrome certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n corsproxy -i '{file}'",
            f"  Debian, Ubuntu   sudo cp '{file}' {system} && sudo update-ca-certificates",
            f"  Fedora, Arch     sudo trust anchor '{file}'",
        ]
    lines += [
        "  Firefox          Settings, Privacy & Security, View Certificates, Authorities, Import",
        f"  curl             curl --cacert '{file}' ...",
    ]
    return lines


def _allowed(host: str) -> str:
    """Return the host; raise `UsageError` if the authority may not sign for it."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        if any(host == name or host.endswith(f".{name}") for name in _NAMES):
            return host
    else:
        if any(address in ipaddress.ip_network(network) for network in _NETWORKS):
            return host
    raise UsageError(
        f"--https signs for this machine, private addresses and names under {', '.join(_NAMES)} alone: "
        f"for {host} bring a certificate, tls: {{certificate: FILE, private_key: FILE}} in a configuration file"
    )


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Lock the folder, so that only one process creates an authority."""
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _authority(folder: Path) -> tuple[EllipticCurvePrivateKey, x509.Certificate]:
    """Read the authority, or create it."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    key_file, file = folder / "authority.key", folder / "authority.pem"
    if key_file.exists() and file.exists():
        key_file.chmod(0o600)
        key = load_pem_private_key(key_file.read_bytes(), None)
        authority = x509.load_pem_x509_certificate(file.read_bytes())
        if not isinstance(key, EllipticCurvePrivateKey) or key.public_key() != authority.public_key():
            raise ValueError("the key is not the certificate's")
        if authority.not_valid_after_utc > datetime.now(UTC) + _LIFE:
            return key, authority
    return _make_authority(key_file, file)


def _make_authority(key_file: Path, file: Path) -> tuple[EllipticCurvePrivateKey, x509.Certificate]:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    who = f"corsproxy local authority ({socket.gethostname()[:30]})"
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, who)])
    permitted: list[x509.GeneralName] = [x509.DNSName(one) for one in _NAMES]
    permitted += [x509.IPAddress(ipaddress.ip_network(network)) for network in _NETWORKS]
    usage = _usage(signs_certificates=True)
    authority = (
        _builder(name, name, key.public_key(), _AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.NameConstraints(permitted, None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    _write(key_file, _pem_of(key))
    _write(file, authority.public_bytes(_pem_encoding()), mode=0o644)
    return key, authority


def _leaf(folder: Path, hosts: Sequence[str], key: EllipticCurvePrivateKey, authority: x509.Certificate) -> TlsFiles:
    """Return the files of a certificate for these hosts, an existing one if it is valid for some time yet."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    ours = hashlib.sha256(repr((authority.serial_number, hosts)).encode()).hexdigest()[:16]
    files = TlsFiles(str(folder / f"{ours}.pem"), str(folder / f"{ours}.key"))
    if os.path.exists(files.certificate) and os.path.exists(files.private_key):
        leaf = x509.load_pem_x509_certificate(Path(files.certificate).read_bytes())
        if leaf.not_valid_after_utc > datetime.now(UTC) + _RENEWED_BEFORE:
            return files
    leaf_key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[-1] if len(hosts) > 3 else hosts[0])])
    leaf = (
        _builder(name, authority.subject, leaf_key.public_key(), _LIFE)
        .add_extension(x509.SubjectAlternativeName([_general_name(host) for host in hosts]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    _write(Path(files.private_key), _pem_of(leaf_key))
    _write(Path(files.certificate), leaf.public_bytes(_pem_encoding()), mode=0o644)
    return files


def _builder(
    subject: x509.Name, issuer: x509.Name, public_key: EllipticCurvePublicKey, life: timedelta
) -> x509.CertificateBuilder:
    from cryptography import x509

    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))  # clocks differ
        .not_valid_after(now + life)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(host: str) -> x509.GeneralName:
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pem_encoding() -> Encoding:
    from cryptography.hazmat.primitives.serialization import Encoding

    return Encoding.PEM


def _pem_of(key: EllipticCurvePrivateKey) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write(file: Path, content: bytes, mode: int = 0o600) -> None:
    """Write a file atomically, with `mode` from the start, so that a key is never readable by others."""
    part = file.with_name(f"{file.name}.{os.getpid()}")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as opened:
        opened.write(content)
    part.replace(file)
