"""Old ways of real servers, as the proxy's clients see them: content behind a 204, and an answer before the upload.

Both are common where legacy applications are: PHP's own server, and Ruby's WEBrick.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.proxy.wire import Client
from tests.support.process import Proxy, started
from tests.support.programs import launched, needs

ROUTER = "<?php http_response_code($_SERVER['REQUEST_URI'] == '/plain' ? 200 : 204); echo '{}';\n"

WEBRICK = """
require 'webrick'
$stdout.sync = true
server = WEBrick::HTTPServer.new(Port: 0, BindAddress: '127.0.0.1', AccessLog: [], Logger: WEBrick::Log.new(nil, 0))
server.mount_proc('/') { |request, response| response.body = 'fine' }
server.mount_proc('/closed') do |request, response|
  response.status = 403
  response.body = 'no uploads here'
  response.keep_alive = false
end
puts "listening on #{server.listeners[0].addr[1]}"
server.start
"""

CONFIG = "upstreams: {{up: 'http://127.0.0.1:{port}'}}\nroutes: [{{path: /, upstream: up}}]\n"


@pytest.fixture(name="php", scope="module")
def _php(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """`php -S` with a page that answers 204 and prints, as old applications do."""
    folder: Path = tmp_path_factory.mktemp("php")
    (folder / "router.php").write_text(ROUTER, encoding="utf-8")
    program = needs("php", "apt-get install php-cli")
    with launched(program, "-S", "127.0.0.1:0", "router.php", folder=folder) as output:
        port = output.wait_line(r"http://127\.0\.0\.1:(\d+)")[1]
        with started(CONFIG.format(port=port)) as proxy:
            yield proxy


def test_php_answers_204_with_content(php: Proxy) -> None:
    """Every time 204 without content, and the next request is answered as if nothing had been."""
    for _ in range(10):
        with Client(php.address) as client:
            for path, status, body in ((b"/", 204, b""), (b"/plain", 200, b"{}"), (b"/", 204, b"")):
                client.send(b"GET %b HTTP/1.1\r\nHost: h\r\n\r\n" % path)
                response = client.read_response()
                assert (response.status, response.body, response.whole) == (status, body, True)
            assert not client.received


@pytest.fixture(name="webrick", scope="module")
def _webrick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    folder: Path = tmp_path_factory.mktemp("webrick")
    (folder / "server.rb").write_text(WEBRICK, encoding="utf-8")
    with launched(needs("ruby", "apt-get install ruby-sinatra"), "server.rb", folder=folder) as output:
        port = output.wait_line(r"listening on (\d+)")[1]
        with started(CONFIG.format(port=port)) as proxy:
            yield proxy


def test_webrick_refuses_an_upload_that_was_announced(webrick: Proxy) -> None:
    """It answers instead of 100 and closes: each client gets the whole answer, on warm connections too.

    Without `Expect` WEBrick itself loses the answer in the reset of a connection whose content it has not read: 19 of
    20 clients that ask it directly see it cut.
    """
    failures: list[object] = []

    def one() -> None:
        with Client(webrick.address) as client:
            client.send(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            if client.read_response().body != b"fine":
                failures.append("the first answer")
            client.send(b"PUT /closed HTTP/1.1\r\nHost: h\r\nContent-Length: 200000\r\nExpect: 100-continue\r\n\r\n")
            response = client.read_response()
            if (response.status, response.body, response.whole) != (403, b"no uploads here", True):
                failures.append(response)

    threads = [threading.Thread(target=one) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failures
    assert not re.search(r"upstream up: ", webrick.stderr.text)
