"""Certificates and keys of the configuration, tested before they are used."""

from __future__ import annotations

import base64
import os
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from corsproxy.config import ConfigError, Problem, load_file
from corsproxy.config.validity import expiry, validity
from tests.config.files import MINIMAL
from tests.support.certificates import Certificate, self_signed

DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """Make a certificate."""
    return self_signed(tmp_path_factory.mktemp("tls"), "one")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """Make another."""
    return self_signed(tmp_path_factory.mktemp("tls"), "other")


def problems(directory: Path, text: str, *, tries: bool = True) -> tuple[Problem, ...]:
    """Return what is wrong with a configuration that lies beside its certificates, warnings included."""
    file = directory / "corsproxy.yaml"
    file.write_text(text, encoding="utf-8")
    try:
        return load_file(str(file), {}, tries_certificates=tries).warnings
    except ConfigError as error:
        return error.problems


def listener(certificate: object, private_key: object) -> str:
    """Write a configuration with an HTTPS listener: its files stand in the lines 4 and 5."""
    return f"{MINIMAL}tls:\n  certificate: {certificate}\n  private_key: {private_key}\n"


def upstream(keys: str) -> str:
    """Write a configuration with an HTTPS upstream: the keys of its `tls` begin in line 5."""
    inner = "".join(f"      {line}\n" for line in keys.splitlines())
    route = "routes: [{path: /, upstream: api}]\n"
    return f"upstreams:\n  api:\n    url: https://127.0.0.1:9\n    tls:\n{inner}{route}"


def openssl(*arguments: object) -> bytes:
    """Run the openssl command."""
    return subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True).stdout


def der(one: Certificate) -> tuple[bytes, bytes]:
    """The pair in the binary form of Windows and Java."""
    return openssl("x509", "-in", one.certificate, "-outform", "der"), one.private_key.read_bytes()


def der_key(one: Certificate) -> tuple[bytes, bytes]:
    """The key in the binary form."""
    return one.certificate.read_bytes(), openssl("pkey", "-in", one.private_key, "-outform", "der")


def encrypted(one: Certificate) -> tuple[bytes, bytes]:
    """The key with a password."""
    key = openssl("pkey", "-in", one.private_key, "-aes256", "-passout", "pass:secret")
    return one.certificate.read_bytes(), key


def encrypted_in_the_old_way(one: Certificate) -> tuple[bytes, bytes]:
    """The key with a password, in the form that says so in its second line only."""
    key = openssl("ec", "-in", one.private_key, "-aes256", "-passout", "pass:secret")
    return one.certificate.read_bytes(), key


def cut(one: Certificate) -> tuple[bytes, bytes]:
    """A certificate that lacks its end."""
    return b"".join(one.certificate.read_bytes().splitlines(keepends=True)[:3]), one.private_key.read_bytes()


def key_cut(one: Certificate) -> tuple[bytes, bytes]:
    """A key that lacks its end."""
    return one.certificate.read_bytes(), b"".join(one.private_key.read_bytes().splitlines(keepends=True)[:2])


def chain_broken(one: Certificate) -> tuple[bytes, bytes]:
    """A chain whose second certificate is not base64."""
    whole = one.certificate.read_bytes()
    lines = whole.splitlines(keepends=True)
    return whole + lines[0] + b"!!" + b"".join(lines[1:]), one.private_key.read_bytes()


def empty(one: Certificate) -> tuple[bytes, bytes]:
    """A placeholder instead of a certificate."""
    return b"\n", one.private_key.read_bytes()


def request(one: Certificate) -> tuple[bytes, bytes]:
    """The signing request, instead of the certificate."""
    return openssl("req", "-new", "-key", one.private_key, "-subj", "/CN=x"), one.private_key.read_bytes()


def weak(one: Certificate) -> tuple[bytes, bytes]:
    """A key that OpenSSL finds too short."""
    key = openssl("genrsa", 1024)
    directory = one.certificate.parent
    (directory / "weak.key").write_bytes(key)
    return openssl("req", "-x509", "-key", directory / "weak.key", "-subj", "/CN=weak"), key


FAULTS: list[tuple[Callable[[Certificate], tuple[bytes, bytes]], str, str]] = [
    (
        der,
        "certificate",
        "it is not PEM ('-----BEGIN CERTIFICATE-----'); convert DER with: openssl x509 -inform der -in {}",
    ),
    (
        der_key,
        "private_key",
        "it is not PEM ('-----BEGIN PRIVATE KEY-----'); convert DER with: openssl pkey -inform der -in {}",
    ),
    (
        encrypted,
        "private_key",
        "it is encrypted, and the proxy cannot ask for the password; remove the password with: openssl pkey -in {}",
    ),
    (
        encrypted_in_the_old_way,
        "private_key",
        "it is encrypted, and the proxy cannot ask for the password; remove the password with: openssl pkey -in {}",
    ),
    (cut, "certificate", "its PEM is broken or truncated; copy it again from its source"),
    (key_cut, "private_key", "its PEM is broken or truncated; copy it again from its source"),
    (chain_broken, "certificate", "its PEM is broken or truncated; copy it again from its source"),
    (empty, "certificate", "it is empty"),
    (request, "certificate", "there is no certificate in it, only: certificate request; name the file that has one"),
    (weak, "certificate", "OpenSSL refuses it (ee key too small); make one with P-256, or RSA of 2048 bits"),
]


