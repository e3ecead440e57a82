"""Builds the container image without a daemon or a registry of images, then tests what the Dockerfile promises.

The base is a Debian made by debootstrap, with the same version of Python; the Dockerfile is the same.
The test checks the configuration (user, entry point, health check), the files, and the compiled proxy itself: it runs
as the image's user on a read-only root without capabilities, is configured by environment variables alone, and answers
a preflight.
It needs root, `buildah` and `debootstrap`, and leaves nothing behind but the two images.

    python scripts/image_test.py [--twice] [MIRROR]

MIRROR is a Debian mirror; the default is that of this machine's apt.
With --twice the image is built a second time, without a cache, and must have the same digest.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
VERSION = (ROOT / "corsproxy/__init__.py").read_text(encoding="utf-8").split('__version__ = "')[1].split('"')[0]
SUITE = "forky"  # its Python is 3.14
BASE = f"localhost/corsproxy-base:{SUITE}"
IMAGE = "localhost/corsproxy:test"
# With Python's headers but without a compiler, as the official images of Python are.
PACKAGES = ["python3", "python3-venv", "libpython3-dev", "ca-certificates"]
CA_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
ORIGIN = "https://app.example.com"
MOST_CPU = 0.05
"""Seconds of a health check, which runs every ten on a machine that may be short of CPU."""
LIBRARY = "corsproxy__mypyc"
"""The library with the code of every compiled module."""
BY_HASH = b"\x01\0\0\0"
"""The flags of bytecode that is valid by its source's hash, unchecked (PEP 552)."""
# chroot isolation needs neither user namespaces nor a runtime; the network is this machine's own.
BUILD_OPTIONS = ["--isolation", "chroot", "--network", "host", "--pull-never"]


class BrokenPromiseError(Exception):
    """A promise of the Dockerfile that does not hold."""


def main() -> int:
    """Build, check and run the image; print a line for each check that passes, and stop at the first that fails."""
    missing = [program for program in ("buildah", "debootstrap") if shutil.which(program) is None]
    if missing or os.geteuid() != 0:
        print(f"needs root and {' and '.join(missing or ['nothing else'])}: apt-get install buildah debootstrap")
        return 2
    try:
        if not output("buildah", "images", "--quiet", "--filter", f"reference={BASE}"):
            mirrors = [word for word in sys.argv[1:] if not word.startswith("-")]
            make_base(mirrors[0] if mirrors else own_mirror(Path("/etc/apt")))
        build()
        if "--twice" in sys.argv:
            digest = output("buildah", "images", "--no-trunc", "--quiet", IMAGE)
            build("--no-cache")
            again = output("buildah", "images", "--no-trunc", "--quiet", IMAGE)
            expect(digest == again, "two builds have one digest", f"{digest} and {again}")
        environment = check_configuration()
        with mounted(IMAGE) as tree:
            check_files(tree)
            check_running(tree, environment)
    except BrokenPromiseError as failed:
        print(f"FAILED: {failed}", file=sys.stderr)
        return 1
    return 0


def build(*options: str) -> None:
    """Build the image with `make image`, on our base."""
    given = {"IMAGE": IMAGE, "BASE": BASE, "EPOCH": "1000000000", "REVISION": "test"}
    arguments = {**given, "BUILDAH_ARGS": " ".join([*BUILD_OPTIONS, *options])}
    run("make", "-C", str(ROOT), "image", *(f"{name}={value}" for name, value in arguments.items()))


def own_mirror(folder: Path) -> str:
    """Return the Debian mirror that apt uses here, from either form of its configuration."""
    for path in [folder / "sources.list", *sorted(folder.glob("sources.list.d/*"))]:
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        found = re.search(r"^(?:deb\b(?: +\[.*?\])? +|URIs: *)(https?://\S+/debian)/?(?=\s)", text, re.MULTILINE)
        if found is not None:
            return found[1]
    raise BrokenPromiseError("apt names no Debian mirror here; give one: python scripts/image_test.py MIRROR")


