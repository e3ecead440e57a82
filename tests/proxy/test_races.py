"""Many clients at once, doing everything a pool must survive: each is answered with what is its own, as who it is.

The upstream knows on each connection who has logged in there, and answers with the name that was asked for and that
user.
"""

from __future__ import annotations

import random
import socket
import threading
import time

import pytest

from tests.proxy.wire import Client, EndedError
from tests.support.process import Proxy, started
from tests.support.upstream import Connection, Upstream

CONFIG = """
upstreams:
  up: {{url: "{url}", max_connections: {most}, keepalive_timeout: {keepalive}, connect_timeout: 20s, max_tunnels: 50}}
policies:
  one: {{allow_origins: ["https://app.example"]}}
  two: {{allow_origins: ["https://other.example"]}}
routes:
  - {{path: /, upstream: up, policy: one}}
  - {{path: /two, upstream: up, policy: two}}
log: {{access: false}}
"""

CLIENTS = 10
STEPS = 25

SWITCHING = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"


def upstream(connection: Connection) -> None:
    """Answer `name:user`; what else happens is in the path."""
    user, rng = b"nobody", random.Random(connection.number)
    while True:
        request = connection.read_request()
        method, path, _ = request.line.split()
        login = b"".join(request.values(b"Authorization"))
        if login.startswith(b"NTLM "):
            user = login[5:]
        content = path.rsplit(b"/", 1)[1] + b":" + user
        if b"/ws/" in path:
            connection.send(SWITCHING + content)
            connection.read_to_end()
            return
        if b"/none/" in path:
            connection.send(b"HTTP/1.1 204 No Content\r\nX-Is: %b\r\n\r\n" % content)
            continue
        if b"/slow/" in path:
            time.sleep(rng.random() * 0.02)
        close = b"Connection: close\r\n" if b"/close/" in path else b""
        head = b"HTTP/1.1 200 OK\r\n%bX-Is: %b\r\n" % (close, content)
        if b"/chunks/" in path:
            connection.send(head + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(content))
            connection.send(content + b"\r\n0\r\n\r\n")
        else:
            body = b"" if method == b"HEAD" else content
            connection.send(head + b"Content-Length: %d\r\n\r\n" % len(content) + body)
        if b"/drop/" in path or close:
            return


KINDS = ("ok", "ok", "slow", "chunks", "none", "close", "drop", "ws", "half", "head", "post", "two")


class Player:
    """One client with a name of its own; it may be logged in."""

    def __init__(self, proxy: Proxy, number: int) -> None:
        self._proxy = proxy
        self._rng = random.Random(1000 + number)
        self._number = number
        self.failures: list[object] = []

    def play(self) -> None:
        """Take all steps, over several connections."""
        step = 0
        while step < STEPS:
            logs_in = self._rng.random() < 0.4
            with Client(self._proxy.address) as client:
                for turn in range(self._rng.randint(1, 8)):
                    step += 1
                    try:
                        if not self._ask(client, f"c{self._number}s{step}", logs_in=logs_in, first=turn == 0):
                            break
                    except EndedError:
                        break
                    except Exception as error:  # noqa: BLE001 - told by the test
                        self.failures.append(error)
                        return

    def _ask(self, client: Client, name: str, *, logs_in: bool, first: bool) -> bool:
        """Ask once; return whether the connection goes on."""
        kind = self._rng.choice(KINDS)
        method = {"head": "HEAD", "post": "POST"}.get(kind, "GET")
        lines = "Content-Length: 0\r\n" if kind == "post" else ""
        if kind == "ws":
            lines = "Connection: Upgrade\r\nUpgrade: websocket\r\n"
        user = f"user{self._number}" if logs_in else "nobody"
        if logs_in and (first or self._rng.random() < 0.3):
            lines += f"Authorization: NTLM {user}\r\n"
        client.send(f"{method} /{kind}/{name} HTTP/1.1\r\nHost: h\r\n{lines}\r\n".encode())
        if kind == "half":
            return False  # gone before the answer
        own, nobody_s = f"{name}:{user}".encode(), f"{name}:nobody".encode()
        response = client.read_response(to=method)
        if not response.head and logs_in and not first:
            return False  # closed with the upstream's connection while the request was on its way
        if response.status in {502, 503} and kind in {"post", "ws", "ok", "slow", "two", "chunks", "close", "drop"}:
            return False  # a connection that died under it
        # If the login's connection has ended, the last request on the client's is answered for nobody.
        if kind == "ws":
            client.socket.shutdown(socket.SHUT_WR)
            if client.read_to_end() not in {own, nobody_s}:
                self.failures.append((name, "tunnel"))
            return False
        said = {b"".join(response.values(b"X-Is")), response.body or b"".join(response.values(b"X-Is"))}
        if said != {own} and (not response.values(b"Connection") or said != {nobody_s}):
            self.failures.append((name, user, response))
        return response.whole and not response.values(b"Connection")


@pytest.mark.parametrize(("most", "keepalive"), [(256, "4s"), (4, "100ms"), (6, "0")])
def test_everybody_gets_what_is_theirs(most: int, keepalive: str) -> None:
    """With room for all, with hardly any, and without reuse, while the configuration is loaded again and again."""
    with Upstream(upstream) as server:
        config = CONFIG.format(url=server.url, most=most, keepalive=keepalive)
        with started(config) as proxy:
            players = [Player(proxy, number) for number in range(CLIENTS)]
            threads = [threading.Thread(target=player.play) for player in players]
            for thread in threads:
                thread.start()
            for number in range(6):
                time.sleep(0.1)  # somewhere in the middle is what is wanted
                proxy.reload(config.replace("connect_timeout: 20s", f"connect_timeout: {20 + number % 3}s"))
            for thread in threads:
                thread.join(60)
            assert [failure for player in players for failure in player.failures] == []
            assert "Traceback" not in proxy.stderr.text