@pytest.mark.parametrize(("made", "key", "said"), FAULTS, ids=[made.__name__ for made, _, _ in FAULTS])
@pytest.mark.parametrize("at", ["tls", "upstreams.api.tls"])
def test_an_unusable_pair_is_reported_at_the_key_of_the_bad_file(
    made: Callable[[Certificate], tuple[bytes, bytes]], key: str, said: str, at: str, one: Certificate, tmp_path: Path
) -> None:
    """As `serve` would find out, but with the place and the remedy; who only reads the text does not mind."""
    certificate, private_key = made(one)
    (tmp_path / "a.pem").write_bytes(certificate)
    (tmp_path / "a.key").write_bytes(private_key)
    text = listener("a.pem", "a.key") if at == "tls" else upstream("certificate: a.pem\nprivate_key: a.key")
    line = next(number for number, line in enumerate(text.splitlines(), 1) if line.strip().startswith(key))
    (problem,) = problems(tmp_path, text)
    assert (problem.line, problem.path, problem.severity, problem.reason) == (line, f"{at}.{key}", "error", "invalid")
    file = tmp_path / ("a.pem" if key == "certificate" else "a.key")
    assert problem.message == f"invalid {key.replace('_', ' ')} '{file}': {said.format(file)}"
    assert problems(tmp_path, text, tries=False) == ()


def test_a_pair_that_can_be_used_is_no_problem(one: Certificate, tmp_path: Path) -> None:
    """Also both in one file, as HAProxy has them."""
    both = tmp_path / "both.pem"
    both.write_bytes(one.private_key.read_bytes() + one.certificate.read_bytes())
    assert problems(tmp_path, listener(one.certificate, one.private_key)) == ()
    assert problems(tmp_path, listener("both.pem", "both.pem")) == ()
    assert problems(tmp_path, upstream(f"ca: {one.certificate}\ncertificate: both.pem\nprivate_key: both.pem")) == ()


def test_the_key_of_another_certificate_is_reported(one: Certificate, other: Certificate, tmp_path: Path) -> None:
    """Of the same kind or not, and where a chain begins with the authority's."""
    (tmp_path / "rsa.key").write_bytes(openssl("genrsa", 2048))
    (tmp_path / "chain.pem").write_bytes(other.certificate.read_bytes() + one.certificate.read_bytes())
    for certificate, key in (
        (one.certificate, other.private_key),
        (one.certificate, tmp_path / "rsa.key"),
        (tmp_path / "chain.pem", one.private_key),
    ):
        (problem,) = problems(tmp_path, listener(certificate, key))
        assert (problem.line, problem.path) == (5, "tls.private_key")
        assert problem.message == (
            f"invalid private key '{key}': it is not the key of the first certificate in '{certificate}'; "
            "name the two that belong together, and in a chain put the server's own certificate first"
        )


def test_a_swapped_certificate_and_key_are_both_reported(one: Certificate, tmp_path: Path) -> None:
    """Each says what it holds instead."""
    found = problems(tmp_path, listener(one.private_key, one.certificate))
    assert [(problem.line, problem.path) for problem in found] == [(4, "tls.certificate"), (5, "tls.private_key")]
    assert "there is no certificate in it, only: private key" in found[0].message
    assert "there is no private key in it, only: certificate" in found[1].message


def test_unusable_authorities_are_reported(one: Certificate, tmp_path: Path) -> None:
    """A file without a certificate in it, and one that is broken."""
    (tmp_path / "text.pem").write_text("not a certificate", encoding="utf-8")
    (tmp_path / "cut.pem").write_bytes(cut(one)[0])
    for name, said in (
        (one.private_key, "there is no certificate in it, only: private key"),
        ("text.pem", "it is not PEM ('-----BEGIN CERTIFICATE-----')"),
        ("cut.pem", "its PEM is broken or truncated; copy it again from its source"),
    ):
        assert problems(tmp_path, upstream(f"ca: {name}"), tries=False) == ()
        (problem,) = problems(tmp_path, upstream(f"ca: {name}"))
        assert (problem.line, problem.path, problem.reason) == (5, "upstreams.api.tls.ca", "invalid")
        assert problem.message.startswith("invalid authorities ")
        assert said in problem.message


def test_every_file_is_reported_together_with_the_problems_of_the_text(one: Certificate, tmp_path: Path) -> None:
    """All problems come at once, not one after the other."""
    text = upstream(f"ca: none.pem\ncertificate: {one.private_key}\nprivate_key: {one.private_key}")
    found = problems(tmp_path, text + f"listne: x\ntls: {{certificate: {one.certificate}, private_key: /dev/null}}\n")
    assert [(problem.line, problem.path) for problem in found] == [
        (5, "upstreams.api.tls.ca"),
        (6, "upstreams.api.tls.certificate"),
        (9, "listne"),
        (10, "tls.private_key"),
    ]


