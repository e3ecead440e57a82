"""Reload: all or nothing, at once in all workers, counted and logged, and no request is lost."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.server.setup import APP, OTHER, Answer, ask, ask_on, config, connect, receive_until
from tests.support.certificates import Certificate, self_signed
from tests.support.process import DEADLINE, Proxy, started
from tests.support.programs import free_port
from tests.support.upstream import Connection, Upstream

SUCCESS = 'corsproxy_config_reloads_total{outcome="success"}'
FAILURE = 'corsproxy_config_reloads_total{outcome="failure"}'
LAST = "corsproxy_config_last_reload_successful"


def reloads(proxy: Proxy) -> tuple[float, float, float]:
    """Return how many reloads went well, how many did not, and whether the last one did."""
    metrics = proxy.metrics()
    return metrics[SUCCESS], metrics[FAILURE], metrics[LAST]


def granted(proxy: Proxy, origin: str) -> bool:
    """Return whether an origin is granted now."""
    return ask(proxy.address, Origin=origin).cors.get("access-control-allow-origin") == origin


@pytest.mark.parametrize("workers", [1, 2])
def test_a_changed_policy_is_in_force_after_sighup_in_every_worker(workers: int) -> None:
    """The new origin is granted and the old one is not, on every connection that is made."""
    extra = f"workers: {workers}"
    with Upstream() as upstream, started(config(upstream, extra), admin=True) as proxy:
        assert reloads(proxy) == (0, 0, 1)
        assert granted(proxy, APP)
        proxy.reload(config(upstream, extra, f"allow_origins: [{OTHER}]"))
        proxy.stderr.wait_line("configuration reloaded: policies: changed app$")
        for _ in range(20):
            assert granted(proxy, OTHER)
            assert not granted(proxy, APP)
        assert reloads(proxy) == (1, 0, 1)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_bad_file_changes_nothing_and_is_reported_with_all_its_problems(workers: int) -> None:
    """The old policy stays in force, the failure is counted, and the next good file is taken."""
    extra = f"workers: {workers}"
    with Upstream() as upstream, started(config(upstream, extra), admin=True) as proxy:
        proxy.reload(config(upstream, f"{extra}\nworker: 1", "allow_origins: [https://a.example/]"))
        proxy.stderr.wait_line(r"configuration not reloaded \(2 problems\): the old one stays in force")
        proxy.stderr.wait_line(r"corsproxy\.yaml:2:\d+: policies\.app\.allow_origins\[0\]: ")
        proxy.stderr.wait_line(r"corsproxy\.yaml:5:\d+: worker: ")
        assert granted(proxy, APP)
        assert reloads(proxy) == (0, 1, 0)
        proxy.reload(config(upstream, extra))
        proxy.stderr.wait_line("configuration reloaded: nothing changed$")
        assert reloads(proxy) == (1, 1, 1)


def test_a_missing_file_changes_nothing() -> None:
    """A file that is gone at SIGHUP is a failed reload."""
    with Upstream() as upstream, started(config(upstream), admin=True) as proxy:
        proxy.config.unlink()
        proxy.signal(signal.SIGHUP)
        proxy.stderr.wait_line("configuration not reloaded")
        assert granted(proxy, APP)
        assert reloads(proxy) == (0, 1, 0)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_certificate_that_cannot_be_used_changes_nothing(workers: int, tmp_path: Path) -> None:
    """What is only found when the configuration is put to work is still before anything changes."""
    extra = f"workers: {workers}"
    bad = tmp_path / "ca.pem"
    bad.write_text("not a certificate", encoding="utf-8")
    with Upstream() as upstream, started(config(upstream, extra), admin=True) as proxy:
        text = config(upstream, extra, f"allow_origins: [{OTHER}]")
        tls = f"{{url: 'https://127.0.0.1:9', tls: {{ca: {bad}}}}}"
        proxy.reload(text.replace(f"'{upstream.url}'", tls))
        proxy.stderr.wait_line(r"corsproxy\.yaml:1:\d+: upstreams\.api\.tls\.ca: invalid authorities ")
        proxy.stderr.wait_line(r"configuration not reloaded \(1 problem\)")
        assert granted(proxy, APP)
        assert reloads(proxy) == (0, 1, 0)


def test_what_cannot_change_without_a_restart_is_said_and_the_rest_is_taken() -> None:
    """Each such key is named; the listener stays where it is."""
    with Upstream() as upstream, started(config(upstream), admin=True) as proxy:
        before = proxy.address
        proxy.reload(config(upstream, "workers: 3\ninspector: true", f"allow_origins: [{OTHER}]"))
        proxy.stderr.wait_line("configuration reloaded")
        for key in ("workers", "inspector"):
            proxy.stderr.wait_line(f"{key} cannot change without a restart")
        assert "listen cannot change" not in proxy.stderr.text  # the option still wins over the file
        assert proxy.address == before
        assert granted(proxy, OTHER)


def test_the_listener_in_the_file_cannot_change() -> None:
    """Without an option the file's own address counts."""
    port = free_port()
    with Upstream() as upstream:
        text = config(upstream, f"listen: 127.0.0.1:{port}")
        with started(text, listen=None) as proxy:
            proxy.reload(config(upstream, "listen: 127.0.0.1:1"))
            proxy.stderr.wait_line("listen cannot change without a restart: the old value stays in force")
            assert proxy.address == ("127.0.0.1", port)
            assert granted(proxy, APP)


