"""Workers: one listener, one set of numbers, replaced when they die, and never left behind.

`fresh=True` where it matters what a worker has from its start, which that of a fork is not.
"""

from __future__ import annotations

import http.client
import os
import signal
import threading

import pytest

from tests.server.setup import APP, OTHER, ask, ask_on, children, config, connect, descriptors, is_alive, until
from tests.support.process import DEADLINE, Proxy, started
from tests.support.upstream import Connection, Upstream

TOTAL = 'corsproxy_requests_total{method="GET",route="/",status="200"}'


def new_worker(proxy: Proxy, known: set[int]) -> int:
    """Wait for a worker that is not among those known."""
    until(lambda: bool(set(children(proxy.pid)) - known), "another worker is started")
    return min(set(children(proxy.pid)) - known)


def test_workers_share_one_listener_and_one_set_of_numbers() -> None:
    """Every worker answers on the one address, and a scrape sees the requests of all, at once."""
    with Upstream() as upstream, started(config(upstream, "workers: 3"), admin=True, fresh=True) as proxy:
        assert len(children(proxy.pid)) == 3
        for number in range(1, 31):
            assert ask(proxy.address).status == 200
            if number % 10 == 0:
                assert proxy.metrics()[TOTAL] == number
        connections = [connect(proxy.address) for _ in range(6)]
        until(lambda: proxy.metrics()["corsproxy_connections"] == 6, "every connection is counted")
        for connection in connections:
            connection.close()
        assert proxy.stop() == 0


def test_workers_need_no_file() -> None:
    """Quick mode has no text to hand to its workers: each makes the configuration from the options."""
    with Upstream() as upstream, started(None, "--upstream", upstream.url, "--workers", "2") as proxy:
        assert ask(proxy.address).status == 200
        assert len(children(proxy.pid)) == 2
        assert proxy.stop() == 0


def test_a_worker_killed_under_load_is_replaced_and_no_counter_falls() -> None:
    """Only requests on the dead worker's connections are lost, and a scraper never sees a smaller number."""
    answered = [0]
    lost = [0]
    over = threading.Event()
    lock = threading.Lock()

    def client(address: tuple[str, int]) -> None:
        while not over.is_set():
            try:
                connection = http.client.HTTPConnection(*address, timeout=DEADLINE)
                for _ in range(20):
                    answer = ask_on(connection)
                    with lock:
                        answered[0] += answer.status == 200
                connection.close()
            except (OSError, http.client.HTTPException):
                with lock:
                    lost[0] += 1

    kills = 3
    clients = 4
    extra = "workers: 2\nlog: {access: false}"
    with Upstream() as upstream, started(config(upstream, extra), admin=True) as proxy:
        threads = [threading.Thread(target=client, args=(proxy.address,)) for _ in range(clients)]
        for thread in threads:
            thread.start()
        scraped = [0.0]
        try:
            for _ in range(kills):
                seen = answered[0]
                # A worker has to live for a while, or its death is one right after its start.
                while answered[0] < seen + 400:
                    scraped.append(proxy.metrics().get(TOTAL, 0.0))
                known = set(children(proxy.pid))
                os.kill(max(known), signal.SIGKILL)
                new_worker(proxy, known)
                scraped.append(proxy.metrics().get(TOTAL, 0.0))
            proxy.stderr.wait_for(lambda lines: sum("it is replaced" in line for line in lines) == kills)
        finally:
            over.set()
            for thread in threads:
                thread.join(DEADLINE)
        scraped.append(proxy.metrics()[TOTAL])
        assert scraped == sorted(scraped)
        assert scraped[-1] > 0
        assert lost[0] <= kills * clients
        assert ask(proxy.address).status == 200
        assert len(children(proxy.pid)) == 2
        assert "was killed by SIGKILL; it is replaced" in proxy.stderr.text
        assert proxy.stop() == 0


