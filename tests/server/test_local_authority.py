"""`--https`: a certificate for this machine, of an authority that can sign for nothing else and is made once."""

from __future__ import annotations

import os
import ssl
import stat
import subprocess
from pathlib import Path

import pytest

from corsproxy.errors import UsageError
from corsproxy.server.listen.local_authority import certificate_for, how_to_trust
from corsproxy.settings import TcpAddress
from tests.packaging.files import program
from tests.server.setup import connect
from tests.support.process import DEADLINE, ran, started
from tests.support.upstream import OK, Upstream

LOCAL = TcpAddress("127.0.0.1", 8080)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the authority in a folder of the test's own."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    return tmp_path / "corsproxy"


def openssl(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Ask openssl."""
    return subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False, timeout=DEADLINE)


def test_the_authority_is_made_once_and_its_key_is_private(folder: Path) -> None:
    """A second start uses both again; another listen host gets a certificate of its own from the same authority."""
    files, authority = certificate_for(LOCAL)
    made = authority.read_bytes(), Path(files.certificate).read_bytes()
    assert certificate_for(LOCAL) == (files, authority)
    assert (authority.read_bytes(), Path(files.certificate).read_bytes()) == made
    other, _ = certificate_for(TcpAddress("192.168.1.20", 8080))
    assert other != files
    assert authority.read_bytes() == made[0]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for key in folder.glob("*.key"):
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
    for file in (files, other):
        assert openssl("verify", "-x509_strict", "-CAfile", str(authority), file.certificate).returncode == 0


def test_the_authority_can_sign_for_no_other_site(folder: Path, tmp_path: Path) -> None:
    """Critical name constraints: what its key signs for a public name or address is refused."""
    _, authority = certificate_for(LOCAL)
    text = openssl("x509", "-in", str(authority), "-noout", "-ext", "nameConstraints,basicConstraints").stdout
    assert "X509v3 Name Constraints: critical" in text
    assert "CA:TRUE, pathlen:0" in text
    for name, is_fine in {
        "DNS:localhost": True,
        "DNS:api.shop.test": True,
        "IP:10.1.2.3": True,
        "IP:fd00::1": True,
        "DNS:example.com": False,
        "DNS:notlocalhost": False,
        "IP:8.8.8.8": False,
        "IP:2001:db8::1": False,
    }.items():
        made = tmp_path / "leaf.pem"
        done = openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
            "-keyout", str(tmp_path / "leaf.key"), "-out", str(made), "-subj", "/O=leaf",
            "-CA", str(authority), "-CAkey", str(folder / "authority.key"),
            "-addext", f"subjectAltName={name}", "-addext", "basicConstraints=critical,CA:FALSE",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert (openssl("verify", "-CAfile", str(authority), str(made)).returncode == 0) is is_fine, name


@pytest.mark.parametrize("host", ["example.com", "8.8.8.8", "2001:db8::1", "local.example.com"])
def test_another_host_needs_a_certificate_of_its_own(folder: Path, host: str) -> None:
    """Said before anything is made."""
    with pytest.raises(UsageError, match="bring a certificate"):
        certificate_for(TcpAddress(host, 443))
    assert not folder.exists()


def test_a_broken_authority_is_a_short_message(folder: Path) -> None:
    """It is not silently replaced, because the user may have trusted it."""
    certificate_for(LOCAL)
    (folder / "authority.key").write_text("nonsense", encoding="ascii")
    status, _, said = ran("serve", "--upstream", "http://127.0.0.1:9", "--https", "--listen", "0")
    assert status == 2
    assert len(said) == 1
    assert "holds no usable authority" in said[0]


@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_how_to_trust_it_is_said_for_each_system(platform: str) -> None:
    """With the file's name in every command."""
    lines = how_to_trust(Path("/home/me/it's/authority.pem"), platform)
    assert ("security add-trusted-cert" in "\n".join(lines)) is (platform == "darwin")
    assert all("authority.pem" in line for line in lines if "Firefox" not in line)


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.usefixtures("folder")
def test_the_listener_speaks_https_with_it(workers: str) -> None:
    """For each name of this machine, once the authority is trusted."""
    with Upstream.answering(OK) as upstream:
        options = ("--upstream", upstream.url, "--https", "--workers", workers)
        with started(None, *options) as proxy:
            assert proxy.url.startswith("https://127.0.0.1:")
            authority = proxy.stderr.wait_line(r"^authority: (\S+) ").group(1)
            context = ssl.create_default_context(cafile=authority)
            for name in ("localhost", "127.0.0.1", "::1"):
                with connect(proxy.address) as plain, context.wrap_socket(plain, server_hostname=name) as secure:
                    secure.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                    assert secure.recv(65536).startswith(b"HTTP/1.1 200 ")
            assert proxy.stop() == 0


@pytest.mark.usefixtures("folder")
def test_chromium_takes_it_once_the_authority_is_trusted(tmp_path: Path) -> None:
    """By the very command that the start prints; before, it shows its warning."""
    home = tmp_path / "home"
    database = home / ".pki/nssdb"
    database.mkdir(parents=True)
    certutil = program("certutil", "libnss3-tools")
    page = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 14\r\n\r\n<p>trusted</p>"

    def shown(url: str) -> str:
        options = (
            "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", f"--user-data-dir={home}/profile", "--dump-dom",
        )  # fmt: skip
        environ = {**os.environ, "HOME": str(home), "XDG_DATA_HOME": str(home / "data")}
        done = subprocess.run(
            [program("chromium", "chromium"), *options, url],
            capture_output=True, text=True, check=False, timeout=4 * DEADLINE, env=environ,
        )  # fmt: skip
        return done.stdout

    with Upstream.answering(page) as upstream, started(None, "--upstream", upstream.url, "--https") as proxy:
        url = f"https://localhost:{proxy.address[1]}/"
        assert "trusted" not in shown(url)
        command = proxy.stderr.wait_line(r"certutil -d (.*)$").group(1)
        if not (database / "cert9.db").exists():  # Chromium has made it with its first look at a certificate
            new = [certutil, "-d", f"sql:{database}", "-N", "--empty-password"]
            subprocess.run(new, check=True, timeout=DEADLINE, stdin=subprocess.DEVNULL)
        environ = {"HOME": str(home), "PATH": os.environ["PATH"]}
        subprocess.run(
            ["sh", "-c", f"certutil -d {command}"], check=True, timeout=DEADLINE, env=environ, stdin=subprocess.DEVNULL
        )
        assert "<p>trusted</p>" in shown(url)