def test_a_hangup_stops_quick_mode() -> None:
    """There is nothing to read again, and the window of the terminal was closed."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the tests may run under nohup
    try:
        with Upstream() as upstream, started(None, "--upstream", upstream.url, "--watch") as proxy:
            proxy.stderr.wait_line("--watch has nothing to watch")
            proxy.signal(signal.SIGHUP)
            assert proxy.wait() == 0
            assert "stopping: SIGHUP" in proxy.stderr.text
    finally:
        signal.signal(signal.SIGHUP, before)


def test_nohup_keeps_quick_mode_running() -> None:
    """Who started it has said that the terminal may go."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Upstream() as upstream, started(None, "--upstream", upstream.url) as proxy:
            proxy.signal(signal.SIGHUP)
            assert ask(proxy.address).status == 200
            assert proxy.stop() == 0
            assert "stopping: SIGTERM" in proxy.stderr.text
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_text_has_nothing_to_reload() -> None:
    """A SIGHUP does not end the process, as its default action would."""
    with Upstream() as upstream:
        environ = {"CORSPROXY_CONFIG_TEXT": config(upstream)}
        with started(None, environ=environ) as proxy:
            proxy.signal(signal.SIGHUP)
            proxy.stderr.wait_line("nothing to reload")
            assert ask(proxy.address).status == 200
            assert proxy.stop() == 0


def test_a_renewed_certificate_is_served_after_sighup(tmp_path: Path) -> None:
    """The same file with new content is read again, and a broken one changes nothing."""
    old, new = self_signed(tmp_path, "old"), self_signed(tmp_path, "new")
    certificate, key = tmp_path / "tls.pem", tmp_path / "tls.key"

    def install(source: Path, target: Path) -> None:
        target.write_bytes(source.read_bytes())

    def served(proxy: Proxy) -> str:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with (
            socket.create_connection(proxy.address, timeout=DEADLINE) as plain,
            context.wrap_socket(plain) as secure,
        ):
            return ssl.DER_cert_to_PEM_cert(secure.getpeercert(binary_form=True) or b"")

    install(old.certificate, certificate)
    install(old.private_key, key)
    text = config("http://127.0.0.1:9", f"tls: {{certificate: {certificate}, private_key: {key}}}")
    with started(text) as proxy:
        assert served(proxy) == old.certificate.read_text(encoding="ascii")
        install(new.certificate, certificate)
        proxy.signal(signal.SIGHUP)
        proxy.stderr.wait_line(r"corsproxy\.yaml:4:\d+: tls\.private_key: .*it is not the key of the first certificate")
        assert served(proxy) == old.certificate.read_text(encoding="ascii")
        install(new.private_key, key)
        proxy.signal(signal.SIGHUP)
        proxy.stderr.wait_line("configuration reloaded")
        assert served(proxy) == new.certificate.read_text(encoding="ascii")


