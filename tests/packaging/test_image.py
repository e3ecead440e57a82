"""The container image's sources: what goes in is locked, what runs is unprivileged.

`make image-test` builds the image and runs it; here the files are read, so that a slip shows without a build.
"""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from corsproxy import __version__
from scripts.image_test import own_mirror
from scripts.sbom import settled
from scripts.steady_image import steady
from tests.packaging.files import ROOT, program

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def instructions(stage: int) -> list[tuple[str, str]]:
    """Read the instructions of one stage of the Dockerfile, continued lines joined."""
    joined = re.sub(r"\\\n\s*", "", re.sub(r"^\s*#.*\n", "", DOCKERFILE, flags=re.MULTILINE))
    stages = re.split(r"^(?=FROM )", joined, flags=re.MULTILINE)
    lines = [line for line in stages[stage].splitlines() if line.strip()]
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1]) for line in lines]


def last(name: str) -> str:
    """Return the argument of the final stage's last instruction of that name."""
    return [argument for instruction, argument in instructions(2) if instruction == name][-1]


def test_compiled() -> None:
    """The package is built compiled, by a compiler that the build stage alone has, and what was installed is tried."""
    names = [f"{name} {argument}" for name, argument in instructions(1)]
    asked = names.index("ENV CORSPROXY_COMPILE=1")
    [built] = [number for number, line in enumerate(names) if '"wheel"' in line]
    [tried] = [number for number, line in enumerate(names) if "assert module.__file__.endswith('.so')" in line]
    assert asked < built < tried
    assert [line for line in names if "apt-get" in line] == [
        "RUN apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev"
    ]


def test_installations() -> None:
    """Every installation is by hash or without a network."""
    installs = [json.loads(argument) for name, argument in instructions(1) if name == "RUN" and '"install"' in argument]
    assert len(installs) == 3
    for command in installs:
        assert "--no-index" in command or {"--require-hashes", "--only-binary"} <= set(command)


def test_image_user() -> None:
    """The proxy runs as a numeric user that is not root."""
    user, group = last("USER").split(":")
    assert int(user) > 0
    assert int(group) > 0


def test_exec_form() -> None:
    """The commands are in exec form so that signals reach the program."""
    assert json.loads(last("ENTRYPOINT")) == ["corsproxy"]
    assert json.loads(last("CMD")) == ["serve"]
    assert "CORSPROXY_WATCH=true" in last("ENV")
    assert json.loads(last("HEALTHCHECK").split(" CMD ")[1]) == ["corsproxy", "healthcheck"]


def test_final_stage() -> None:
    """The final stage installs nothing and copies only the environment."""
    names = [name for name, _ in instructions(2)]
    assert "RUN" not in names
    assert [argument for name, argument in instructions(2) if name == "COPY"] == [
        "--from=build /opt/corsproxy /opt/corsproxy"
    ]


def test_build_context() -> None:
    """Only what the Dockerfile copies is sent to the build."""
    rules = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    allowed = {rule.removeprefix("!") for rule in rules if rule.startswith("!")}
    copied = [argument.split()[:-1] for name, argument in instructions(1) if name == "COPY"]
    assert {source.removeprefix("./") for sources in copied for source in sources} == allowed
    assert "*" in rules


def test_labels() -> None:
    """Version, revision and source are build arguments, which `make image` takes from the tree."""
    for name in ("version", "revision", "source"):
        assert f'org.opencontainers.image.{name}="${{{name.upper()}}}"' in last("LABEL")
        assert any(argument.startswith(name.upper()) for kind, argument in instructions(2) if kind == "ARG")
    done = subprocess.run(
        [program("make", "make"), "--dry-run", "image"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert f"--build-arg VERSION={__version__} " in done.stdout
    assert re.search(r"--timestamp \d+ ", done.stdout)


def test_two_builds_are_the_same() -> None:
    """No installed bytecode contains a time; it is valid by the hash of its source."""
    installs = [argument for name, argument in instructions(1) if name == "RUN" and '"--python"' in argument]
    assert len(installs) == 2
    assert all("--no-compile" in json.loads(argument) for argument in installs)
    [bytecode] = [argument for name, argument in instructions(1) if name == "RUN" and "compileall" in argument]
    assert {"unchecked-hash", "-f"} <= set(json.loads(bytecode))


def test_a_record_names_no_container() -> None:
    """Values that buildah generates for each build are removed; the rest of the record stays, in a fixed order."""
    made = {"Hostname": "d3523526233c", "User": "10001:10001"}
    record = {"container": "f110db26", "os": "linux", "config": made, "container_config": dict(made)}
    assert steady(record) == (
        b'{"config":{"User":"10001:10001"},"container_config":{"User":"10001:10001"},"os":"linux"}'
    )


def test_bill_of_materials() -> None:
    """The bill names the package as an application with its version, and is the same each time."""
    bill = {"serialNumber": "urn:uuid:1", "metadata": {"timestamp": "now", "component": {"name": "corsproxy"}}}
    once = settled(bill, "1.2.3", 0)
    assert "serialNumber" not in once
    assert once["metadata"]["timestamp"] == "1970-01-01T00:00:00Z"
    assert once["metadata"]["component"]["purl"] == "pkg:pypi/corsproxy@1.2.3"


@pytest.mark.parametrize(
    ("name", "text", "mirror"),
    [
        ("sources.list", "# a comment\ndeb http://one.example/debian stable main\n", "http://one.example/debian"),
        ("sources.list", "deb [arch=amd64] https://two.example/debian/ stable main\n", "https://two.example/debian"),
        (
            "sources.list.d/debian.sources",
            "Types: deb\nURIs: http://one.example/debian\nSuites: stable\n",
            "http://one.example/debian",
        ),
    ],
)
def test_the_mirror_is_that_of_the_machine(tmp_path: Path, name: str, text: str, mirror: str) -> None:
    """The base comes from the mirror that the machine uses anyway."""
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert own_mirror(tmp_path) == mirror