def test_a_replacement_has_the_configuration_in_force_and_not_that_of_the_start() -> None:
    """A worker that is started after a reload grants what the others grant; a bad file on disk does not matter."""
    with Upstream() as upstream, started(config(upstream, "workers: 2")) as proxy:
        proxy.reload(config(upstream, "workers: 2", f"allow_origins: [{OTHER}]"))
        proxy.stderr.wait_line("configuration reloaded")
        proxy.reload("nonsense")
        proxy.stderr.wait_line("configuration not reloaded")
        known = set(children(proxy.pid))
        for pid in known:
            os.kill(pid, signal.SIGKILL)
        proxy.stderr.wait_for(lambda lines: sum("it is replaced" in line for line in lines) == 2)
        for _ in range(10):
            assert ask(proxy.address, Origin=OTHER).cors["access-control-allow-origin"] == OTHER
            assert "access-control-allow-origin" not in ask(proxy.address, Origin=APP).cors


def test_a_worker_that_dies_at_once_again_and_again_ends_the_program() -> None:
    """Five deaths in a row right after the start are given up on, with status 1 and a reason."""
    with Upstream() as upstream, started(config(upstream, "workers: 2")) as proxy:
        known = set(children(proxy.pid))
        os.kill(max(known), signal.SIGKILL)

        def replaced() -> bool:
            return proxy.popen.poll() is not None or bool(set(children(proxy.pid)) - known)

        # The first may have lived long enough not to count.
        while proxy.popen.poll() is None:
            until(replaced, "the worker is replaced, or given up on")
            for pid in set(children(proxy.pid)) - known:
                known.add(pid)
                os.kill(pid, signal.SIGKILL)
        assert len(known) in (6, 7)
        assert proxy.wait() == 1
        proxy.stderr.wait_line("was killed by SIGKILL right after its start, 5 times in a row: giving up")
        assert not any(map(is_alive, known))


@pytest.mark.parametrize("how", ["idle", "busy"])
def test_workers_end_when_their_parent_is_gone(how: str) -> None:
    """A parent killed outright leaves no worker behind, even one with a request that never ends."""

    def script(connection: Connection) -> None:
        connection.read_request()
        connection.read_to_end()

    with (
        Upstream(script) as upstream,
        started(config(upstream, "workers: 2"), fresh=how == "busy") as proxy,
        connect(proxy.address) as client,
    ):
        if how == "busy":
            client.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            upstream.wait_for(lambda: upstream.requests)
        workers = children(proxy.pid)
        assert len(workers) == 2
        proxy.popen.kill()
        until(lambda: not any(map(is_alive, workers)), "the workers end")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_to_a_worker_is_the_parent_s_business(number: signal.Signals) -> None:
    """A terminal and some service managers signal every process; only the parent's word counts."""
    with Upstream() as upstream, started(config(upstream, "workers: 2")) as proxy:
        workers = children(proxy.pid)
        for pid in workers:
            os.kill(pid, number)
        for _ in range(10):
            assert ask(proxy.address).status == 200
        assert children(proxy.pid) == workers
        assert proxy.stop() == 0


def test_workers_inherit_nothing_but_what_they_need() -> None:
    """A replacement has as many descriptors as the worker it replaces: none of its siblings' channels."""
    with Upstream() as upstream, started(config(upstream, "workers: 2"), admin=True, fresh=True) as proxy:
        known = children(proxy.pid)
        usual = descriptors(known[0])
        until(lambda: proxy.metrics()["corsproxy_connections"] == 0, "all workers answer")
        os.kill(known[1], signal.SIGKILL)
        pid = new_worker(proxy, set(known))
        until(lambda: descriptors(pid) == usual, f"the replacement has {usual} descriptors")


def test_the_loop_guard_knows_requests_of_every_worker() -> None:
    """Via carries one name for the whole process, so that a loop is seen whichever worker it passes."""
    with Upstream() as upstream, started(config(upstream, "workers: 2")) as proxy:
        seen = {ask(proxy.address).fields["via"] for _ in range(20)}
        assert len(seen) == 1
