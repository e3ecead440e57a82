"""The compose example: valid by the compose specification's schema, and as locked down as the image allows."""

from __future__ import annotations

import contextlib
import http.client
import subprocess
import sys
from collections.abc import Iterator
from email.message import Message
from pathlib import Path

import yaml

from tests.packaging.files import DEPLOY, ROOT, Document, documents
from tests.support.process import started
from tests.support.programs import launched

FILE = DEPLOY / "compose/compose.yaml"


def judge(path: Path) -> subprocess.CompletedProcess[str]:
    """Hold a file to the schema of the compose specification."""
    return subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def services() -> dict[str, Document]:
    """Read the services."""
    [document] = documents(FILE)
    found: dict[str, Document] = document["services"]
    return found


def test_compose_schema() -> None:
    """The file is valid by the compose schema."""
    done = judge(FILE)
    assert done.returncode == 0, done.stdout + done.stderr


def test_compose_schema_judges(tmp_path: Path) -> None:
    """The schema refuses a misspelt key."""
    [document] = documents(FILE)
    document["services"]["corsproxy"]["read_onli"] = True
    broken = tmp_path / "compose.yaml"
    broken.write_text(yaml.safe_dump(document), encoding="utf-8")
    assert judge(broken).returncode != 0


def test_services_confined() -> None:
    """Every service is read only without capabilities."""
    for name, service in services().items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name


def test_published_ports() -> None:
    """Only the proxy is published and on loopback only."""
    found = services()
    assert [name for name, service in found.items() if "ports" in service] == ["corsproxy"]
    assert all(port.startswith("127.0.0.1:") for port in found["corsproxy"]["ports"])


def test_mounts() -> None:
    """Every mounted folder exists and is mounted read-only."""
    for service in services().values():
        for volume in service["volumes"]:
            source, _, options = volume.split(":")
            assert (FILE.parent / source).is_dir()
            assert options == "ro"


def test_upstream_is_a_service() -> None:
    """The upstream of the mounted file is a service on its own port."""
    [configuration] = documents(DEPLOY / "compose/config/corsproxy.yaml")
    legacy = services()["legacy"]
    assert configuration["upstreams"] == {"legacy": f"http://legacy:{legacy['expose'][0]}"}
    assert legacy["expose"][0] in legacy["command"]


def test_image_name() -> None:
    """The image is the one that `make image` and the build at the file's head tag."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert f"IMAGE  ?= {services()['corsproxy']['image']}" in makefile


def test_the_example_works() -> None:
    """The mounted file, in front of the very command of the legacy service, lets the shop's page read its customers."""
    legacy = services()["legacy"]["command"]
    with file_server(DEPLOY / "compose/legacy", *legacy[1:3]) as port:
        text = (DEPLOY / "compose/config/corsproxy.yaml").read_text(encoding="utf-8")
        with started(text.replace("http://legacy:8000", f"http://127.0.0.1:{port}")) as proxy:
            status, fields = get(proxy.address, "/customers.json", "https://shop.example.com")
            assert (status, fields["Access-Control-Allow-Origin"]) == (200, "https://shop.example.com")
            status, fields = get(proxy.address, "/customers.json", "https://evil.example")
            assert (status, fields["Access-Control-Allow-Origin"]) == (200, None)


@contextlib.contextmanager
def file_server(folder: Path, *module: str) -> Iterator[int]:
    """Run the legacy service's own program on a free port of loopback."""
    options = ("0", "--bind", "127.0.0.1", "--directory", str(folder))
    with launched(sys.executable, *module, *options) as output:
        yield int(output.wait_line(r"port (\d+)")[1])


def get(address: tuple[str, int], path: str, origin: str) -> tuple[int, Message]:
    """Ask as a page of an origin would, and return the status and the fields."""
    connection = http.client.HTTPConnection(*address, timeout=30)
    with contextlib.closing(connection):
        connection.request("GET", path, headers={"Origin": origin})
        response = connection.getresponse()
        return response.status, response.headers