def test_each_kind_of_content_of_a_file_is_listed_once(one: Certificate, tmp_path: Path) -> None:
    """Its kinds of content are listed in order, each once."""
    key = one.private_key.read_bytes()
    (tmp_path / "a.pem").write_bytes(key + openssl("req", "-new", "-key", one.private_key, "-subj", "/CN=x") + key)
    (problem,) = problems(tmp_path, listener("a.pem", one.private_key))
    assert problem.message.endswith(
        ": there is no certificate in it, only: private key, certificate request; name the file that has one"
    )


def test_a_name_with_a_space_is_quoted_for_the_shell(one: Certificate, tmp_path: Path) -> None:
    """The remedy is a line to copy."""
    (tmp_path / "a b.key").write_bytes(encrypted(one)[1])
    (problem,) = problems(tmp_path, listener(one.certificate, "a b.key"))
    assert problem.message.endswith(f"openssl pkey -in '{tmp_path}/a b.key'")


def test_when_the_first_certificate_of_a_file_expires(one: Certificate, tmp_path: Path) -> None:
    """In epoch seconds; None if there is no readable certificate."""
    pem, _ = made_valid(datetime(2020, 1, 1, tzinfo=UTC), datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC))
    (tmp_path / "a.pem").write_bytes(one.private_key.read_bytes() + pem + one.certificate.read_bytes())
    assert expiry(str(tmp_path / "a.pem")) == datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC).timestamp()
    (tmp_path / "a.pem").write_bytes(b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n")
    for name in ("none.pem", "a.pem"):
        assert expiry(str(tmp_path / name)) is None
    assert expiry(str(one.private_key)) is None


def test_a_pipe_is_no_certificate(one: Certificate, tmp_path: Path) -> None:
    """It would be waited for, and a reload has to read it again."""
    ours, theirs = os.pipe()
    os.close(theirs)
    try:
        (problem,) = problems(tmp_path, listener(f"/dev/fd/{ours}", one.private_key))
    finally:
        os.close(ours)
    assert (problem.line, problem.reason) == (4, "unreadable")
    assert problem.message.endswith(": it is a pipe, which can be read once only; name a file")


def made_valid(not_before: datetime, not_after: datetime, name: str = "x") -> tuple[bytes, bytes]:
    """Make a certificate and its key, valid from then until then."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return certificate.public_bytes(pem), private


@pytest.mark.parametrize(
    ("begins", "ends", "said"),
    [
        (-3 * DAY, -2 * DAY, "it expired on {ends}, and clients no longer accept it; renew it"),
        (
            2 * DAY,
            3 * DAY,
            "it is valid from {begins}, and clients reject it before; check this machine's clock",
        ),
    ],
    ids=["expired", "not yet valid"],
)
def test_a_certificate_out_of_its_time_is_a_warning(
    begins: timedelta, ends: timedelta, said: str, tmp_path: Path
) -> None:
    """The proxy can serve with it, but clients will refuse it."""
    not_before, not_after = datetime.now(UTC) + begins, datetime.now(UTC) + ends
    pem, key = made_valid(not_before, not_after)
    (tmp_path / "a.pem").write_bytes(pem)
    (tmp_path / "a.key").write_bytes(key)
    (problem,) = problems(tmp_path, listener("a.pem", "a.key"))
    assert (problem.line, problem.path) == (4, "tls.certificate")
    assert (problem.severity, problem.reason) == ("warning", "invalid")
    assert problem.message.startswith(f"invalid certificate '{tmp_path / 'a.pem'}': ")
    assert problem.message.endswith(said.format(begins=f"{not_before:%Y-%m-%d}", ends=f"{not_after:%Y-%m-%d}"))


@pytest.mark.parametrize("name", ["x", "x" * 64])
@pytest.mark.parametrize("year", [1999, 2049, 2050, 9999])
def test_the_validity_is_read_as_another_reader_reads_it(year: int, name: str) -> None:
    """Years have two digits up to 2049 and four from then on; lengths have a length of their own from 128 on."""
    begin, end = datetime(1970, 2, 3, 4, 5, 6, tzinfo=UTC), datetime(year, 12, 31, 23, 59, 59, tzinfo=UTC)
    pem, _ = made_valid(begin, end, name)
    found = x509.load_pem_x509_certificate(pem)
    assert validity(pem.decode()) == (found.not_valid_before_utc, found.not_valid_after_utc) == (begin, end)


def test_a_certificate_of_version_1_has_no_version() -> None:
    """Then everything is one place earlier."""

    def element(tag: int, *inner: bytes) -> bytes:
        content = b"".join(inner)
        return bytes([tag, len(content)]) + content

    times = element(0x30, element(0x17, b"240102030405Z"), element(0x18, b"20600102030405Z"))
    body = element(0x30, element(2, b"\x01"), element(0x30), element(0x30), times)
    text = base64.encodebytes(element(0x30, body)).decode()
    assert validity(f"-----BEGIN CERTIFICATE-----\n{text}-----END CERTIFICATE-----\n") == (
        datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC),
        datetime(2060, 1, 2, 3, 4, 5, tzinfo=UTC),
    )
