"""How the process starts: what it says, what it listens on, and one short message for each mistake of a user."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import ssl
import subprocess
import threading
import urllib.request
from pathlib import Path

import pytest

from tests.server.setup import APP, ask, config
from tests.support.certificates import Certificate, self_signed
from tests.support.command import invoked
from tests.support.process import ran, started
from tests.support.upstream import Upstream


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """Make a certificate for localhost."""
    return self_signed(tmp_path_factory.mktemp("tls"), "localhost")


def test_start_says_where_it_listens_and_the_routing_table_in_matching_order() -> None:
    """One line a listener, with the real ports, and the routes with the most specific first."""
    text = """
upstreams: {api: "http://127.0.0.1:9/base"}
policies: {app: {allow_origins: [https://app.example.com]}}
routes:
  - {path: /, upstream: api}
  - {path: "/orders/{id}", upstream: api, policy: app}
  - {path: /orders/new, upstream: api, policy: app, exact: true}
  - {path: /, upstream: api, policy: app, host: api.example.com}
"""
    with started(text, admin=True, fresh=True) as proxy:
        proxy.stderr.wait_for(lambda lines: len(lines) >= 8)
        lines = proxy.stderr.lines
        assert re.fullmatch(r"listening on http://127\.0\.0\.1:[1-9]\d*", lines[0])
        assert re.fullmatch(r"admin on http://127\.0\.0\.1:[1-9]\d*", lines[1])
        table = [line.split() for line in lines[2:8]]
        assert table == [
            ["routes:"],
            ["host", "path", "match", "upstream", "policy"],
            ["api.example.com", "/", "prefix", "api", "(http://127.0.0.1:9/base)", "app"],
            ["any", "/orders/new", "exact", "api", "(http://127.0.0.1:9/base)", "app"],
            ["any", "/orders/{id}", "prefix", "api", "(http://127.0.0.1:9/base)", "app"],
            ["any", "/", "prefix", "api", "(http://127.0.0.1:9/base)", "none"],
        ]
        assert proxy.stop() == 0


def test_quick_mode_allows_pages_of_this_machine_and_ignores_a_file_that_lies_there(tmp_path: Path) -> None:
    """`--upstream` alone is a whole configuration; a corsproxy.yaml here is named as ignored."""
    (tmp_path / "corsproxy.yaml").write_text("nonsense: [", encoding="utf-8")
    with Upstream() as upstream, started(None, "--upstream", upstream.url, directory=tmp_path) as proxy:
        proxy.stderr.wait_line(r"corsproxy\.yaml here is ignored: --upstream is given")
        answer = ask(proxy.address, Origin="http://localhost:3000")
        assert answer.cors["access-control-allow-origin"] == "http://localhost:3000"
        assert proxy.stop() == 0


def test_the_file_of_the_working_directory_is_the_default(tmp_path: Path) -> None:
    """Without `--config` and `--upstream` corsproxy.yaml is read."""
    (tmp_path / "corsproxy.yaml").write_text(config("http://127.0.0.1:9"), encoding="utf-8")
    with started(None, directory=tmp_path) as proxy:
        proxy.stderr.wait_line(r"any +/ +prefix +api")


def test_options_win_over_the_environment_and_both_over_the_file(tmp_path: Path) -> None:
    """Workers, listener and log format come from the nearest that names them."""
    text = config("http://127.0.0.1:9", "listen: 127.0.0.1:1\nlog: {format: text}\nworkers: 2")
    environ = {"CORSPROXY_LISTEN": "127.0.0.1:2", "CORSPROXY_LOG_FORMAT": "json", "CORSPROXY_WORKERS": "1"}
    with started(text, environ=environ) as proxy:
        assert proxy.address[1] > 2
        ask(proxy.address)
        assert proxy.access_log(1)[0]["path"] == "/"


def test_inspect_opens_an_admin_listener_even_where_its_usual_port_is_taken() -> None:
    """`--inspect` takes 127.0.0.1:8081, or a free port."""
    with started(config("http://127.0.0.1:9"), "--inspect") as first:
        first.stderr.wait_line("inspector on http://127.0.0.1:")
        with started(config("http://127.0.0.1:9"), "--inspect") as second:
            assert first.admin[0] == second.admin[0] == "127.0.0.1"
            assert first.admin[1] != second.admin[1]
            assert second.ask_admin("/healthz")[0] == 200


def test_a_tls_listener_says_https_and_serves_it(certificate: Certificate) -> None:
    """With `tls` the listener speaks TLS, with HTTP/1.1 by name."""
    tls = f"tls: {{certificate: {certificate.certificate}, private_key: {certificate.private_key}}}"
    with Upstream() as upstream, started(config(upstream, tls)) as proxy:
        assert proxy.url.startswith("https://127.0.0.1:")
        context = ssl.create_default_context(cafile=certificate.certificate)
        context.set_alpn_protocols(["h2", "http/1.1"])
        with (
            socket.create_connection(proxy.address) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as secure,
        ):
            assert secure.selected_alpn_protocol() == "http/1.1"
            secure.sendall(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            assert secure.recv(100).startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_configuration_may_come_from_a_pipe_which_is_read_once(tmp_path: Path) -> None:
    """It is no file that could be watched or read again, and a reload says so instead of waiting for it."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(config("http://127.0.0.1:9"),))
    writer.start()
    with started(None, "-c", str(pipe), "--watch") as proxy:
        writer.join()
        proxy.stderr.wait_line(
            f"--watch has nothing to watch: {pipe} is a pipe or a device, which can be read once only$"
        )
        proxy.signal(signal.SIGHUP)
        proxy.stderr.wait_line(f"nothing to reload: {pipe} is a pipe or a device, which can be read once only$")
        assert ask(proxy.address).status == 502
        assert proxy.stop() == 0


MISTAKES = {
    "nothing to serve": (["serve"], r"nothing to serve: no corsproxy\.yaml here, and no --upstream"),
    "a file and an upstream": (
        ["serve", "-c", "{file}", "--upstream", "http://127.0.0.1:9"],
        r"--config and --upstream exclude each other",
    ),
    "origins beside a file": (["serve", "-c", "{file}", "--allow-origin", APP], r"--allow-origin goes with --upstream"),
    "a missing file": (["serve", "-c", "nowhere.yaml"], r"nowhere\.yaml: .*missing file"),
    "a directory": (["serve", "-c", "."], r"^\.: unreadable file: it is a directory"),
    "a file that does not end": (["serve", "-c", "/dev/zero"], r"^/dev/zero: invalid size: "),
    "an upstream that is no URL": (["serve", "--upstream", "localhost"], r"--upstream: "),
    "an origin that is none": (
        ["serve", "--upstream", "http://127.0.0.1:9", "--allow-origin", "https://a.example/"],
        r"--allow-origin: ",
    ),
    "a listener without a port": (
        ["serve", "-c", "{file}", "--listen", "127.0.0.1"],
        r"--listen: .*the port is missing",
    ),
    "an admin listener without a host": (["serve", "-c", "{file}", "--admin", ":8081"], r"--admin: .*0\.0\.0\.0:8081"),
    "a port in use": (
        ["serve", "-c", "{file}", "--listen", "127.0.0.1:{port}"],
        r"cannot listen on 127\.0\.0\.1:\d+ \(--listen\): the address is in use",
    ),
    "an admin port in use": (
        ["serve", "-c", "{file}", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:{port}"],
        r"cannot listen on 127\.0\.0\.1:\d+ \(--admin\): the address is in use",
    ),
    "an address of another machine": (
        ["serve", "-c", "{file}", "--listen", "192.0.2.1:8080"],
        r"cannot listen on 192\.0\.2\.1:8080 \(--listen\): this machine has no such address",
    ),
    "a host that does not resolve": (
        ["serve", "-c", "{file}", "--listen", "nowhere.invalid:8080"],
        r"cannot listen on nowhere\.invalid:8080 \(--listen\): (?:this host is unknown|.* for this host)",
    ),
    "an address of a link without its interface": (
        ["serve", "-c", "{file}", "--listen", "[fe80::1]:8080"],
        r"cannot listen on \[fe80::1\]:8080 \(--listen\): an address of one link needs its interface: \[fe80::1%eth0\]",
    ),
    "an address of a link that is not ours": (
        ["serve", "-c", "{file}", "--listen", "[fe80::1%lo]:8080"],
        r"cannot listen on \[fe80::1%lo\]:8080 \(--listen\): this machine has no such address",
    ),
}


@pytest.mark.parametrize(("args", "said"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_a_short_message_and_an_exit_status(args: list[str], said: str, tmp_path: Path) -> None:
    """Each names what is wrong, without a traceback; a listener that cannot be opened is 3: it may be tried again."""
    file = tmp_path / "good.yaml"
    file.write_text(config("http://127.0.0.1:9"), encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        filled = [arg.format(file=file, port=taken.getsockname()[1]) for arg in args]
        status, _, lines = ran(*filled, directory=tmp_path)
    assert status == (3 if said.startswith("cannot listen on") else 2)
    assert re.search(said, lines[0]), lines
    assert len(lines) <= 4
    assert "Traceback" not in "\n".join(lines)


@pytest.mark.parametrize(
    "command",
    ["serve -c", "healthcheck -c", "explain / -c", "learn -c", "learn", "check", "init"],
)
def test_an_empty_file_name_is_a_mistake_and_no_default(command: str, tmp_path: Path) -> None:
    """`-c "$UNSET"` must not take the file that happens to lie there."""
    file = tmp_path / "corsproxy.yaml"
    file.write_text(config("http://127.0.0.1:9"), encoding="utf-8")
    status, _, lines = (ran if command.startswith("serve") else invoked)(*command.split(), "", directory=tmp_path)
    assert status == 2
    assert lines[-1].endswith(": the file name is empty; give one, or omit the option")


def test_a_bad_file_is_reported_with_all_its_problems(tmp_path: Path) -> None:
    """`serve` reports what `check` would, and does not start."""
    file = tmp_path / "bad.yaml"
    file.write_text(config("http://127.0.0.1:9", "worker: 2\nlisten: nonsense"), encoding="utf-8")
    status, _, lines = ran("serve", "-c", str(file))
    assert status == 2
    assert len(lines) == 2
    assert all(line.startswith(f"{file}:") for line in lines)


@pytest.mark.parametrize("workers", ["0", "1025", "99999999999"])
def test_workers_are_as_many_as_the_file_allows(workers: str) -> None:
    """An option is no way to more, and a slip in it takes no memory."""
    status, _, lines = ran("serve", "--upstream", "http://127.0.0.1:9", "--workers", workers)
    assert status == 2
    assert re.search(rf"--workers.*\b{workers}\b.*\b1024\b", lines[-1])


@pytest.mark.parametrize("workers", ["1", "2"])
def test_unusable_certificates_are_reported_by_name(workers: str, tmp_path: Path) -> None:
    """A certificate with the wrong key, or without PEM, is reported with its place and without a traceback."""
    one, other = self_signed(tmp_path, "one"), self_signed(tmp_path, "other")
    file = tmp_path / "corsproxy.yaml"
    cases = {
        one.certificate: (other.private_key, "tls.private_key: invalid private key '.*': it is not the key of"),
        file: (one.private_key, "tls.certificate: invalid certificate '.*': it is not PEM"),
    }
    for certificate, (key, said) in cases.items():
        tls = f"tls: {{certificate: {certificate}, private_key: {key}}}"
        file.write_text(config("http://127.0.0.1:9", tls), encoding="utf-8")
        status, _, lines = ran("serve", "-c", str(file), "--listen", "127.0.0.1:0", "--workers", workers)
        assert (status, len(lines)) == (2, 1)
        assert re.match(rf"{file}:4:\d+: {said}", lines[0]), lines


def test_serve_fails_on_nothing_that_check_does_not_report(tmp_path: Path) -> None:
    """A key with a password would have been asked for at the terminal."""
    made = self_signed(tmp_path, "upstream")
    encrypt = ["openssl", "pkey", "-aes256", "-passout", "pass:x", "-in", str(made.private_key)]
    subprocess.run([*encrypt, "-out", str(tmp_path / "encrypted.key")], check=True, capture_output=True)
    tls = f"{{ca: {made.private_key}, certificate: {made.certificate}, private_key: encrypted.key}}"
    file = tmp_path / "corsproxy.yaml"
    url = f"{{url: 'https://127.0.0.1:9', tls: {tls}}}"
    file.write_text(config("URL", "tls: {certificate: none, private_key: none}").replace("'URL'", url))
    status, told, _ = invoked("check", str(file))
    assert (status, len(told)) == (2, 4)
    assert ran("serve", "-c", str(file)) == (2, [], told)


def test_an_upstream_that_is_not_there_does_not_keep_the_proxy_from_starting() -> None:
    """Upstreams come and go; the proxy is healthy, and answers for one that is gone."""
    with started(config("http://127.0.0.1:9"), admin=True) as proxy:
        assert proxy.ask_admin("/healthz")[0] == 200
        assert ask(proxy.address).status == 502


def test_a_host_name_listens_on_each_of_its_addresses() -> None:
    """`localhost` is 127.0.0.1 and, where there is IPv6, ::1."""
    with Upstream() as upstream, started(config(upstream), "--listen", "localhost:0") as proxy:
        proxy.stderr.wait_line("routes:")
        urls = [line.removeprefix("listening on ") for line in proxy.stderr.lines if line.startswith("listening")]
        assert urls
        for url in urls:
            with urllib.request.urlopen(url) as response:
                assert response.read() == b"ok"


def test_json_means_json_from_the_first_line(tmp_path: Path) -> None:
    """A collector gets nothing else: start, routing table, warnings, refusals, the stop, and why it does not start."""
    environ = {"CORSPROXY_LOG_FORMAT": "json", "CORSPROXY_XYZ": "1"}
    with Upstream() as upstream:
        quick = ("--upstream", upstream.url, "--allow-origin", "http://192.168.1.2")
        with started(None, *quick, admin=True, environ=environ) as proxy:
            ask(proxy.address, Origin="https://stranger.example")
            proxy.stderr.wait_line("refused GET / from https://stranger.example")
            assert proxy.stop() == 0
            said = [json.loads(line) for line in proxy.stderr.lines]
    assert all({"time", "level", "logger", "message"} <= line.keys() for line in said)
    messages = [line["message"] for line in said]
    assert {"CORSPROXY_XYZ has no effect", "stopped"} <= set(messages)
    assert sum(message.startswith(("listening on http://", "admin on http://")) for message in messages) == 2
    (route,) = [line for line in said if "policy" in line]
    assert (route["host"], route["path"], route["match"], route["policy"]) == ("any", "/", "prefix", "quick")

    status, _, lines = ran("serve", "--upstream", "nonsense", environ=environ)
    assert (status, [json.loads(line)["level"] for line in lines]) == (2, ["error", "error"])
    (tmp_path / "corsproxy.yaml").write_text(
        config("http://127.0.0.1:9", "log: {format: json}\nlisten: 192.0.2.1:1"), encoding="utf-8"
    )
    status, _, lines = ran("serve", directory=tmp_path)
    assert (status, [json.loads(line)["level"] for line in lines]) == (3, ["error"])


def test_a_loopback_listener_in_a_container_causes_a_hint() -> None:
    """Nobody outside would ever reach it; what listens everywhere needs no such line."""
    environ = {"container": "podman"}
    with started(None, "--upstream", "http://127.0.0.1:9", environ=environ) as proxy:
        port = proxy.address[1]
        proxy.stderr.wait_line(rf"^this looks like a container.* listen on 0\.0\.0\.0:{port}$")
    with started(None, "--upstream", "http://127.0.0.1:9", listen="0.0.0.0:0", environ=environ) as proxy:
        assert proxy.stop() == 0
        assert "container" not in proxy.stderr.text


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            [],
            [r"^allowed: pages of this machine \(localhost, .*any port\), with credentials; .*--allow-origin$",
             r"^add --inspect "],
        ),
        (["--allow-origin", "https://a.example"], [r"^allowed: https://a\.example; with credentials$"]),
        (
            ["--allow-origin", "*", "--upstream", "https://127.0.0.1:9", "--insecure"],
            [r"^allowed: every page; without credentials$", r"^--insecure: warning: .*127.0.0.1:9 is not ver"],
        ),
    ],
)  # fmt: skip
def test_quick_mode_says_what_it_allows(options: list[str], said: list[str]) -> None:
    """The pages, the page that shows more, and the risk that was asked for."""
    upstream = [] if "--upstream" in options else ["--upstream", "http://127.0.0.1:9"]
    with started(None, *upstream, *options) as proxy:
        for pattern in said:
            proxy.stderr.wait_line(pattern)


def test_a_bare_port_is_one_of_loopback() -> None:
    """As every development server takes it."""
    with started(None, "--upstream", "http://127.0.0.1:9", "--listen", "0", "--admin", "0") as proxy:
        assert proxy.address[0] == proxy.admin[0] == "127.0.0.1"


def test_a_start_reads_no_authorities_that_nothing_will_ask_for(tmp_path: Path) -> None:
    """The system's bundle, a fifth of a start, is left alone if no upstream is asked over TLS; then it is read.

    The bundle is a pipe here: a process that opens it waits for someone to write.
    """
    bundle = tmp_path / "bundle.pem"
    os.mkfifo(bundle)
    environ = {"SSL_CERT_FILE": str(bundle)}
    with started(config("http://127.0.0.1:9"), admin=True, environ=environ, fresh=True) as proxy:
        assert proxy.ask_admin("/healthz")[0] == 200
    opened = threading.Event()

    def write_nothing() -> None:
        with bundle.open("wb"):
            opened.set()

    threading.Thread(target=write_nothing, daemon=True).start()
    with started(config("https://127.0.0.1:9"), environ=environ, fresh=True):
        assert opened.is_set()


REFUSED = {
    "an option": ("--upstream", "ftp://127.0.0.1"),
    "a file that is not there": ("-c", "/nowhere/corsproxy.yaml"),
    "an address of another machine": ("--upstream", "http://127.0.0.1:9", "--listen", "192.0.2.1:8080"),
}


@pytest.mark.parametrize("mistake", REFUSED)
def test_a_refused_start_does_not_load_what_would_have_run(mistake: str) -> None:
    """The message is there before the event loop, the HTTP parser and the data path, half of a start, are loaded."""
    status, _, stderr = ran("serve", *REFUSED[mistake], environ={"PYTHONPROFILEIMPORTTIME": "1"}, fresh=True)
    assert status in {2, 3}
    loaded = {line.rpartition("|")[2].strip() for line in stderr if line.startswith("import time:")}
    assert "corsproxy.server.start" in loaded
    assert not loaded & {"aiohttp", "asyncio", "uvloop", "corsproxy.server.launch", "corsproxy.proxy.plan"}
