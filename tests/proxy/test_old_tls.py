"""TLS of yesterday: servers as old ones are, each refused with the key that would help, and taken with it."""

from __future__ import annotations

import contextlib
import ssl
import subprocess
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.proxy.wire import ask
from tests.support.process import Proxy, started
from tests.support.programs import free_port, launched, needs, wait_until_listening
from tests.support.upstream import Upstream

SETTINGS = {
    "default": "",
    "min_version": 'min_version: "1.0"',
    "old_min": 'min_version: "1.1"',
    "ciphers": "ciphers: DEFAULT",
    "level": "ciphers: DEFAULT@SECLEVEL=0",
    "legacy": "legacy: true",
    "legacy_12": 'legacy: true, min_version: "1.2"',
    "legacy_strict": "legacy: true, ciphers: ECDHE-RSA-AES128-GCM-SHA256",
    "newest": 'min_version: "1.3"',
}
"""What each upstream is configured with, beside its authority."""

ALL = tuple(SETTINGS)
WITH_LEVEL_0 = ("min_version", "old_min", "level", "legacy", "legacy_12", "legacy_strict")
"""Those that TLS 1.0 needs it for, too."""


@dataclass(frozen=True, slots=True)
class Row:
    """A server, the settings that reach it, and what the log says of the others."""

    server: str
    reached_with: tuple[str, ...]
    hint: str = ""


ROWS = [
    Row("modern", ALL),
    Row("aes128_sha", ("min_version", "old_min", "ciphers", "level", "legacy", "legacy_12"), "'ciphers: DEFAULT'"),
    Row("aes128_gcm", ("min_version", "old_min", "ciphers", "level", "legacy", "legacy_12"), "'ciphers: DEFAULT'"),
    Row("tls10", ("min_version", "legacy"), "'min_version: \"1.0\"'"),
    Row("tls11", ("min_version", "old_min", "legacy"), "'min_version: \"1.0\"'"),
    Row("small_key", WITH_LEVEL_0, "'ciphers: DEFAULT@SECLEVEL=0'"),
    Row("sha1_signed", WITH_LEVEL_0, "'ciphers: DEFAULT@SECLEVEL=0'"),
    Row("no_safe_renegotiation", ("legacy", "legacy_12", "legacy_strict"), "'legacy: true' takes its old reneg"),
    Row("anonymous", ()),
    Row("null", ()),
    Row("plain", (), "write http://"),
    Row("closing", (), "'legacy: true' speaks as old servers expect"),
]


SUITES = {"aes128_sha": "AES128-SHA", "aes128_gcm": "AES128-GCM-SHA256"}
TAKEN_BY_DEFAULT = {
    server
    for server, suite in SUITES.items()
    if suite in {cipher["name"] for cipher in ssl.create_default_context().get_ciphers()}
}
"""Suites without forward secrecy: not among Python's own, but Debian's Python has those of the system."""


def made(folder: Path, name: str, key: str, *options: str) -> Path:
    """Make a self-signed certificate with its key in one file."""
    file = folder / f"{name}.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", key, "-nodes", "-days", "1", "-subj", "/CN=h", *options,
         "-addext", "subjectAltName=IP:127.0.0.1", "-out", f"{file}.cert", "-keyout", f"{file}.key"],
        check=True, capture_output=True,
    )  # fmt: skip
    file.write_bytes(Path(f"{file}.cert").read_bytes() + Path(f"{file}.key").read_bytes())
    return file


def context(file: Path | None, ciphers: str, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2) -> ssl.SSLContext:
    """Make a server that speaks one version of TLS with these suites."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        made.minimum_version = version
        made.maximum_version = version
    made.set_ciphers(ciphers)
    if file is not None:
        made.load_cert_chain(file)
    return made


@contextlib.contextmanager
def gnutls(file: Path) -> Iterator[str]:
    """Run a server that knows nothing of RFC 5746, which OpenSSL cannot be told to play."""
    program = needs("gnutls-serv", "install it (Debian: apt-get install gnutls-bin)")
    port = free_port()
    options = ("--http", f"--port={port}", f"--x509certfile={file}.cert", f"--x509keyfile={file}.key")
    with launched(program, *options, "--priority=NORMAL:-VERS-TLS1.3:%DISABLE_SAFE_RENEGOTIATION"):
        wait_until_listening(port)
        yield f"https://127.0.0.1:{port}"


@dataclass(frozen=True, slots=True)
class Stage:
    """One proxy before all servers, an upstream for each setting of each."""

    proxy: Proxy


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Run every server, and the proxy before them."""
    folder = tmp_path_factory.mktemp("tls")
    good = made(folder, "good", "rsa:2048")
    small = made(folder, "small", "rsa:1024")
    signed = made(folder, "signed", "rsa:2048")
    sha1 = made(folder, "sha1", "rsa:2048", "-sha1", "-CA", f"{signed}.cert", "-CAkey", f"{signed}.key")
    old = "ALL:@SECLEVEL=0"
    modern = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    modern.load_cert_chain(good)
    contexts = {
        "modern": modern,
        **{server: context(good, suite) for server, suite in SUITES.items()},
        "tls10": context(good, old, ssl.TLSVersion.TLSv1),
        "tls11": context(good, old, ssl.TLSVersion.TLSv1_1),
        "small_key": context(small, old),
        "sha1_signed": context(sha1, old),
        "anonymous": context(None, "aNULL:@SECLEVEL=0"),
        "null": context(good, "eNULL:!aNULL:@SECLEVEL=0"),
    }
    authorities = folder / "ca.pem"
    authorities.write_bytes(b"".join(Path(f"{file}.cert").read_bytes() for file in (good, small, signed)))
    with contextlib.ExitStack() as running:
        urls = {name: running.enter_context(Upstream(tls=made)).url for name, made in contexts.items()}
        plain = running.enter_context(Upstream(lambda one: one.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")))
        urls["plain"] = f"https://127.0.0.1:{plain.port}"
        closing = running.enter_context(Upstream(lambda one: one.close()))
        urls["closing"] = f"https://127.0.0.1:{closing.port}"
        urls["no_safe_renegotiation"] = running.enter_context(gnutls(good))
        lines = ["log: {level: warning, access: false}", "upstreams:"]
        routes = ["routes:"]
        for server, url in urls.items():
            for setting, keys in SETTINGS.items():
                name = f"{server}.{setting}"
                more = f", {keys}" if keys else ""
                lines.append(f"  {name}: {{url: '{url}', tls: {{ca: {authorities}{more}}}}}")
                routes.append(f"  - {{path: /{server}/{setting}, upstream: {name}}}")
        yield Stage(running.enter_context(started("\n".join(lines + routes))))


@pytest.mark.parametrize("row", [pytest.param(row, id=row.server) for row in ROWS])
def test_an_old_server_is_reached_with_the_key_that_the_log_names(stage: Stage, row: Row) -> None:
    """By nothing else, and never one that proves nothing."""
    got = {}
    for setting in SETTINGS:
        path = f"/{row.server}/{setting}".encode()
        got[setting] = ask(stage.proxy.address, b"GET %b HTTP/1.1\r\nHost: h\r\n\r\n" % path).status
    reached_with = {*row.reached_with, *(("default",) if row.server in TAKEN_BY_DEFAULT else ())}
    assert got == {setting: 200 if setting in reached_with else 502 for setting in SETTINGS}
    if "default" not in reached_with:
        told = stage.proxy.stderr.wait_line(rf"upstream {row.server}\.default: tls: ").string
        assert row.hint in told
        if row.hint:
            assert f"upstreams.{row.server}.default.tls: " in told
