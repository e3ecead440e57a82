"""WebDAV servers behind the proxy: a resource is moved and copied where the client says, by the address it knows.

Each compares `Destination` with its own name in a way of its own; what they answer without the proxy's help stands
beside each.
"""

from __future__ import annotations

import contextlib
import http.client
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.realservers.programs import COMMANDS
from tests.support.process import DEADLINE, Proxy, started
from tests.support.programs import free_port, launched, needs, wait_until_listening

NGINX = """\
daemon off; master_process off; pid nginx.pid; error_log stderr crit;
events {}
http {
    access_log off; client_body_temp_path temp; proxy_temp_path temp; fastcgi_temp_path temp; uwsgi_temp_path temp;
    scgi_temp_path temp;
    server {
        listen 127.0.0.1:@PORT@;
        root @FOLDER@/files;
        dav_methods PUT DELETE MKCOL COPY MOVE;
        create_full_put_path on;
    }
}
"""

LIGHTTPD = """\
server.document-root = "@FOLDER@/files"
server.bind = "127.0.0.1"
server.port = @PORT@
server.modules = ("mod_webdav")
server.errorlog = "@FOLDER@/error.log"
server.upload-dirs = ("@FOLDER@")
webdav.activate = "enable"
webdav.is-readonly = "disable"
"""

RADICALE = """\
[server]
hosts = 127.0.0.1:@PORT@
[auth]
type = none
[storage]
filesystem_folder = @FOLDER@/files
[rights]
type = from_file
file = @FOLDER@/rights
"""

RADICALE_RIGHTS = """\
[all]
user: .*
collection: .*
permissions: RrWw
"""

EVENT = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260101T000000Z\r\n"
    "DTSTART:20260101T000000Z\r\nSUMMARY:s\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)


@contextlib.contextmanager
def _with_config(text: str, folder: Path, command: Callable[[Path], tuple[str, ...]]) -> Iterator[str]:
    """Run a server that reads its port from a file."""
    port = free_port()
    (folder / "files" / "v2").mkdir(parents=True)
    (folder / "rights").write_text(RADICALE_RIGHTS)
    config = folder / "server.conf"
    config.write_text(text.replace("@PORT@", str(port)).replace("@FOLDER@", str(folder)))
    with launched(*command(config), folder=folder):
        wait_until_listening(port)
        yield f"http://127.0.0.1:{port}"


def nginx(folder: Path) -> contextlib.AbstractContextManager[str]:
    """Its DAV module: 400 to a Destination of another host; a path alone is taken as its own."""
    program = needs("nginx", "install it (Debian: apt-get install nginx-light)")
    return _with_config(NGINX, folder, lambda file: (program, "-p", str(folder), "-c", str(file), "-e", "stderr"))


def lighttpd(folder: Path) -> contextlib.AbstractContextManager[str]:
    """Its mod_webdav: 400 to a Destination of another scheme or host."""
    program = needs("lighttpd", "install it (Debian: apt-get install lighttpd lighttpd-mod-webdav)")
    return _with_config(LIGHTTPD, folder, lambda file: (program, "-D", "-f", str(file)))


@contextlib.contextmanager
def wsgidav(folder: Path) -> Iterator[str]:
    """Answers 502 to another host."""
    files = folder / "files"
    (files / "v2").mkdir(parents=True)
    with launched(sys.executable, *COMMANDS["dav"], str(files)) as output:
        yield output.wait_line(r"listening on (http://\S+)")[1]


def radicale(folder: Path) -> contextlib.AbstractContextManager[str]:
    """A calendar server, whose resources are events: 502 to another host than X-Forwarded-Host, or else Host."""
    pytest.importorskip("radicale")
    return _with_config(RADICALE, folder, lambda file: (sys.executable, "-m", "radicale", "--config", str(file)))


SERVERS = {server.__name__: server for server in (nginx, lighttpd, wsgidav, radicale)}

CONFIG = """
upstreams:
  whole: {{url: "{upstream}"}}
  based: {{url: "{upstream}/v2"}}
  kept: {{url: "{upstream}", redirects: keep}}
routes:
  - {{path: /, upstream: whole}}
  - {{path: /dav, upstream: whole, strip_prefix: true}}
  - {{path: /based, upstream: based, strip_prefix: true}}
  - {{path: /kept, upstream: kept, strip_prefix: true}}
"""


HOST = "dav.example"
"""The proxy's name as clients know it."""


def answer(base: str, method: str, path: str, body: str, headers: dict[str, str]) -> tuple[int, str | None]:
    """Send one request and return the status and the Lock-Token."""
    parts = urlsplit(base)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=DEADLINE)
    try:
        connection.request(method, path, body or None, headers)
        response = connection.getresponse()
        response.read()
        return response.status, response.getheader("Lock-Token")
    finally:
        connection.close()