def make_base(mirror: str) -> None:
    """Commit a minimal Debian with Python and this machine's certificate authorities as the base image."""
    with tempfile.TemporaryDirectory(prefix="corsproxy-base-") as folder:
        # The script of unstable serves every suite, and an older debootstrap knows none of a newer suite's name.
        run("debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", SUITE, folder, mirror, "sid")
        if os.path.exists(CA_BUNDLE):
            shutil.copyfile(CA_BUNDLE, folder + CA_BUNDLE)
        # A suite that is not released yet has its lists signed for a week at a time; a mirror may be older than that.
        Path(folder, "etc/apt/apt.conf.d/any-age").write_text('Acquire::Check-Valid-Until "false";\n', encoding="ascii")
        container = output("buildah", "from", "--pull-never", "scratch")
        try:
            run("buildah", "add", "--quiet", container, folder, "/")
            path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
            run("buildah", "config", "--env", path, "--env", f"PIP_CERT={CA_BUNDLE}", container)
            run("buildah", "commit", "--quiet", "--format", "docker", container, BASE)
        finally:
            run("buildah", "rm", container)


def check_configuration() -> dict[str, str]:
    """Check the image's configuration against its documentation, and return its environment."""
    record: dict[str, Any] = json.loads(output("buildah", "inspect", "--type", "image", IMAGE))["Docker"]["config"]
    expected = {
        "User": "10001:10001",
        "Entrypoint": ["corsproxy"],
        "Cmd": ["serve"],
        "WorkingDir": "/etc/corsproxy",
        "StopSignal": "SIGTERM",
        "ExposedPorts": {"8080/tcp": {}, "8081/tcp": {}},
    }
    for key, value in expected.items():
        expect(record.get(key) == value, f"{key} is {value}", f"it is {record.get(key)!r}")
    labels = {name.rpartition(".")[2]: value for name, value in record["Labels"].items()}
    expected_labels = {"version": VERSION, "revision": "test", "licenses": "MIT"}
    expect(expected_labels.items() <= labels.items(), "the labels are those of the build", str(labels))
    health = record["Healthcheck"]["Test"]
    expect(health == ["CMD", "corsproxy", "healthcheck"], "the health check runs the program, no shell", str(health))
    environment = dict(item.split("=", 1) for item in record["Env"])
    for name, value in {"CORSPROXY_LISTEN": "0.0.0.0:8080", "CORSPROXY_ADMIN": "0.0.0.0:8081"}.items():
        expect(environment.get(name) == value, f"{name} is {value}", str(environment.get(name)))
    return environment