@pytest.mark.parametrize("workers", [1, 2])
def test_the_certificate_in_use_must_do_even_where_the_new_file_names_another(workers: int, tmp_path: Path) -> None:
    """The listener's files cannot change, but what they hold is read again: nothing is taken of such a file."""
    old, new = self_signed(tmp_path, "old"), self_signed(tmp_path, "new")

    def naming(one: Certificate) -> str:
        tls = f"tls: {{certificate: {one.certificate}, private_key: {one.private_key}}}"
        return config("http://127.0.0.1:9", f"workers: {workers}\n{tls}")

    with started(naming(old), admin=True) as proxy:
        old.private_key.write_bytes(new.private_key.read_bytes())
        proxy.reload(naming(new))
        proxy.stderr.wait_line(rf"tls: {old.certificate} with {old.private_key} cannot be used: .+")
        proxy.stderr.wait_line(r"configuration not reloaded \(1 problem\)")
        assert reloads(proxy) == (0, 1, 0)


def test_a_request_in_flight_keeps_the_policy_it_began_with() -> None:
    """The answer to a request that began before the reload carries the old grant."""

    def script(connection: Connection) -> None:
        connection.read_request()
        connection.read_to_end()

    with Upstream(script) as upstream, started(config(upstream)) as proxy, connect(proxy.address) as client:
        client.sendall(f"GET / HTTP/1.1\r\nHost: h\r\nOrigin: {APP}\r\n\r\n".encode())
        upstream.wait_for(lambda: upstream.requests)
        proxy.reload(config(upstream, policy=f"allow_origins: [{OTHER}]"))
        proxy.stderr.wait_line("configuration reloaded")
        upstream.connections[0].send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        head = receive_until(client, b"\r\n\r\nok")
        assert f"Access-Control-Allow-Origin: {APP}\r\n".encode() in head


def written_in_place(config: Path, text: str) -> None:
    """Truncate and write, as an editor may."""
    config.write_text(text, encoding="utf-8")


def renamed_over(config: Path, text: str) -> None:
    """Write beside it and rename, as most editors and tools do."""
    beside = config.with_suffix(".new")
    beside.write_text(text, encoding="utf-8")
    beside.rename(config)


def swapped(config: Path, text: str) -> None:
    """Swap the `..data` symlink, as the kubelet does when a ConfigMap changes."""
    directory = config.parent
    fresh = directory / f"..{len(text)}_{os.urandom(4).hex()}"
    fresh.mkdir()
    (fresh / config.name).write_text(text, encoding="utf-8")
    link = directory / "..data_tmp"
    link.symlink_to(fresh.name)
    link.rename(directory / "..data")


@pytest.mark.parametrize("change", [written_in_place, renamed_over, swapped], ids=lambda change: change.__name__)
@pytest.mark.parametrize("workers", [1, 2])
def test_a_watched_file_is_reloaded_when(change: Callable[[Path, str], None], workers: int, tmp_path: Path) -> None:
    """New content takes effect without a signal, however it is written; bad content is reported once."""
    extra = f"workers: {workers}"
    with Upstream() as upstream:
        text = config(upstream, extra)
        if change is swapped:
            swapped(tmp_path / "corsproxy.yaml", text)
            (tmp_path / "corsproxy.yaml").symlink_to("..data/corsproxy.yaml")
        else:
            (tmp_path / "corsproxy.yaml").write_text(text, encoding="utf-8")
        file = tmp_path / "corsproxy.yaml"
        with started(None, "--watch", "-c", str(file), admin=True, directory=tmp_path) as proxy:
            change(file, config(upstream, extra, "allow_origins: [nonsense]"))
            proxy.stderr.wait_line("configuration not reloaded")
            change(file, config(upstream, extra, f"allow_origins: [{OTHER}]"))
            proxy.stderr.wait_line("configuration reloaded: policies: changed app")
            assert granted(proxy, OTHER)
            assert not granted(proxy, APP)
            assert reloads(proxy) == (1, 1, 1)
            assert " is gone: " not in proxy.stderr.text


def written_anew(file: Path, text: str) -> None:
    """Write it at its place again."""
    file.write_text(text, encoding="utf-8")


def moved_back(file: Path, text: str) -> None:
    """Bring back the same, unchanged file."""
    file.with_suffix(".away").rename(file)