@dataclass(frozen=True, slots=True)
class Stage:
    """One server, and the proxy before it."""

    name: str
    direct: str
    proxy: Proxy

    def ask(self, method: str, path: str, body: str = "", **headers: str) -> int:
        """Send one request by way of the proxy and return the status."""
        status, _ = answer(self.proxy.url, method, path, body, {"Host": HOST, **headers})
        return status

    def put(self, path: str) -> None:
        """Make a resource by way of the proxy."""
        kind = "text/calendar" if self.name == "radicale" else "text/plain"
        status, _ = answer(self.proxy.url, "PUT", path, EVENT, {"Content-Type": kind})
        assert status in {201, 204}, status


@pytest.fixture(scope="module", params=SERVERS)
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Run one server after the other, each behind a proxy."""
    name: str = request.param
    with (
        SERVERS[name](tmp_path_factory.mktemp(name)) as url,
        started(CONFIG.format(upstream=url)) as proxy,
    ):
        stage = Stage(name, url, proxy)
        for path in ("/box/", "/v2/box/") if name != "radicale" else ("/box/", "/v2/"):
            method = "MKCOL" if name != "radicale" else "MKCALENDAR"
            assert answer(url, method, path, "", {})[0] == 201
        yield stage


def paths(stage: Stage, route: str) -> tuple[str, str]:
    """Return two places by the proxy's paths of one route, in a folder that is there."""
    folder = f"{route}" if route == "/based" and stage.name == "radicale" else f"{route}/box"
    return f"{folder}/a%20b.ics", f"{folder}/c.ics"


FORMS = {"a URL": f"http://{HOST}", "a URL of https in front": f"https://{HOST}", "a path": ""}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("route", ["", "/dav", "/based"])
def test_a_resource_is_moved_where_the_client_says(stage: Stage, route: str, form: str) -> None:
    """It is there afterwards and no longer where it was, under a stripped prefix and a base path too."""
    old, new = paths(stage, route)
    stage.put(old)
    destination = FORMS[form] + new
    assert stage.ask("MOVE", old, Destination=destination, Overwrite="T") in {201, 204}
    assert stage.ask("GET", old) == 404
    assert stage.ask("GET", new) == 200
    assert stage.ask("DELETE", new) in {200, 204}


@pytest.mark.parametrize("stage", ["nginx", "lighttpd", "wsgidav"], indirect=True)
@pytest.mark.parametrize("route", ["", "/dav", "/based"])
def test_a_resource_is_copied_where_the_client_says(stage: Stage, route: str) -> None:
    """It is in both places; Radicale does not copy."""
    old, new = paths(stage, route)
    stage.put(old)
    assert stage.ask("COPY", old, Destination=f"http://{HOST}{new}") in {201, 204}
    assert [stage.ask("GET", path) for path in (old, new)] == [200, 200]
    for path in (old, new):
        assert stage.ask("DELETE", path) in {200, 204}


def test_a_place_elsewhere_is_refused_by_the_server(stage: Stage) -> None:
    """Another host, and another route of the proxy: neither is made a place of this server's, nothing is moved."""
    old, new = paths(stage, "/dav")
    stage.put(old)
    for destination in (f"http://elsewhere.example{new}", f"http://{HOST}/other/c.ics"):
        assert stage.ask("MOVE", old, Destination=destination) >= 400
    assert stage.ask("GET", old) == 200
    assert stage.ask("DELETE", old) in {200, 204}


def test_without_the_proxys_help_the_move_is_refused(stage: Stage) -> None:
    """What `redirects: keep` leaves to the server, which knows no such host."""
    stage.put("/box/a.ics")
    assert stage.ask("MOVE", "/kept/box/a.ics", Destination=f"http://{HOST}/kept/box/c.ics") >= 400
    assert stage.ask("DELETE", "/box/a.ics") in {200, 204}


@pytest.mark.parametrize("stage", ["wsgidav"], indirect=True)
def test_a_lock_is_shown_by_the_address_that_the_client_knows(stage: Stage) -> None:
    """`If` with a tagged list, as clients send it with the MOVE of a locked resource; the others lock nothing here."""
    old, new = paths(stage, "/dav")
    stage.put(old)
    body = (
        '<?xml version="1.0"?><lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/></locktype>'
        "</lockinfo>"
    )
    fields = {"Host": HOST, "Content-Type": "application/xml", "Timeout": "Second-600"}
    status, token = answer(stage.proxy.url, "LOCK", old, body, fields)
    assert (status, bool(token)) == (200, True)
    destination = f"http://{HOST}{new}"
    assert stage.ask("MOVE", old, Destination=destination) == 423
    held = f"<http://{HOST}{old}> ({token})"
    assert stage.ask("MOVE", old, Destination=destination, If=held) == 201
    assert stage.ask("GET", new) == 200