def check_files(tree: Path) -> None:
    """Check that there are the program and its dependencies, no installer, and no file that its user may change."""
    installed = {path.name.split("-")[0] for path in tree.glob("opt/corsproxy/lib/python3*/site-packages/*.dist-info")}
    expect({"corsproxy", "aiohttp", "uvloop"} <= installed, "the package and its dependencies are there")
    others = {"pip", "setuptools", "pytest", "mypy", "librt"}
    expect(not installed & others, "no installer, no compiler and no test tool is there", str(installed & others))
    expect(not list(tree.glob("usr/bin/*gcc*")), "no C compiler is there")
    own_python = re.search(
        r"^BASE +\?= python:(3\.\d+)-", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert own_python is not None
    tag = f"cpython-{own_python[1].replace('.', '')}"
    compiled = list(tree.glob(f"opt/corsproxy/lib/python3*/site-packages/{LIBRARY}.{tag}-*.so"))
    expect(len(compiled) == 1, f"the package is compiled for the Python of the image's own base, {own_python[1]}")
    expect(not (tree / "build").exists(), "nothing of the build stage is left")
    loose = [path for path in tree.glob("opt/corsproxy/lib/**/*.pyc") if path.read_bytes()[4:8] != BY_HASH]
    expect(not loose, "all bytecode goes by the hash of its source", str(loose[:3]))
    own = list((tree / "opt/corsproxy").rglob("*"))
    loose = [path for path in own if not path.is_symlink() and (path.stat().st_mode & 0o022 or path.stat().st_uid)]
    expect(not loose, "its user may change none of its files", str(loose[:3]))


def check_running(tree: Path, environment: dict[str, str]) -> None:
    """Check that the image's command, read-only and without capabilities, is healthy, grants a preflight, and stops."""
    listen, admin = free_port(), free_port()
    given = environment | {
        "CORSPROXY_LISTEN": f"127.0.0.1:{listen}",
        "CORSPROXY_ADMIN": f"127.0.0.1:{admin}",
        "CORSPROXY_UPSTREAM": f"http://127.0.0.1:{free_port()}",
        "CORSPROXY_ALLOW_ORIGIN": ORIGIN,
        "CORSPROXY_WORKERS": "2",  # several processes must not need a writable folder, either
    }
    with confined(tree, given, "corsproxy", "serve") as process:
        said: list[str] = []
        for line in process.stderr or ():
            said.append(line)
            if f"admin on http://127.0.0.1:{admin}" in line:
                break
        else:
            raise BrokenPromiseError(f"the proxy ended with status {process.wait()}:\n{''.join(said)}")
        with confined(tree, given, "corsproxy", "healthcheck") as probe:
            expect(probe.wait(30) == 0, "the health check finds it healthy")
        cost = cpu_of(tree, given, "corsproxy", "healthcheck") - cpu_of(tree, given, "true")
        expect(cost < MOST_CPU, f"a health check costs less than {MOST_CPU:g} s of CPU", f"{cost:.3f} s")
        answer = preflight(listen)
        granted = answer.getheader("Access-Control-Allow-Origin")
        expect((answer.status, granted) == (204, ORIGIN), "a preflight is granted", f"{answer.status} {granted}")
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
        mapped = Path(f"/proc/{process.pid}/maps").read_text(encoding="utf-8")
        expect(LIBRARY in mapped, "it runs the compiled code")
        expect("Uid:\t10001" in status, "it runs as its numeric user")
        expect("CapBnd:\t0000000000000000" in status, "without any capability")
        mounts = [line.split() for line in Path(f"/proc/{process.pid}/mounts").read_text(encoding="utf-8").splitlines()]
        root = [options for _, place, _, options, *_ in mounts if place == "/"]
        expect([options.split(",")[0] for options in root] == ["ro"], "on a read-only root", str(root))
        process.send_signal(signal.SIGTERM)
        expect(process.wait(30) == 0, "it stops with status 0 when asked to")


def cpu_of(tree: Path, environment: dict[str, str], *command: str) -> float:
    """Return the seconds of CPU that a command of the image takes: the least of five runs."""
    costs = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        with confined(tree, environment, *command) as process:
            process.wait(30)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        costs.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(costs)


@contextlib.contextmanager
def confined(tree: Path, environment: dict[str, str], *command: str) -> Iterator[subprocess.Popen[str]]:
    """Run a command of the image as an orchestrator would: its user, a read-only root, no capabilities."""
    # A mount namespace of its own, in which the image's tree is bound read-only, then the change of root and of user.
    script = 'mount --bind -o ro "$0" "$0" && mount -o remount,bind,ro "$0" && exec chroot "$0" "$@"'
    drop = ["setpriv", "--reuid=10001", "--regid=10001", "--clear-groups", "--bounding-set=-all", "--inh-caps=-all"]
    variables = [f"{name}={value}" for name, value in environment.items()]
    confine = ["unshare", "--mount", "sh", "-c", script, str(tree)]
    arguments = [*confine, *drop, "--no-new-privs", "env", "-i", "-C", "/etc/corsproxy", *variables, *command]
    process = subprocess.Popen(  # noqa: S603 - the command is the image's own
        arguments, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


@contextlib.contextmanager
def mounted(image: str) -> Iterator[Path]:
    """Return the folder that holds the image's files."""
    container = output("buildah", "from", "--pull-never", image)
    try:
        yield Path(output("buildah", "mount", container))
    finally:
        run("buildah", "rm", container)


def preflight(port: int) -> http.client.HTTPResponse:
    """Send the preflight of a PUT, and return its answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    fields = {"Origin": ORIGIN, "Access-Control-Request-Method": "PUT"}
    connection.request("OPTIONS", "/", headers=fields)
    return connection.getresponse()


def free_port() -> int:
    """Return a loopback port that is free at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def expect(holds: bool, promise: str, found: str = "it does not hold") -> None:
    """Print that a promise holds, or raise `BrokenPromiseError` with what was found instead."""
    if not holds:
        raise BrokenPromiseError(f"{promise}: {found}")
    print(f"ok: {promise}")


def run(*command: str) -> None:
    """Run a program; raises `BrokenPromiseError` if it fails. Its output goes to the terminal."""
    if subprocess.run(command, check=False).returncode:  # noqa: S603 - commands of this file
        raise BrokenPromiseError(" ".join(command[:2]))


def output(*command: str) -> str:
    """Return what a program prints, stripped; raises `BrokenPromiseError` if it fails."""
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)  # noqa: S603 - commands of this file
    if done.returncode:
        raise BrokenPromiseError(" ".join(command[:2]))
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