@pytest.mark.parametrize(
    ("back", "origin", "said"),
    [(written_anew, OTHER, "policies: changed app"), (moved_back, APP, "nothing changed")],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_missing_watched_file_is_reported_once_and_loaded_when_it_is_back(
    back: Callable[[Path, str], None], origin: str, said: str
) -> None:
    """Nothing is reloaded, and nothing fails, while there is no file."""
    with Upstream() as upstream, started(config(upstream), "--watch", admin=True) as proxy:
        proxy.config.rename(proxy.config.with_suffix(".away"))
        proxy.stderr.wait_line(
            rf"warning {proxy.config} is gone: what was read from it stays in force until it is back$"
        )
        assert granted(proxy, APP)
        assert reloads(proxy) == (0, 0, 1)
        back(proxy.config, config(upstream, policy=f"allow_origins: [{OTHER}]"))
        proxy.stderr.wait_line(f"configuration reloaded: {said}")
        assert granted(proxy, origin)
        assert reloads(proxy) == (1, 0, 1)
        assert proxy.stderr.text.count(" is gone: ") == 1


def test_a_watched_file_that_is_deleted_to_be_written_anew_is_not_gone() -> None:
    """As some tools do it; the moment between is none of the user's business."""
    with Upstream() as upstream, started(config(upstream), "--watch") as proxy:
        for number in range(3):
            text = config(upstream, f"limits: {{max_body: {number + 1}}}")
            proxy.config.unlink()
            proxy.config.write_text(text, encoding="utf-8")

            def told(lines: list[str], count: int = number + 1) -> bool:
                return sum("configuration reloaded: limits changed" in line for line in lines) == count

            proxy.stderr.wait_for(told)
        assert " is gone: " not in proxy.stderr.text


def test_a_watched_file_that_cannot_be_read_any_more_is_a_failed_reload() -> None:
    """It has changed, if not to anything that could be used."""
    with Upstream() as upstream, started(config(upstream), "--watch", admin=True) as proxy:
        proxy.config.unlink()
        proxy.config.mkdir()
        proxy.stderr.wait_line(r"corsproxy\.yaml: unreadable file: it is a directory")
        proxy.stderr.wait_line(r"configuration not reloaded \(1 problem\)")
        assert granted(proxy, APP)
        assert reloads(proxy) == (0, 1, 0)


@pytest.mark.parametrize("workers", [1, 2])
def test_no_request_fails_while_the_policy_flips_under_load(workers: int) -> None:
    """Thousands of requests, ten reloads: every one is answered, each wholly under one of the two policies."""
    extra = f"workers: {workers}\nlog: {{access: false}}"
    flips = 10
    policies = [
        "allow_origins: ['https://app.example.com'], allow_credentials: true, expose_headers: [X-One]",
        "allow_origins: ['*'], expose_headers: [X-Two]",
    ]
    expected: list[dict[str, str]] = [
        {
            "vary": "Origin",
            "access-control-allow-origin": APP,
            "access-control-allow-credentials": "true",
            "access-control-expose-headers": "X-One",
        },
        {"access-control-allow-origin": "*", "access-control-expose-headers": "X-Two"},
    ]
    answers: list[Answer] = []
    failures: list[Exception] = []
    over = threading.Event()

    def client(proxy: Proxy, *, keep_alive: bool) -> None:
        connection = http.client.HTTPConnection(*proxy.address, timeout=DEADLINE)
        try:
            while not over.is_set():
                answers.append(ask_on(connection, Origin=APP))
                if not keep_alive:
                    connection.close()
        except Exception as error:  # noqa: BLE001 - told by the assertion below
            failures.append(error)
        finally:
            connection.close()

    with Upstream() as upstream, started(config(upstream, extra, policies[0]), admin=True) as proxy:
        threads = [threading.Thread(target=client, args=(proxy,), kwargs={"keep_alive": n > 0}) for n in range(4)]
        for thread in threads:
            thread.start()
        try:
            for flip in range(1, flips + 1):
                proxy.reload(config(upstream, extra, policies[flip % 2]))

                def told(lines: list[str], count: int = flip) -> bool:
                    return sum("configuration reloaded" in line for line in lines) >= count

                proxy.stderr.wait_for(told)
                seen = len(answers)
                while len(answers) < seen + 150 and not failures:
                    threads[0].join(0.01)
        finally:
            over.set()
            for thread in threads:
                thread.join(DEADLINE)
        metrics = proxy.metrics()
    assert failures == []
    assert metrics[SUCCESS] == flips
    assert len(answers) >= flips * 150
    assert all(answer.status == 200 and answer.body == b"ok" for answer in answers)
    seen_policies = [expected.index(answer.cors) for answer in answers]
    assert set(seen_policies) == {0, 1}


def test_connections_stay_open_over_a_reload() -> None:
    """A kept-alive connection of a client serves the next request under the new policy."""
    with Upstream() as upstream, started(config(upstream)) as proxy:
        with contextlib.closing(http.client.HTTPConnection(*proxy.address, timeout=DEADLINE)) as connection:
            assert ask_on(connection, Origin=APP).cors["access-control-allow-origin"] == APP
            own = connection.sock.getsockname()
            proxy.reload(config(upstream, policy=f"allow_origins: [{OTHER}]"))
            proxy.stderr.wait_line("configuration reloaded")
            assert ask_on(connection, Origin=OTHER).cors["access-control-allow-origin"] == OTHER
            assert connection.sock.getsockname() == own
        assert len(upstream.connections) == 1


def served_certificate(proxy: Proxy) -> str:
    """Return the certificate that the listener shows, as PEM."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(proxy.address, timeout=DEADLINE) as plain, context.wrap_socket(plain) as secure:
        return ssl.DER_cert_to_PEM_cert(secure.getpeercert(binary_form=True) or b"")


def test_a_secret_that_is_renewed_is_served(tmp_path: Path) -> None:
    """cert-manager's Secret, as a kubelet mounts it: one symlink is swapped, and both files are others.

    A pair that does not belong together keeps the one in force; the metric speaks of what is in force.
    """
    certificates = {name: self_signed(tmp_path, name) for name in ("old", "new")}
    mount = tmp_path / "mount"
    mount.mkdir()

    def swap(version: str, certificate: Certificate, private_key: Certificate) -> None:
        folder = mount / version
        folder.mkdir()
        (folder / "tls.crt").write_bytes(certificate.certificate.read_bytes())
        (folder / "tls.key").write_bytes(private_key.private_key.read_bytes())
        (mount / "..data_tmp").symlink_to(version)
        (mount / "..data_tmp").rename(mount / "..data")

    old, new = certificates["old"], certificates["new"]
    swap("..1", old, old)
    for name in ("tls.crt", "tls.key"):
        (mount / name).symlink_to(f"..data/{name}")
    text = config(
        "http://127.0.0.1:9", f"tls: {{certificate: {mount}/tls.crt, private_key: {mount}/tls.key}}\nworkers: 2"
    )
    with started(text, "--watch", admin=True) as proxy:
        assert served_certificate(proxy) == old.certificate.read_text(encoding="ascii")
        expiry = proxy.metrics()['corsproxy_certificate_expiry_timestamp_seconds{use="listener"}']
        assert expiry == pytest.approx(time.time() + 86400, abs=600)
        swap("..2", new, old)
        proxy.stderr.wait_line("configuration not reloaded")
        assert served_certificate(proxy) == old.certificate.read_text(encoding="ascii")
        swap("..3", new, new)
        proxy.stderr.wait_line(rf"configuration reloaded: nothing changed; read again: .*{mount}/tls\.key")
        assert served_certificate(proxy) == new.certificate.read_text(encoding="ascii")


def test_a_service_manager_is_told_how_far_it_is(tmp_path: Path) -> None:
    """READY once it listens, RELOADING and READY around a reload, STOPPING (sd_notify(3))."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(DEADLINE)
        environ = {"NOTIFY_SOCKET": str(tmp_path / "notify")}
        with Upstream() as upstream, started(config(upstream), environ=environ) as proxy:
            assert manager.recv(4096) == b"READY=1"
            assert ask(proxy.address).status == 200
            proxy.signal(signal.SIGHUP)
            assert manager.recv(4096).startswith(b"RELOADING=1\nMONOTONIC_USEC=")
            assert manager.recv(4096) == b"READY=1"
            assert proxy.stop() == 0
            assert manager.recv(4096) == b"STOPPING=1"


def test_a_variable_that_asks_to_watch_is_no_warning_where_there_is_no_file() -> None:
    """The image always sets it; only the option shows that a file was intended."""
    environ = {"CORSPROXY_WATCH": "true"}
    with Upstream() as upstream, started(None, "--upstream", upstream.url, environ=environ) as proxy:
        assert ask(proxy.address).status == 200
        assert proxy.stop() == 0
        assert "nothing to watch" not in proxy.stderr.text
